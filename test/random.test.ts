import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError, MalformedDataError } from '../src/errors.ts';
import { seededRandom, shuffle, standardNormal } from '../src/random.ts';

const draw = (seed: number, stream?: number, count = 8): number[] => {
  const random = seededRandom(seed, stream);
  return Array.from({ length: count }, () => random.next());
};

/** Mean and variance of a list. */
function moments(list: readonly number[]): { mean: number; variance: number } {
  const mean = list.reduce((sum, v) => sum + v, 0) / list.length;
  return { mean, variance: list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length };
}

describe('seededRandom', () => {
  it('is xoshiro128**', () => {
    const random = seededRandom(0);
    random.setState([1, 2, 3, 4]);
    // By hand: rotl(2·5, 7)·9 = 11520; then s = [7, 0, 1026, 12288], so 0; then s[1] = 7 ^ 0 ^ 1026 … .
    expect(random.next() * 2 ** 32).toBe(11520);
    expect(random.getState()).toEqual([7, 0, 1026, 12288]);
    expect(random.next()).toBe(0);
    expect(random.next() * 2 ** 32).toBe(5927040);
  });

  it('is uniform in [0, 1)', () => {
    const list = draw(1, 0, 100_000);
    const { mean, variance } = moments(list);
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.004);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.001);
    expect(list.every((v) => v >= 0 && v < 1)).toBe(true);
    const bins = new Array<number>(10).fill(0);
    for (const v of list) bins[Math.floor(v * 10)]!++;
    for (const count of bins) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    const serial = moments(list.slice(1).map((v, i) => (v - 0.5) * (list[i]! - 0.5))).mean;
    expect(Math.abs(serial)).toBeLessThan(0.001);
  });

  it('repeats for the same seed and stream only', () => {
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5, 0)).toEqual(draw(5));
    const all = [draw(5), draw(6), draw(5, 1), draw(5, 2), draw(6, 1), draw(2 ** 32 + 5), draw(2 ** 53 - 1)];
    expect(new Set(all.flat()).size).toBe(all.length * 8);
  });

  it('tells every small seed from every other, negative ones too', () => {
    const first = Array.from({ length: 201 }, (_, i) => draw(i - 100, 0, 4).join());
    expect(new Set(first).size).toBe(201);
  });

  it('continues from a saved state', () => {
    const random = seededRandom(3);
    random.next();
    const state = random.getState();
    const wanted = [random.next(), random.next()];
    const other = seededRandom(99);
    other.setState(JSON.parse(JSON.stringify(state)));
    expect([other.next(), other.next()]).toEqual(wanted);
    expect(state.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)).toBe(true);
  });

  it.each([
    [[0, 0, 0, 0]],
    [[1, 2, 3]],
    [[1, 2, 3, 4, 5]],
    [[-1, 2, 3, 4]],
    [[1, 2, 3, 2 ** 32]],
    [[0.5, 1, 1, 1]],
    [['1', 1, 1, 1]],
    [null],
    [undefined],
  ])('refuses the state %o', (state) => {
    const random = seededRandom(3);
    const before = random.getState();
    expect(() => random.setState(state as never)).toThrow(MalformedDataError);
    expect(random.getState()).toEqual(before);
  });

  it.each([
    0.5,
    Number.NaN,
    Infinity,
    2 ** 53,
    '1' as never,
    undefined as never,
  ])('refuses the seed %o', (seed) => {
    expect(() => seededRandom(seed)).toThrow(InvalidOptionError);
  });
});

it('standardNormal is normal', () => {
  const random = seededRandom(2);
  const list = Array.from({ length: 100_000 }, () => standardNormal(random));
  const { mean, variance } = moments(list);
  expect(Math.abs(mean)).toBeLessThan(0.012);
  expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  expect(Math.abs(moments(list.map((v) => v ** 4)).mean - 3)).toBeLessThan(0.15);
  const share = list.filter((v) => Math.abs(v) < 1).length / list.length;
  expect(Math.abs(share - 0.6827)).toBeLessThan(0.006);
  expect(Number.isFinite(standardNormal({ ...random, next: () => 0 }))).toBe(true);
});

describe('shuffle', () => {
  it('is a permutation, in place, fixed by the seed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (list, seed) => {
        const shuffled = [...list];
        expect(shuffle(shuffled, seededRandom(seed))).toBe(shuffled);
        expect([...shuffled].sort((a, b) => a - b)).toEqual([...list].sort((a, b) => a - b));
        expect(shuffle([...list], seededRandom(seed))).toEqual(shuffled);
      }),
      { seed: 1 },
    );
  });

  it('gives every order equally often', () => {
    const random = seededRandom(4);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffle(Int32Array.of(0, 1, 2), random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
