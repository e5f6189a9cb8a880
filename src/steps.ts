/**
 * Work that may be done in slices: either the result at once, or a generator whose every `next()` does a little
 * and which returns the result. Slicing never changes what is computed or in which order.
 */
export type Steps<T> = T | Generator<undefined, T>;

/** How many values a slice of work goes through: about 0.1 ms of a plain loop. */
export const valuesPerSlice = 65_536;

/** Goes through work inside another generator, whether it comes in slices or at once. */
export function* inSteps<T>(work: Steps<T>): Generator<undefined, T> {
  return isSteps(work) ? yield* work : work;
}

/** Does all the work now. */
export function runSteps<T>(work: Steps<T>): T {
  if (!isSteps(work)) return work;
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Calls `work` for consecutive ranges of 0 … length, pausing between them. */
export function* inSlices(
  length: number,
  work: (start: number, end: number) => void,
): Generator<undefined, void> {
  for (let start = 0; start < length; start += valuesPerSlice) {
    work(start, Math.min(length, start + valuesPerSlice));
    if (start + valuesPerSlice < length) yield;
  }
}

/** The same, at once where all of it is one slice: a generator costs more than a small slice of work. */
export function slices(length: number, work: (start: number, end: number) => void): Steps<void> {
  if (length > valuesPerSlice) return inSlices(length, work);
  if (length > 0) work(0, length);
}

/** Goes on with `next` when `work` is done: at once where it comes at once. */
export function andThen<A, B>(work: Steps<A>, next: (value: A) => Steps<B>): Steps<B> {
  return isSteps(work) ? inTurn(work, next) : next(work);
}

function* inTurn<A, B>(work: Generator<undefined, A>, next: (value: A) => Steps<B>): Generator<undefined, B> {
  return yield* inSteps(next(yield* work));
}

/** Whether work comes in slices. */
export function isSteps<T>(work: Steps<T>): work is Generator<undefined, T> {
  return typeof (work as Partial<Generator> | undefined | null)?.next === 'function';
}
