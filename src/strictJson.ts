// Readers for JSON that a stranger sent. Each throws MalformedDataError saying what was got and expected.
import { MalformedDataError } from './errors.ts';
import { show } from './show.ts';

/** An object that is no list. */
export function requireObject(value: unknown, what: string): { readonly [key: string]: unknown } {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as { readonly [key: string]: unknown };
  throw new MalformedDataError(`${what} is ${show(value)}, expected an object`);
}

/** An object whose `format` is the expected one. */
export function requireFormat(value: unknown, format: string): { readonly [key: string]: unknown } {
  const form = requireObject(value, `JSON of ${format}`);
  if (form.format === format) return form;
  throw new MalformedDataError(`expected JSON of format ${format}, got ${show(form.format)}`);
}

/** A list of at most `lengthMax` entries, or of exactly `length`. */
export function requireList(
  value: unknown,
  what: string,
  lengths: { length?: number; lengthMax?: number },
): readonly unknown[] {
  const { length, lengthMax = Number.POSITIVE_INFINITY } = lengths;
  if (!Array.isArray(value)) throw new MalformedDataError(`${what} is ${show(value)}, expected a list`);
  if (length !== undefined && value.length !== length)
    throw new MalformedDataError(`${what} has ${value.length} entries, expected ${length}`);
  if (value.length > lengthMax)
    throw new MalformedDataError(`${what} has ${value.length} entries, expected at most ${lengthMax}`);
  return value;
}

/** A finite number, at least `minimum`. */
export function requireNumber(
  value: unknown,
  what: string,
  minimum: number = Number.NEGATIVE_INFINITY,
): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return value;
  const bound = minimum === Number.NEGATIVE_INFINITY ? '' : `, ${minimum} or more`;
  throw new MalformedDataError(`${what} is ${show(value)}, expected a finite number${bound}`);
}

/** Finite numbers, exactly `length` of them. */
export function requireNumbers(value: unknown, what: string, length: number): readonly number[] {
  return requireList(value, what, { length }).map((entry, index) =>
    requireNumber(entry, `${what}[${index}]`),
  );
}

/** A whole number from `minimum` to `maximum`. */
export function requireWhole(value: unknown, what: string, minimum: number, maximum: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum)
    return value as number;
  throw new MalformedDataError(
    `${what} is ${show(value)}, expected a whole number from ${minimum} to ${maximum}`,
  );
}

/** Whole numbers from `minimum` to `maximum`, each greater than the one before. */
export function requireAscending(
  value: unknown,
  what: string,
  minimum: number,
  maximum: number,
): readonly number[] {
  const list = requireList(value, what, { lengthMax: maximum - minimum + 1 });
  let least = minimum;
  return list.map((entry, index) => {
    const whole = requireWhole(entry, `${what}[${index}]`, least, maximum);
    least = whole + 1;
    return whole;
  });
}
