import fc from 'fast-check';
import { compileFormula } from 'mainstem/formulas';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/errors.ts';
import { math, ridders, thrownBy } from './support.ts';

const slopeAt = (text: string, x: number): number =>
  compileFormula(text, { variables: ['x'] })
    .derivative('x')
    .evaluate({ x });

/** One formula for each rule, with an interval where it is smooth. */
const smooth: [text: string, from: number, to: number][] = [
  ['3x - x * x / 7', -5, 5],
  ['(x - 3) / (x ^ 2 + 1)', -5, 5],
  ['x ^ 5 - 2 ^ x', -2, 2],
  ['x ^ x', 0.5, 3],
  ['(1 + x ^ 2) ^ (x / 3)', -2, 2],
  ['(x ^ 2 + 20) % 50', -5, 5],
  ['30 % (x + 6.5)', -0.2, 0.2],
  ['abs(x - 9) * x', -5, 5],
  ['acos(x / 2)', -1.5, 1.5],
  ['asin(x / 2)', -1.5, 1.5],
  ['atan(x)', -5, 5],
  ['atan2(x, 2 + x ^ 2)', -3, 3],
  ['sinh(x) - cosh(2x) + tanh(x)', -2, 2],
  ['asinh(x)', -5, 5],
  ['acosh(x)', 1.5, 5],
  ['atanh(x)', -0.8, 0.8],
  ['cbrt(x)', 1, 5],
  ['sin(x) * cos(2x)', -5, 5],
  ['tan(x)', -1, 1],
  ['erf(x)', -3, 3],
  ['exp(-x ^ 2) + expm1(x)', -2, 2],
  ['hypot(x, 3, 2x)', -5, 5],
  ['log(x) + log2(x) - log10(x) + log1p(x)', 0.5, 5],
  ['sqrt(x)', 0.5, 5],
  ['sigmoid(3x) * softplus(-x)', -5, 5],
  ['x > 9 ? x : x < -9 ? 1 : x ^ 3', -5, 5],
  ['max(x ^ 2, x ^ 2 + 1, 0) - min(x, x + 1)', -5, 5],
  ['clamp(x, -9, 9) ^ 2 + relu(x + 9)', -5, 5],
  ['x * floor(x / 100 + 0.3) + ceil(x / 100 + 0.5) + round(x / 100) + sign(x - 9)', -5, 5],
  ['x * (x > -9 and x < 9) + (x >= 9 or not (x <= 9)) * x ^ 2', -5, 5],
  ['0.5 x * (1 + erf(x / sqrt(2)))', -4, 4],
  ['0.5 x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x ^ 3)))', -4, 4],
];

describe('against differences', () => {
  it.each(smooth)('%s', (text, from, to) => {
    const formula = compileFormula(text, { variables: ['x'] });
    const f = (x: number): number => formula.evaluate({ x });
    const derivative = formula.derivative('x');
    for (let i = 0; i <= 40; i++) {
      const x = from + ((to - from) * i) / 40;
      // The best of several first steps: too wide a one meets a pole, too narrow a one only rounding.
      const estimates = [0.2, 0.05, 0.01].map((step) => ridders(f, x, step));
      const { slope } = estimates.reduce((a, b) => (b.error < a.error ? b : a));
      const scale = Math.max(1, Math.abs(slope), Math.abs(f(x)));
      expect(Math.abs(derivative.evaluate({ x }) - slope) / scale, `at ${x}`).toBeLessThan(1e-9);
    }
  });
});

describe('against mathjs', () => {
  const known = smooth
    .map(([text, from, to]) => [text, from, to] as const)
    .filter(([text]) => !/%|clamp|relu|max|hypot|sigmoid|erf|<|>|log1p|floor|expm1|atan2|log2/.test(text));
  it('has enough to compare with', () => {
    expect(known.length).toBeGreaterThan(12);
  });
  it.each(known)('%s', (text, from, to) => {
    const theirs = math.derivative(text, 'x').compile();
    for (let i = 0; i <= 20; i++) {
      const x = from + ((to - from) * (i + 0.3)) / 21;
      const expected = Number(theirs.evaluate({ x }));
      expect(Math.abs(slopeAt(text, x) - expected) / Math.max(1, Math.abs(expected)), `at ${x}`).toBeLessThan(
        1e-12,
      );
    }
  });
});

it('has a number at every kink', () => {
  const kinks: [text: string, x: number, slope: number][] = [
    ['abs(x)', 0, 0],
    ['sign(x)', 0, 0],
    ['relu(x)', 0, 0],
    ['max(x, 0)', 0, 0],
    ['max(0, x)', 0, 1],
    ['min(x, 0)', 0, 0],
    ['clamp(x, -1, 1)', -1, 0],
    ['clamp(x, -1, 1)', 1, 0],
    ['clamp(x, -1, 1)', 0.5, 1],
    ['x > 0 ? log(x) : 0', 0, 0],
    ['x >= 0 ? x : 2x', 0, 1],
    ['x > 0 ? x : 2x', 0, 2],
    ['floor(x)', 2, 0],
    ['round(x)', 0.5, 0],
    ['x ^ 2', 0, 0],
    ['x ^ 1', 0, 1],
    ['x ^ 0', 0, 0],
    ['0 ^ x', 1, 0],
    ['x ^ x', 0, 0],
    ['(x + 0) ^ (x * x)', 0, 0],
    ['hypot(x, 2x)', 0, 0],
    ['3 % x', 0, 0],
    ['5', 1, 0],
    ['sigmoid(x)', -700, Math.exp(-700)],
    ['sigmoid(x)', 700, Math.exp(-700)],
    ['softplus(x)', 800, 1],
  ];
  for (const [text, x, slope] of kinks) {
    expect(Math.abs(slopeAt(text, x) - slope), `${text} at ${x}`).toBeLessThanOrEqual(
      1e-13 * Math.abs(slope),
    );
  }
});

it('takes each variable by itself, and again', () => {
  const formula = compileFormula('x ^ 3 * y', { variables: ['x', 'y', 'z'] });
  const both = formula.derivative('x').derivative('y');
  expect(both.evaluate({ x: 2, y: 7 })).toBe(12);
  expect(both.variables).toEqual(['x']);
  expect(formula.derivative('z').evaluate({})).toBe(0);
  expect(formula.derivative('x').text).toBe('3 * x ^ 2 * y');
  expect(thrownBy(() => formula.derivative('w'))).toBeInstanceOf(InvalidOptionError);
});

it('is written as a text that means the same, bit for bit', () => {
  const inputs = fc.double({ min: -4, max: 4, noNaN: true });
  for (const [text] of smooth) {
    const derivative = compileFormula(text, { variables: ['x'] }).derivative('x');
    const again = compileFormula(derivative.text, { variables: ['x'] });
    expect(again.operationCount).toBe(derivative.operationCount);
    fc.assert(
      fc.property(inputs, (x) => Object.is(again.evaluate({ x }), derivative.evaluate({ x }))),
      { numRuns: 20 },
    );
  }
});
