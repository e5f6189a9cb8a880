/** One operation on the first `count` values of its operands. `out` is none of them. What an operation lacks is ignored. */
export type Loop = (
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  count: number,
) => void;

/** The loop of a function of one number. */
export function each(value: (x: number) => number): Loop {
  return (out, a, _b, _c, count) => {
    for (let i = 0; i < count; i++) out[i] = value(a[i] as number);
  };
}

/** The loop of a function of two numbers. */
export function eachPair(value: (x: number, y: number) => number): Loop {
  return (out, a, b, _c, count) => {
    for (let i = 0; i < count; i++) out[i] = value(a[i] as number, b[i] as number);
  };
}

// The loops below are written out: one that all functions share cannot be inlined into.

export function addLoop(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  _: unknown,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[i] = (a[i] as number) + (b[i] as number);
}

export function subtractLoop(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  _: unknown,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[i] = (a[i] as number) - (b[i] as number);
}

export function multiplyLoop(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  _: unknown,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[i] = (a[i] as number) * (b[i] as number);
}

export function divideLoop(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  _: unknown,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[i] = (a[i] as number) / (b[i] as number);
}

export function negateLoop(
  out: Float64Array,
  a: Float64Array,
  _b: unknown,
  _c: unknown,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[i] = -(a[i] as number);
}

export function maxLoop(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  _: unknown,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[i] = Math.max(a[i] as number, b[i] as number);
}

export function minLoop(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  _: unknown,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[i] = Math.min(a[i] as number, b[i] as number);
}

/** Neither 0 nor NaN. */
export function isTrue(x: number): boolean {
  return x < 0 || x > 0;
}

export function chooseLoop(
  out: Float64Array,
  condition: Float64Array,
  a: Float64Array,
  b: Float64Array,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[i] = (isTrue(condition[i] as number) ? a[i] : b[i]) as number;
}
