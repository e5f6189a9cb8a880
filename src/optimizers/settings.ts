import { InvalidOptionError } from '../errors.ts';

/** Returns a number below 1 that may be 0: a decay or a momentum. Throws InvalidOptionError. */
export function checkShare(value: number, name: string): number {
  if (Number.isFinite(value) && value >= 0 && value < 1) return value;
  throw new InvalidOptionError(`${name} is ${value}, expected 0 ≤ ${name} < 1`);
}

/** Returns a finite number above 0. Throws InvalidOptionError. */
export function checkPositive(value: number, name: string): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidOptionError(`${name} is ${value}, expected more than 0`);
}
