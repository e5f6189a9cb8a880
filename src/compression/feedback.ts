// The loops of error feedback: plain, over arrays of one length, one kind of array to a loop.

/** target = values + rest; values alone where nothing is left over. */
export function addRest(values: ArrayLike<number>, rest: Float32Array, target: Float32Array): void {
  if (values instanceof Float32Array) addFloats(values, rest, target);
  else addDoubles(values as Float64Array, rest, target);
}

// The loop is written twice: one that has met both kinds of array takes several times as long for either.

function addFloats(values: Float32Array, rest: Float32Array, target: Float32Array): void {
  if (rest.length === 0) target.set(values);
  else for (let i = 0; i < target.length; i++) target[i] = (values[i] as number) + (rest[i] as number);
}

function addDoubles(values: Float64Array, rest: Float32Array, target: Float32Array): void {
  if (rest.length === 0) target.set(values);
  else for (let i = 0; i < target.length; i++) target[i] = (values[i] as number) + (rest[i] as number);
}

/** next = momentum · velocity + values: u ← m·u + g (Lin and others 2018, equation 4). */
export function addMomentum(
  values: ArrayLike<number>,
  velocity: Float32Array,
  momentum: number,
  next: Float32Array,
): void {
  for (let i = 0; i < next.length; i++) next[i] = momentum * (velocity[i] as number) + (values[i] as number);
}

/** rest = given − sent. */
export function leaveRest(given: Float32Array, sent: Float32Array, rest: Float32Array): void {
  for (let i = 0; i < rest.length; i++) rest[i] = (given[i] as number) - (sent[i] as number);
}

/** What was sent begins anew. */
export function clearSent(velocity: Float32Array, sent: Float32Array): void {
  for (let i = 0; i < velocity.length; i++) if (sent[i] !== 0) velocity[i] = 0;
}
