import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bernoulli } from '../../../src/models/bayesian/families/Bernoulli.ts';
import { Beta } from '../../../src/models/bayesian/families/Beta.ts';
import { DiagonalGaussian } from '../../../src/models/bayesian/families/DiagonalGaussian.ts';
import { Dirichlet } from '../../../src/models/bayesian/families/Dirichlet.ts';
import { Gamma } from '../../../src/models/bayesian/families/Gamma.ts';
import { Gaussian } from '../../../src/models/bayesian/families/Gaussian.ts';
import { NormalInverseGamma } from '../../../src/models/bayesian/families/NormalInverseGamma.ts';
import { VectorGaussian } from '../../../src/models/bayesian/families/VectorGaussian.ts';
import type { Random } from '../../../src/random.ts';
import { seededRandom, standardNormal } from '../../../src/random.ts';

/** Whichever family. */
interface Any {
  readonly family: string;
  readonly natural: Float64Array<ArrayBuffer>;
  multiply(other: Any): Any;
  divide(other: Any): Any;
  power(exponent: number): Any;
  addScaled(other: Any, factor: number): Any;
  kullbackLeibler(other: Any): number;
  expectedStatistics(): Float64Array;
}

/** A proper one of each family, from a seed. */
const families: [string, (random: Random) => unknown, () => unknown][] = [
  ['Gaussian', (random) => Gaussian.of(standardNormal(random), 0.1 + 3 * random.next()), Gaussian.uniform],
  ['VectorGaussian', (random) => vector(random, 3), () => VectorGaussian.uniform(3)],
  [
    'DiagonalGaussian',
    (random) =>
      DiagonalGaussian.of(
        [standardNormal(random), standardNormal(random)],
        [0.1 + random.next(), 1 + random.next()],
      ),
    () => DiagonalGaussian.uniform(2),
  ],
  ['Gamma', (random) => Gamma.of(0.2 + 4 * random.next(), 0.1 + 3 * random.next()), Gamma.uniform],
  ['Beta', (random) => Beta.of(0.2 + 4 * random.next(), 0.2 + 4 * random.next()), Beta.uniform],
  [
    'Dirichlet',
    (random) => Dirichlet.of([1, 2, 3].map((x) => 0.1 + x * random.next())),
    () => Dirichlet.uniform(3),
  ],
  ['Bernoulli', (random) => Bernoulli.of(0.02 + 0.96 * random.next()), Bernoulli.uniform],
  [
    'NormalInverseGamma',
    (random) => {
      const { mean, precision } = vector(random, 2);
      return NormalInverseGamma.of({
        mean,
        precision,
        shape: 1.5 + 3 * random.next(),
        rate: 0.5 + random.next(),
      });
    },
    () => NormalInverseGamma.uniform(2),
  ],
];

function vector(random: Random, size: number): VectorGaussian {
  const root = Array.from({ length: size * size }, () => standardNormal(random));
  const covariance = Array.from({ length: size * size }, (_, at) => {
    const [r, c] = [Math.floor(at / size), at % size];
    let sum = r === c ? 0.3 : 0;
    for (let k = 0; k < size; k++) sum += root[r * size + k]! * root[c * size + k]!;
    return sum;
  });
  return VectorGaussian.of(
    Array.from({ length: size }, () => standardNormal(random)),
    covariance,
  );
}

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, digits = 12): void {
  expect(got).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++) expect(got[i]).toBeCloseTo(expected[i]!, digits);
}

describe.each(families)('%s', (_, draw, uniform) => {
  const seeds = fc.integer({ min: 0, max: 1e6 });
  const three = (seed: number): Any[] => {
    const random = seededRandom(seed);
    return [0, 1, 2].map(() => draw(random) as Any);
  };

  it('property: products commute and associate, ratios undo them, powers add, and uniform is the one', () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: -3, max: 3, noNaN: true }), (seed, exponent) => {
        const [a, b, c] = three(seed) as [Any, Any, Any];
        expect(Array.from(a.multiply(b).natural)).toEqual(Array.from(b.multiply(a).natural));
        expectClose(a.multiply(b).multiply(c).natural, a.multiply(b.multiply(c)).natural, 9);
        expectClose(a.multiply(b).divide(b).natural, a.natural, 9);
        expectClose(a.power(exponent).multiply(a.power(1 - exponent)).natural, a.natural, 9);
        expect(Array.from(a.multiply(uniform() as Any).natural)).toEqual(Array.from(a.natural));
        expectClose(a.power(0).natural, (uniform() as Any).natural.map(Math.abs));
        expectClose(a.addScaled(b, -0.5).natural, a.divide(b.power(0.5)).natural, 9);
      }),
      { numRuns: 50 },
    );
  });

  it('property: KL is 0 of the same, above 0 else, and that of its definition', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [a, b] = three(seed) as [Any, Any];
        expect(a.kullbackLeibler(a)).toBeLessThan(1e-12);
        expect(a.kullbackLeibler(b)).toBeGreaterThan(0);
      }),
      { numRuns: 50 },
    );
  });

  it('expected statistics are the derivatives of the partition', () => {
    const [a] = three(5) as [Any];
    const step = 1e-5;
    const at = (place: number, by: number): number => {
      const natural = a.natural.slice();
      natural[place] = natural[place]! + by;
      // A matrix stays symmetric: both halves of it move.
      const mirror = mirrorOf(a, place);
      if (mirror !== place) natural[mirror] = natural[mirror]! + by;
      return (a as unknown as { withNatural(natural: Float64Array): { logPartition(): number } })
        .withNatural(natural)
        .logPartition();
    };
    const statistics = a.expectedStatistics();
    for (let place = 0; place < statistics.length; place++) {
      const slope = (at(place, step) - at(place, -step)) / (2 * step);
      const mirror = mirrorOf(a, place);
      const expected = statistics[place]! + (mirror === place ? 0 : statistics[mirror]!);
      expect(slope).toBeCloseTo(expected, 6);
    }
  });

  it('refuses what is not finite, and another family', () => {
    const [a] = three(1) as [Any];
    expect(() => a.power(Number.NaN)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    expect(() => a.power(1e308).power(1e308)).toThrow(expect.objectContaining({ code: 'NON_FINITE' }));
    const other = a.family === 'gaussian' ? Beta.uniform() : Gaussian.uniform();
    expect(() => a.multiply(other as never)).toThrow(expect.objectContaining({ code: 'LAYOUT_MISMATCH' }));
  });
});

/** The place of the same number in the other half of a symmetric matrix. */
function mirrorOf(a: unknown, place: number): number {
  const { dimension } = a as { dimension?: number };
  if (
    dimension === undefined ||
    a instanceof DiagonalGaussian ||
    place < dimension ||
    place >= dimension + dimension ** 2
  )
    return place;
  const at = place - dimension;
  return dimension + (at % dimension) * dimension + Math.floor(at / dimension);
}

describe('closed forms', () => {
  it('mean and variance', () => {
    expect([Gaussian.of(2, 3).mean, Gaussian.of(2, 3).variance]).toEqual([2, 3]);
    expect([Gamma.of(3, 2).mean, Gamma.of(3, 2).variance]).toEqual([1.5, 0.75]);
    expect(Beta.of(2, 3).mean).toBeCloseTo(0.4, 15);
    expect(Beta.of(2, 3).variance).toBeCloseTo(0.04, 15);
    expectClose(Dirichlet.of([1, 2, 5]).mean, [1 / 8, 2 / 8, 5 / 8]);
    expectClose(Dirichlet.of([1, 3]).variance, [Beta.of(1, 3).variance, Beta.of(1, 3).variance]);
    expect(Bernoulli.of(0.3).mean).toBeCloseTo(0.3, 15);
    expect(Bernoulli.natural(-800).variance).toBe(0);
    const gaussian = VectorGaussian.of([1, -2], [2, 0.5, 0.5, 1]);
    expectClose(gaussian.mean, [1, -2]);
    expectClose(gaussian.covariance, [2, 0.5, 0.5, 1]);
    expectClose(gaussian.variance, [2, 1]);
    expectClose(DiagonalGaussian.of([1, 2], [3, 4]).mean, [1, 2]);
    expectClose(DiagonalGaussian.of([1, 2], [3, 4]).variance, [3, 4]);
    expect(() => DiagonalGaussian.natural([1], [1, 2])).toThrow('expected as many');
  });

  it('KL of normal distributions', () => {
    const [a, b] = [Gaussian.of(1, 2), Gaussian.of(-0.5, 5)];
    expect(a.kullbackLeibler(b)).toBeCloseTo(0.5 * (2 / 5 + 1.5 ** 2 / 5 - 1 + Math.log(5 / 2)), 12);
    // Independent coordinates: the sum of theirs.
    const [c, d] = [VectorGaussian.of([1, 0], [2, 0, 0, 1]), VectorGaussian.of([-0.5, 1], [5, 0, 0, 3])];
    const second = Gaussian.of(0, 1).kullbackLeibler(Gaussian.of(1, 3));
    expect(c.kullbackLeibler(d)).toBeCloseTo(a.kullbackLeibler(b) + second, 12);
  });

  it('KL by quadrature', () => {
    const integral = (f: (x: number) => number, to: number): number => {
      let sum = 0;
      const steps = 200_000;
      for (let i = 0; i < steps; i++) sum += f(((i + 0.5) * to) / steps);
      return (sum * to) / steps;
    };
    const [p, q] = [Beta.of(2.5, 3), Beta.of(4, 1.5)];
    const beta =
      ({ a, b }: Beta) =>
      (x: number) =>
        x ** (a - 1) * (1 - x) ** (b - 1);
    const normalised = (density: (x: number) => number, to: number) => {
      const whole = integral(density, to);
      return (x: number) => density(x) / whole;
    };
    const [fp, fq] = [normalised(beta(p), 1), normalised(beta(q), 1)];
    expect(p.kullbackLeibler(q)).toBeCloseTo(
      integral((x) => fp(x) * Math.log(fp(x) / fq(x)), 1),
      6,
    );
    const [r, s] = [Gamma.of(2, 1.5), Gamma.of(3.5, 2)];
    const gamma =
      ({ shape, rate }: Gamma) =>
      (x: number) =>
        x ** (shape - 1) * Math.exp(-rate * x);
    const [fr, fs] = [normalised(gamma(r), 60), normalised(gamma(s), 60)];
    expect(r.kullbackLeibler(s)).toBeCloseTo(
      integral((x) => fr(x) * Math.log(fr(x) / fs(x)), 60),
      6,
    );
  });

  it('improper ones have no moments, and say so', () => {
    for (const improper of [Gaussian.uniform(), Gamma.natural(-2, 1), Beta.natural(-1.5, 3)])
      expect(() => improper.mean).toThrow(/improper: it cannot be normalised/);
    expect(VectorGaussian.natural([0, 0], [1, 2, 2, 1]).isProper).toBe(false);
    expect(Dirichlet.of([1, -0.1]).isProper).toBe(false);
    expect(NormalInverseGamma.uniform(2).isProper).toBe(false);
    expect(() => VectorGaussian.of([0, 0], [1, 2, 2, 1])).toThrow('not positive definite');
    expect(() => VectorGaussian.natural([0, 0], [1])).toThrow('2 × 2');
  });
});

describe('samples have the moments of their distribution', () => {
  const count = 40_000;
  const moments = (draw: (random: Random) => number): [number, number] => {
    const random = seededRandom(11);
    const values = Array.from({ length: count }, () => draw(random));
    const mean = values.reduce((sum, x) => sum + x, 0) / count;
    return [mean, values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count];
  };

  it.each<[string, { mean: number; variance: number }, (random: Random) => number]>([
    ['Gaussian', Gaussian.of(1, 4), (random) => Gaussian.of(1, 4).sample(random)],
    ['Gamma below 1', Gamma.of(0.3, 2), (random) => Gamma.of(0.3, 2).sample(random)],
    ['Gamma', Gamma.of(5, 2), (random) => Gamma.of(5, 2).sample(random)],
    ['Beta', Beta.of(0.5, 2), (random) => Beta.of(0.5, 2).sample(random)],
    ['Bernoulli', Bernoulli.of(0.2), (random) => Number(Bernoulli.of(0.2).sample(random))],
    [
      'a coordinate of VectorGaussian',
      Gaussian.of(-2, 1),
      (random) => VectorGaussian.of([1, -2], [2, 0.5, 0.5, 1]).sample(random)[1]!,
    ],
    ['a share of Dirichlet', Beta.of(2, 6), (random) => Dirichlet.of([1, 2, 5]).sample(random)[1]!],
  ])('%s', (_, { mean, variance }, draw) => {
    const [sampleMean, sampleVariance] = moments(draw);
    // Five standard errors.
    expect(Math.abs(sampleMean - mean)).toBeLessThan(5 * Math.sqrt(variance / count));
    expect(Math.abs(sampleVariance / variance - 1)).toBeLessThan(0.1);
  });
});
