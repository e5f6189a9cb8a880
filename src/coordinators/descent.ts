import type { Values } from '../parameters/values.ts';

/**
 * next ← θ − η g from `start` to before `end`, where `gradient` begins at `start`: a step of GradientDescent that needs no
 * copy of θ. The same bits as that of the optimizer.
 */
export function descend(
  next: Float64Array,
  values: Float64Array,
  { gradient, learningRate }: { gradient: Values; learningRate: number },
  [start, end]: readonly [number, number],
): void {
  const [to, from] = [next.subarray(start, end), values.subarray(start, end)];
  if (gradient instanceof Float32Array) descendFloats(to, from, gradient, learningRate);
  else descendDoubles(to, from, gradient, learningRate);
}

// The loop is written twice: one that has met both kinds of array takes twice as long for either.

function descendFloats(next: Float64Array, values: Float64Array, gradient: Float32Array, rate: number): void {
  for (let i = 0; i < next.length; i++) {
    next[i] = (values[i] as number) - rate * (gradient[i] as number);
  }
}

function descendDoubles(
  next: Float64Array,
  values: Float64Array,
  gradient: Float64Array,
  rate: number,
): void {
  for (let i = 0; i < next.length; i++) {
    next[i] = (values[i] as number) - rate * (gradient[i] as number);
  }
}
