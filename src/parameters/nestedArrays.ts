import { MalformedDataError } from '../errors.ts';
import { show } from '../show.ts';

/** Numbers nested as deep as a tensor has axes. A lone number is a tensor without axes. */
export type NestedArray = number | readonly NestedArray[];

/** The shape of a nested array; throws MalformedDataError where it is ragged or holds no numbers. */
export function shapeOf(nested: NestedArray, name: string): number[] {
  const shape: number[] = [];
  let level: NestedArray = nested;
  while (typeof level !== 'number') {
    if (!isArrayLike(level))
      throw new MalformedDataError(`tensor ${name} holds ${show(level)}, expected numbers`);
    shape.push(level.length);
    if (level.length === 0) break;
    level = level[0] as NestedArray;
  }
  return shape;
}

/** Writes a nested array of the given shape into `target` from `offset`; returns the offset behind it. */
export function flattenInto(
  target: { [index: number]: number },
  offset: number,
  nested: NestedArray,
  shape: readonly number[],
  name: string,
): number {
  const [length, ...rest] = shape;
  if (length === undefined) {
    if (typeof nested !== 'number')
      throw new MalformedDataError(`tensor ${name} holds ${show(nested)}, expected a number`);
    target[offset] = nested;
    return offset + 1;
  }
  if (!isArrayLike(nested) || nested.length !== length) {
    const got = isArrayLike(nested) ? `a row of ${nested.length}` : show(nested);
    throw new MalformedDataError(`tensor ${name} is ragged: got ${got}, expected a row of ${length}`);
  }
  let next = offset;
  for (const entry of nested) next = flattenInto(target, next, entry, rest, name);
  return next;
}

/** The nested form of `values` from `offset`. */
export function nest(values: ArrayLike<number>, offset: number, shape: readonly number[]): NestedArray {
  const [length, ...rest] = shape;
  if (length === undefined) return values[offset] as number;
  const stride = rest.reduce((product, axis) => product * axis, 1);
  return Array.from({ length }, (_, index) => nest(values, offset + index * stride, rest));
}

function isArrayLike(value: unknown): value is readonly NestedArray[] {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array;
}
