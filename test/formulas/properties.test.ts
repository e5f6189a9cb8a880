import fc from 'fast-check';
import { compileFormula } from 'mainstem/formulas';
import { expect, it } from 'vitest';
import { erf } from '../../src/kernels/erf.ts';
import { math } from './support.ts';

/** Texts of legal formulas in x and y that mathjs knows too. */
const { formula } = fc.letrec<{ formula: string }>((tie) => {
  const inner = tie('formula');
  const operator = fc.constantFrom(
    '+',
    '-',
    '*',
    '/',
    '^',
    '%',
    '<',
    '<=',
    '>',
    '>=',
    '==',
    '!=',
    'and',
    'or',
  );
  const name = fc.constantFrom(
    ...[
      'abs',
      'acos',
      'acosh',
      'asin',
      'asinh',
      'atan',
      'atanh',
      'cbrt',
      'ceil',
      'cos',
      'cosh',
      'erf',
      'exp',
    ],
    ...[
      'expm1',
      'floor',
      'log',
      'log10',
      'log1p',
      'log2',
      'round',
      'sign',
      'sin',
      'sinh',
      'sqrt',
      'tan',
      'tanh',
    ],
  );
  return {
    formula: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('x', 'y', 'pi', 'e', 'tau'),
      fc.integer({ min: 0, max: 20 }).map((tenths) => String(tenths / 4)),
      fc.tuple(inner, operator, inner).map(([a, sign, b]) => `(${a}) ${sign} (${b})`),
      fc.tuple(fc.constantFrom('x', 'y', '2'), operator, inner).map(([a, sign, b]) => `${a} ${sign} ${b}`),
      fc.tuple(fc.constantFrom('-', '+', 'not '), inner).map(([sign, a]) => `${sign}(${a})`),
      fc.tuple(name, inner).map(([f, a]) => `${f}(${a})`),
      fc.tuple(fc.constantFrom('max', 'min', 'hypot'), inner, inner).map(([f, a, b]) => `${f}(${a}, ${b})`),
      fc.tuple(fc.constantFrom('pow', 'atan2'), inner, inner).map(([f, a, b]) => `${f}(${a}, ${b})`),
      fc.tuple(inner, inner, inner).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
      fc.tuple(inner, inner, inner).map(([a, b, c]) => `(${a}) < (${b}) <= (${c})`),
      inner.map((a) => `2 (${a}) x`),
    ),
  };
});
const place = fc.integer({ min: -24, max: 24 }).map((eighths) => eighths / 8);
const variables = ['x', 'y'];

/** A power that mathjs takes by an odd root where the exponent is nearly a fraction: NaN here. */
function isOddRoot(node: math.MathNode, scope: { x: number; y: number }): boolean {
  const { fn, args } = node as unknown as { fn?: { name?: string } | string; args?: math.MathNode[] };
  if (fn !== 'pow' && (fn as { name?: string } | undefined)?.name !== 'pow') return false;
  const [base, exponent] = args!.map((arg) => Number(arg.evaluate({ ...scope })));
  return base! < 0 && !Number.isInteger(exponent);
}

/** mathjs's result; undefined where it has none that is a real number, in the whole or in a part. */
function theirs(text: string, scope: { x: number; y: number }): number | undefined {
  const parts: unknown[] = [];
  try {
    const tree = math.parse(text);
    tree.traverse((node) => {
      const part: unknown = node.evaluate({ ...scope });
      if (typeof part !== 'function') parts.push(isOddRoot(node, scope) ? undefined : part);
    });
    const isReal = parts.every((part) => Number.isFinite(Number(part)));
    return isReal ? Number(parts[0]) : undefined;
  } catch {
    return undefined;
  }
}

it('random formulas give what mathjs gives, wherever that is real', () => {
  let compared = 0;
  fc.assert(
    fc.property(formula, place, place, (text, x, y) => {
      fc.pre(text.length < 400);
      const ours = compileFormula(text, { variables }).evaluate({ x, y });
      const expected = theirs(text, { x, y });
      if (expected === undefined) return;
      const tolerance = 1e-9 * Math.max(1, Math.abs(expected));
      // A rounding before a step (floor, ==, %) may be on either side of it: only steps on exact values are compared.
      if (/floor|ceil|round|%|[<>=!?]|sign|and|or|not/.test(text) && !isExact(text)) return;
      compared++;
      expect(
        Math.abs(ours - expected),
        `${text} at ${x}, ${y}: ${ours}, mathjs ${expected}`,
      ).toBeLessThanOrEqual(tolerance);
    }),
    { numRuns: 4000, seed: 7 },
  );
  expect(compared).toBeGreaterThan(1500);
});

/** No operation in it rounds, at the places above. */
function isExact(text: string): boolean {
  return !/[a-z]{2}\w*\(|pi|tau|e\b|\/|\^|\d\.\d/.test(
    text.replace(/floor|ceil|round|sign|abs|max|min|not/g, ''),
  );
}

it('evaluating arrays is evaluating each place', () => {
  fc.assert(
    fc.property(formula, fc.array(place, { minLength: 1, maxLength: 9 }), place, (text, xs, y) => {
      fc.pre(text.length < 400);
      const compiled = compileFormula(text, { variables });
      const all = compiled.evaluateAll({ x: Float64Array.from(xs), y });
      expect([...all]).toEqual(xs.map((x) => compiled.evaluate({ x, y })).slice(0, all.length));
    }),
    { numRuns: 300, seed: 11 },
  );
});

it('erf is right to 1e-15', () => {
  // Abramowitz and Stegun 1964, table 7.1, and DLMF 7.8 for the far end.
  const table: [number, number][] = [
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [1e-300, 1e-300 * 1.1283791670955126],
    [7, 1],
    [Infinity, 1],
  ];
  for (const [x, value] of table) {
    expect(Math.abs(erf(x) - value)).toBeLessThanOrEqual(4e-16 * value);
    expect(erf(-x)).toBe(-erf(x));
  }
  expect(erf(Number.NaN)).toBeNaN();
  for (let x = -7; x <= 7; x += 0.01) expect(Math.abs(erf(x) - Number(math.erf(x)))).toBeLessThan(1e-15);
});
