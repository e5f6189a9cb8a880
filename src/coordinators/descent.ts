import type { DataType, Values } from '../parameters/values.ts';

/** Brings every double into the range of floats, and leaves what is not finite so. */
const doublesToFloats = 2 ** -900;

/**
 * next ← θ − η g: a step of GradientDescent, with the same bits, that needs no copy of θ. True where all of it is finite as
 * numbers of `dtype`; false where it may not be. All arrays are equally long.
 */
export function descend(
  next: Float64Array,
  values: Float64Array,
  { gradient, learningRate, dtype }: { gradient: Values; learningRate: number; dtype: DataType },
): boolean {
  const scale = dtype === 'float32' ? 1 : doublesToFloats;
  const sum =
    gradient instanceof Float32Array
      ? descendByFloats(next, values, gradient, learningRate, scale)
      : descendByDoubles(next, values, gradient, learningRate, scale);
  return Number.isFinite(sum);
}

// Both return the sum of the results as floats: with a NaN or an Infinity in it it is not finite, and as many floats as
// there are never add up to one. Four chains in one pass: a step and a check by themselves take twice as long. The loop is
// written twice: one that has met both kinds of array takes twice as long for either.

function descendByFloats(
  next: Float64Array,
  values: Float64Array,
  gradient: Float32Array,
  rate: number,
  scale: number,
): number {
  const whole = next.length - (next.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    const first = (values[i] as number) - rate * (gradient[i] as number);
    const second = (values[i + 1] as number) - rate * (gradient[i + 1] as number);
    const third = (values[i + 2] as number) - rate * (gradient[i + 2] as number);
    const fourth = (values[i + 3] as number) - rate * (gradient[i + 3] as number);
    next[i] = first;
    next[i + 1] = second;
    next[i + 2] = third;
    next[i + 3] = fourth;
    a += Math.fround(first * scale);
    b += Math.fround(second * scale);
    c += Math.fround(third * scale);
    d += Math.fround(fourth * scale);
  }
  for (let i = whole; i < next.length; i++) {
    const last = (values[i] as number) - rate * (gradient[i] as number);
    next[i] = last;
    a += Math.fround(last * scale);
  }
  return a + b + (c + d);
}

function descendByDoubles(
  next: Float64Array,
  values: Float64Array,
  gradient: Float64Array,
  rate: number,
  scale: number,
): number {
  const whole = next.length - (next.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    const first = (values[i] as number) - rate * (gradient[i] as number);
    const second = (values[i + 1] as number) - rate * (gradient[i + 1] as number);
    const third = (values[i + 2] as number) - rate * (gradient[i + 2] as number);
    const fourth = (values[i + 3] as number) - rate * (gradient[i + 3] as number);
    next[i] = first;
    next[i + 1] = second;
    next[i + 2] = third;
    next[i + 3] = fourth;
    a += Math.fround(first * scale);
    b += Math.fround(second * scale);
    c += Math.fround(third * scale);
    d += Math.fround(fourth * scale);
  }
  for (let i = whole; i < next.length; i++) {
    const last = (values[i] as number) - rate * (gradient[i] as number);
    next[i] = last;
    a += Math.fround(last * scale);
  }
  return a + b + (c + d);
}
