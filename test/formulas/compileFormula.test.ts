import { compileFormula, FormulaError } from 'mainstem/formulas';
import { describe, expect, it } from 'vitest';
import {
  InvalidDataError,
  InvalidOptionError,
  isMainstemError,
  LimitExceededError,
} from '../../src/errors.ts';
import { at, thrownBy } from './support.ts';

const compile = (text: string) => compileFormula(text, { variables: ['x', 'y'] });

describe('what is refused, and where', () => {
  const refused: [text: string, column: number, message: RegExp][] = [
    ['', 1, /empty/],
    ['x +', 4, /Unexpected end/],
    ['x y )', 5, /no \( for this \)/],
    ['(x + (y)', 1, /no \) for this \(/],
    ['x ? 1', 3, /no : for this \?/],
    ['x + foo(2)', 5, /no function "foo"/],
    ['x + samples', 5, /no variable "samples"; variables are x, y; constants are e, pi, tau/],
    ['2 * sqrt', 5, /sqrt is a function, expected sqrt\(…\)/],
    ['2 * sqrt(x, 1)', 5, /sqrt takes 1 argument, got 2/],
    ['sqrt(sqrt(x) + sqrt(x, y))', 16, /sqrt takes 1 argument, got 2/],
    ['log(x, 2)', 1, /log takes 1 argument, got 2/],
    ['y + clamp(x, 1)', 5, /clamp takes 3 arguments, got 2/],
    ['max()', 1, /max takes at least 1 argument, got 0/],
    ['1 + x(3)', 5, /x is no function; a product is written x \* \(…\)/],
    ['pi(2)', 1, /pi is no function/],
    ['x = 2', 3, /assignments/],
    ['f(x) = x', 1, /no function "f"/],
    ['[1, 2]', 1, /matrices/],
    ['x[1]', 2, /matrices/],
    ['x.y', 2, /properties/],
    ['cos.constructor', 1, /cos is a function/],
    ['"a"', 1, /strings/],
    ["x'", 2, /strings/],
    ['{}', 1, /objects/],
    ['1:10', 2, /ranges/],
    ['x ? (1 : 2) : 3', 8, /ranges/],
    ['x; y', 2, /one expression/],
    ['x!', 2, /factorials/],
    ['x & y', 3, /expected and/],
    ['x << 2', 3, /shifts/],
    ['x ?? y', 3, /\?\?/],
    ['x .* y', 3, /properties/],
    ['2.*x', 2, /properties/],
    ['5 cm', 3, /no variable "cm"/],
    ['2i', 2, /no variable "i"/],
    ['x # y', 3, /comments/],
    ['0x1F', 1, /decimal digits/],
    ['1e400', 1, /too large/],
    ['x % % y', 5, /expected a value before %/],
    ['%(x, y)', 1, /expected a value before %/],
    ['and(x, y)', 1, /expected a value before and/],
    ['5%', 3, /Unexpected end/],
    ['x % y % * 2', 9, /Value expected/],
    ['x ** 2', 4, /Value expected/],
    ['x é', 3, /"é" means nothing here/],
    ['x\n+ z', 5, /no variable "z"/],
    ['NaN + 1', 1, /no variable "NaN"/],
    ['true', 1, /no variable "true"/],
    ['x xor y', 3, /no variable "xor"/],
    ['x not y', 3, /not/],
  ];
  it.each(refused)('%j at column %i', (text, column, message) => {
    const error = thrownBy(() => compile(text));
    expect(error).toBeInstanceOf(FormulaError);
    expect(isMainstemError(error)).toBe(true);
    expect((error as FormulaError).message).toMatch(message);
    expect((error as FormulaError).column).toBe(column);
  });

  it('shows the place with a caret', () => {
    const { message } = thrownBy(() => compile('x +\tfoo(2)')) as FormulaError;
    expect(message.split('\n').slice(1)).toEqual(['  x + foo(2)', '      ^']);
  });

  it('refuses what is no text', () => {
    for (const text of [undefined, null, 5, ['x'], { toString: () => 'x' }]) {
      expect(thrownBy(() => compile(text as string))).toBeInstanceOf(FormulaError);
    }
  });

  it('refuses what is too long or nested too deeply', () => {
    const texts: [string, RegExp][] = [
      [`x${' '.repeat(2000)}`, /2001 characters, 2000/],
      [`${'('.repeat(65)}x${')'.repeat(65)}`, /64 parentheses and conditionals/],
      ['x ? 1 : '.repeat(65).concat('2'), /64 parentheses and conditionals/],
      ['-'.repeat(1999).concat('x'), /nested too deeply/],
      ['x^'.repeat(999).concat('x'), /nested too deeply/],
      ['x '.repeat(999), /nested too deeply/],
      ['('.repeat(10_000), /10000 characters/],
    ];
    for (const [text, message] of texts) {
      const error = thrownBy(() => compile(text));
      expect(error).toBeInstanceOf(FormulaError);
      expect((error as FormulaError).message).toMatch(message);
    }
    expect(compile(`${'('.repeat(64)}x${')'.repeat(64)}`).evaluate({ x: 3, y: 0 })).toBe(3);
    expect(compile('x ? 1 : '.repeat(64).concat('2')).evaluate({ x: 0 })).toBe(2);
    expect(compile('+x'.repeat(400).slice(1)).evaluate({ x: 1 })).toBe(400);
  });

  it('does not parse a % inside a % twice: 2 to the power of 60 attempts would not end', () => {
    let expected = 4;
    for (let i = 0; i < 60; i++) expected = expected === 0 ? 7 : 7 % expected;
    expect(compile('7%('.repeat(60).concat('4', ')'.repeat(60))).evaluate({})).toBe(expected);
  });

  it('refuses illegal variables and options', () => {
    for (const variables of ['x', ['2x'], [''], ['_x'], ['é'], ['x.y'], ['pi'], ['and'], ['mod'], [5]]) {
      expect(thrownBy(() => compileFormula('1', { variables: variables as string[] }))).toBeInstanceOf(
        InvalidOptionError,
      );
    }
    const many = Array.from({ length: 65 }, (_, index) => `v${index}`);
    expect(thrownBy(() => compileFormula('1', { variables: many }))).toBeInstanceOf(InvalidOptionError);
    expect(thrownBy(() => compileFormula('1', { variables: ['x'.repeat(65)] }))).toBeInstanceOf(
      InvalidOptionError,
    );
    expect(thrownBy(() => compileFormula('1', { names: ['x'] } as object))).toBeInstanceOf(
      InvalidOptionError,
    );
  });
});

describe('evaluate', () => {
  const values: [string, number, number][] = [
    ['2x^2 + 3(x - 1)', 4, 41],
    ['-x^2', 3, -9],
    ['2^-x', 1, 0.5],
    ['2^3^x', 2, 512],
    ['x % 3', -1, 2],
    ['x % 0', 7, 7],
    ['1 < x < 3', 2, 1],
    ['1 < x < 3', 4, 0],
    ['x > 0 and not (x > 2) or x == -5', 1, 1],
    ['x > 0 and not (x > 2) or x == -5', 3, 0],
    ['x > 0 and not (x > 2) or x == -5', -5, 1],
    ['x ? 10 : 20', 0, 20],
    ['x ? 10 : 20', Number.NaN, 20],
    ['x ? 10 : 20', -1, 10],
    ['sqrt(x)', -1, Number.NaN],
    ['(-8)^(1/x)', 3, Number.NaN],
    ['clamp(x, -1, 1)', 7, 1],
    ['clamp(x, -1, 1)', -7, -1],
    ['relu(x) + max(x, 3, 5) + min(x, 2)', 4, 11],
    ['hypot(x, 4, 12)', 3, 13],
    ['round(x)', -2.5, -3],
    ['round(x)', 0.49999999999999994, 0],
    ['sign(x) + pow(x, 2)', -3, 8],
    ['tau - 2 pi + x', 0, 0],
    ['sigmoid(x)', -800, 0],
    ['softplus(x)', 800, 800],
    ['softplus(x)', -800, 0],
    ['x >= 2 ? x != 2 : x <= 1', 2, 0],
  ];
  it.each(values)('%s at %d is %d', (text, x, expected) => {
    expect(at(text, x)).toBe(expected);
  });

  it('names variables that are missing or no numbers, and ignores others', () => {
    const formula = compile('x + y');
    expect(formula.evaluate({ x: 1, y: 2, z: 3 })).toBe(3);
    for (const bad of [{ x: 1 }, { x: 1, y: '2' }, { x: 1, y: null }, { x: 1, y: 2n }]) {
      const error = thrownBy(() => formula.evaluate(bad as unknown as { x: number }));
      expect(error).toBeInstanceOf(InvalidDataError);
      expect((error as Error).message).toMatch(/variable y/);
    }
    const inherited = compileFormula('constructor + 1', { variables: ['constructor'] });
    expect(thrownBy(() => inherited.evaluate({} as { constructor: never }))).toBeInstanceOf(InvalidDataError);
  });

  it('tells a variable from a function of the same name', () => {
    const formula = compileFormula('round (2.6) + 0.5 round * x', { variables: ['round', 'x'] });
    expect(formula.evaluate({ round: 8, x: 2 })).toBe(11);
    expect(formula.derivative('round').evaluate({ x: 2 })).toBe(1);
  });

  it('knows its text, its variables and its cost', () => {
    const formula = compileFormula('x * (2 + 3 ^ 2) + sin(x * 11) * sin(11 * x - 0)', {
      variables: ['y', 'x'],
    });
    expect(formula.text).toBe('x * (2 + 3 ^ 2) + sin(x * 11) * sin(11 * x - 0)');
    expect(formula.variables).toEqual(['x']);
    // x·11, sin, 11·x, −0, sin, ·, +: the constant is folded, x·11 is worked out once.
    expect(formula.operationCount).toBe(7);
    expect(compile('2 + 3').operationCount).toBe(0);
    expect(compile('1 - 0').evaluate({})).toBe(1);
    expect(compile('1 / (-0)').evaluate({})).toBe(-Infinity);
  });
});

describe('evaluateAll', () => {
  const formula = compile('x > 1 ? x * y : exp(-x)');
  const plain = (x: number, y: number): number => (x > 1 ? x * y : Math.exp(-x));

  it('is evaluate for each place, whatever the length', () => {
    for (const length of [0, 1, 255, 256, 257, 1000]) {
      const x = Float64Array.from({ length }, (_, index) => Math.sin(index) * 5);
      const y = Float32Array.from({ length }, (_, index) => index);
      expect(formula.evaluateAll({ x, y })).toEqual(x.map((value, index) => plain(value, y[index]!)));
    }
  });

  it('takes numbers, writes into an array of either kind, and over its own input', () => {
    const x = Float64Array.from({ length: 600 }, (_, index) => index / 100);
    const expected = x.map((value) => plain(value, 3));
    expect(formula.evaluateAll({ x, y: 3 })).toEqual(expected);
    expect(formula.evaluateAll({ x, y: 3 }, new Float32Array(600))).toEqual(Float32Array.from(expected));
    expect(formula.evaluateAll({ x, y: 3 }, x)).toBe(x);
    expect(x).toEqual(expected);
  });

  it('refuses arrays that do not fit, before it writes', () => {
    const into = new Float64Array(3);
    const bad = [
      { x: new Float64Array(3), y: new Float64Array(2) },
      { x: new Float64Array(2), y: 1 },
      { x: [1, 2, 3], y: 1 },
      { x: new Float64Array(3) },
      { x: new Float64Array(3), y: undefined },
    ];
    for (const arrays of bad) {
      const call = () => formula.evaluateAll(arrays as unknown as { x: number }, into);
      expect(thrownBy(call)).toBeInstanceOf(InvalidDataError);
    }
    expect(into).toEqual(new Float64Array(3));
  });
});

it('stops derivatives that grow without end', () => {
  let formula = compileFormula('sin(x * cos(x * exp(x / (1 + x ^ 2))))', { variables: ['x'] });
  const grow = () => {
    for (let order = 0; order < 50; order++) formula = formula.derivative('x');
  };
  expect(thrownBy(grow)).toBeInstanceOf(LimitExceededError);
  expect(formula.operationCount).toBeLessThanOrEqual(4096);
  expect(thrownBy(() => formula.text)).toBeInstanceOf(LimitExceededError);
});
