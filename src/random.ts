import { InvalidOptionError, MalformedDataError } from './errors.ts';
import { show } from './show.ts';

/** A seeded source of random numbers whose state can be saved and restored. */
export interface Random {
  /** The next number, uniform in [0, 1), with 32 random bits. */
  next(): number;
  /** The whole state: four unsigned 32-bit integers. */
  getState(): RandomState;
  /** Continues from a saved state. */
  setState(state: RandomState): void;
}

/** State of the generator: four unsigned 32-bit integers, not all 0. */
export type RandomState = readonly [number, number, number, number];

/** Spreads a seed over 32 bits (SplitMix32; Steele, Lea and Flood 2014, with the constants of MurmurHash3). */
function splitMix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}

const rotateLeft = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/**
 * xoshiro128** (Blackman and Vigna 2021). `stream` gives independent sequences for one seed, so that
 * initialisation and shuffling do not disturb each other. Throws InvalidOptionError unless the seed is an integer.
 */
export function seededRandom(seed: number, stream = 0): Random {
  if (!Number.isSafeInteger(seed)) throw new InvalidOptionError(`seed is ${seed}, expected an integer`);
  // Both words of the seed, and the stream, are hashed one after the other: -k and k - 1 must not meet.
  const low = splitMix32(seed)();
  const high = splitMix32(low ^ Math.floor(seed / 2 ** 32))();
  const mix = splitMix32(high ^ Math.imul(stream + 1, 0x27d4eb2f));
  const s = new Uint32Array([mix(), mix(), mix(), mix()]);
  return {
    next() {
      const result = Math.imul(rotateLeft(Math.imul(s[1] as number, 5), 7), 9) >>> 0;
      const shifted = (s[1] as number) << 9;
      s[2] = (s[2] as number) ^ (s[0] as number);
      s[3] = (s[3] as number) ^ (s[1] as number);
      s[1] = (s[1] as number) ^ (s[2] as number);
      s[0] = (s[0] as number) ^ (s[3] as number);
      s[2] = (s[2] as number) ^ shifted;
      s[3] = rotateLeft(s[3] as number, 11);
      return result / 2 ** 32;
    },
    getState: () => [s[0] as number, s[1] as number, s[2] as number, s[3] as number],
    setState(state) {
      const legal =
        Array.isArray(state) &&
        state.length === 4 &&
        state.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32);
      if (!legal || state.every((word) => word === 0)) {
        throw new MalformedDataError(
          `random state is ${show(state)}, expected four unsigned 32-bit integers`,
        );
      }
      s.set(state);
    },
  };
}

/** A source that nobody can foresee, from the platform's own. */
export function platformRandom(): Random {
  const random = seededRandom(0);
  const state = crypto.getRandomValues(new Uint32Array(4));
  // All zeros is the one state that there must not be.
  state[0] = (state[0] as number) | 1;
  random.setState([...state] as unknown as RandomState);
  return random;
}

/** A name that no other is likely to have: 32 hexadecimal digits. */
export function randomName(random: Random): string {
  const word = (): string =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return word() + word() + word() + word();
}

/** A normal number with mean 0 and standard deviation 1 (Box and Muller 1958). */
export function standardNormal(random: Random): number {
  // 1 − u is in (0, 1], so that the logarithm is finite.
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Shares that add up to 1, from a Dirichlet distribution: gamma variables over their sum. */
export function drawDirichlet(alpha: ArrayLike<number>, random: Random): number[] {
  // Logarithms: with a small alpha the variables themselves are too small for any number.
  const logs = Array.from(alpha, (shape) => drawLogGamma(shape, random));
  const most = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - most));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** The logarithm of a gamma variable of rate 1 (Marsaglia and Tsang 2000; below 1 by their section 6). */
export function drawLogGamma(shape: number, random: Random): number {
  if (shape < 1) return drawLogGamma(shape + 1, random) + Math.log(1 - random.next()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = standardNormal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v))
      return Math.log(d * v);
  }
}

/** Puts the entries in random order, in place (Fisher and Yates). */
export function shuffle<T extends { length: number; [index: number]: number }>(
  entries: T,
  random: Random,
): T {
  for (let last = entries.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1));
    const held = entries[last] as number;
    entries[last] = entries[other] as number;
    entries[other] = held;
  }
  return entries;
}
