import type { Formula } from 'mainstem/formulas';
import { compileFormula, FormulaError } from 'mainstem/formulas';
import { expect, it } from 'vitest';
import { LimitExceededError } from '../../src/errors.ts';
import { checkedTree } from '../../src/formulas/checkedTree.ts';
import type { MathjsNode } from '../../src/formulas/mathjs.ts';
import { parseWithMathjs } from '../../src/formulas/mathjs.ts';
import { formulaLimits } from '../../src/limits.ts';
import { seededRandom } from '../../src/random.ts';
import { thrownBy } from './support.ts';

const random = seededRandom(20_240);
const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!;
const count = (max: number): number => Math.floor(random.next() * max);

/** What has broken out of one expression parser or another, and what mathjs itself offers. */
const escapes = [
  'cos.constructor("return process")()',
  'cos.constructor("return globalThis.reached()")()',
  '"".constructor.constructor("reached()")()',
  'x.constructor.constructor("reached()")()',
  '[].map.constructor("reached()")()',
  '{}.constructor.assign(cos.constructor, {binding: cos.bind})',
  'f(x) = constructor; f(1)',
  '__proto__ = 1',
  'x.__proto__.polluted = 1',
  '{"__proto__": {"polluted": 1}}',
  '__defineGetter__("a", reached)',
  'import({x: 5}, {override: true})',
  'createUnit("foo")',
  'parse("reached()").evaluate()',
  'parse("1+1")._compile({}, {})',
  'evaluate("reached()")',
  'compile("reached()")',
  'simplify("x")',
  'derivative("x^2", "x")',
  'parser()',
  'config({number: "BigNumber"})',
  'typed({"number": reached})',
  'chain(3).done()',
  'expression.parse("1")',
  'reached()',
  'globalThis.reached()',
  'process.exit(1)',
  'require("fs")',
  'this',
  'eval("reached()")',
  'Function("reached()")()',
  'map([1, 2], reached)',
  'g = f(x) = x',
  'x[1]',
  'a.b',
  'a["b"]',
  'a?.b',
  'reached?.()',
  '[1, 2; 3, 4]',
  'ones(1e9)',
  'zeros(100000, 100000)',
  '1:10',
  '0:1e-9:1e9',
  '"str"',
  "'str'",
  '`reached()`',
  `\${reached()}`,
  '5 cm',
  '5 cm to inch',
  'x in m',
  'unit("5 m")',
  'bignumber("1e1000000")',
  '9^9^9^9^9',
  '1e308 * 1e308',
  '1e999999999',
  '0x1Fi64',
  '170!',
  'x!!!!!',
  'factorial(1e9)',
  'random()',
  'sqrt(-1)',
  '2i',
  'x = x',
  'x; x',
  'end',
  'x # comment',
  'true ? 1 : 2',
  'null ?? x',
  'help(sin)',
  'print("$x", {x: 1})',
  'format(1, {})',
  'reviver("a", 1)',
  'resolve(x, {x: x})',
  'toString()',
  'valueOf()',
  'hasOwnProperty("x")',
  'constructor("reached()")()',
  'constructor + binding',
  'samples.speed',
];
const legal = [
  'x',
  'y',
  '2',
  '.5',
  '1e3',
  'pi',
  'sin(x)',
  'max(x, y, 1)',
  'x ? y : 1',
  'clamp(x, 0, 1)',
  'not x',
];
const signs = [
  '+',
  '-',
  '*',
  '/',
  '^',
  '%',
  '%',
  ' and ',
  ' or ',
  '<',
  '==',
  '?',
  ':',
  ',',
  '(',
  ')',
  ' ',
  '\n',
];
const strange = [
  'ⅇ',
  'π',
  '𝑥',
  '𝕏',
  '\u202e',
  '\u0000',
  '\ud835',
  'ﬁ',
  '٣',
  '−',
  '×',
  '√',
  '�',
  '\u2028',
  '😀',
  'é',
];
const deep = [
  '(',
  '-',
  'not ',
  'sin(',
  'x^',
  'x?1:',
  '7%(',
  'x%-',
  '[',
  '{a:',
  '((x)%',
  '+',
  '2^-',
  'x(',
  '1/',
];

function hostile(): string {
  const wrap = pick<(text: string) => string>([
    (text) => text,
    (text) => `x + ${text}`,
    (text) => `sin(${text})`,
    (text) => `(${text})(${text})`,
    (text) => `x ? ${text} : 1`,
    (text) => text.slice(0, count(text.length)),
    (text) => text.slice(count(text.length)),
    (text) => [...text].map((sign) => (count(8) === 0 ? pick(strange) : sign)).join(''),
    (text) => text.replaceAll('(', ' ( ').replaceAll('.', '\n.'),
  ]);
  switch (count(6)) {
    case 0:
      return wrap(pick(escapes));
    case 1:
      return `${wrap(pick(escapes))}${pick(signs)}${wrap(pick(escapes))}`;
    case 2:
      return `${pick(deep).repeat(count(400))}x${pick([')', ']', '}', '']).repeat(count(400))}`;
    case 3:
      return Array.from({ length: count(60) }, () => pick([...legal, ...signs])).join(pick(['', ' ']));
    case 4:
      return Array.from({ length: count(12) }, () => pick([...legal, ...signs, ...strange, ...escapes])).join(
        '',
      );
    default:
      return Array.from({ length: count(8) }, () => pick(legal)).join(
        pick([' + ', '*', ' % ', ' < ', ' and ']),
      );
  }
}

/** Replaces what leads out of an expression by traps; returns how often they were sprung, and how to undo it. */
function setTraps(): { readonly sprung: string[]; undo(): void } {
  const sprung: string[] = [];
  const undos: (() => void)[] = [];
  const replace = (target: object, key: string, value: PropertyDescriptor): void => {
    const before = Object.getOwnPropertyDescriptor(target, key);
    Object.defineProperty(target, key, { configurable: true, ...value });
    undos.push(() => {
      if (before === undefined) Reflect.deleteProperty(target, key);
      else Object.defineProperty(target, key, before);
    });
  };
  const trap = (name: string) => () => {
    sprung.push(name);
  };
  const functionPrototype = Function.prototype;
  const functionConstructor = functionPrototype.constructor;
  for (const name of ['reached', 'eval', 'Function', 'require', 'fetch']) {
    replace(globalThis, name, { value: trap(name), writable: true });
  }
  replace(process, 'exit', { value: trap('process.exit'), writable: true });
  replace(functionPrototype, 'constructor', {
    get: () => {
      sprung.push('Function.prototype.constructor');
      return functionConstructor;
    },
  });
  // Names must never be looked up in a prototype. (Signs are: the parser asks `signs[text.substr(i, 3)]`, so that a
  // name of up to three letters would spring a trap, to no effect.)
  for (const name of ['speed', 'polluted', 'reached', 'binding', 'samples']) {
    replace(Object.prototype, name, {
      get: () => {
        sprung.push(`Object.prototype.${name}`);
        return undefined;
      },
      set: () => {
        sprung.push(`Object.prototype.${name} =`);
      },
    });
  }
  return {
    sprung,
    undo: () => {
      for (const undo of undos.reverse()) undo();
    },
  };
}

const place = { x: 1.5, speed: -2, constructor: 3 };

/** The slope, or NaN where the derivative passes its limits. */
function slopeAt(formula: Formula): number {
  try {
    return formula.derivative('x').evaluate(place);
  } catch (error) {
    if (error instanceof LimitExceededError) return Number.NaN;
    throw error;
  }
}

it('10,000 hostile texts are refused with a FormulaError or are formulas of numbers, and reach nothing', () => {
  compileFormula('x', { variables: ['x'] }); // The parser is made once, before the traps: it is not what is tested.
  const texts = [...escapes, ...Array.from({ length: 10_000 - escapes.length }, hostile)];
  const keysBefore = [Object.prototype, Function.prototype, Array.prototype, globalThis].map(
    (object) => Reflect.ownKeys(object).length,
  );
  const problems: string[] = [];
  const tally = { formulas: 0, refused: 0, operationsMax: 0 };
  const traps = setTraps();
  try {
    for (const text of texts) {
      const sprungBefore = traps.sprung.length;
      try {
        const formula = compileFormula(text, { variables: ['x', 'speed', 'constructor'] });
        tally.formulas++;
        tally.operationsMax = Math.max(tally.operationsMax, formula.operationCount);
        const values = [formula.evaluate(place), slopeAt(formula)];
        if (!values.every((value) => typeof value === 'number')) problems.push(`${text}: ${String(values)}`);
        if (formula.operationCount > text.length)
          problems.push(`${text}: ${formula.operationCount} operations`);
      } catch (error) {
        if (error instanceof FormulaError && error.column >= 1 && error.column <= text.length + 1)
          tally.refused++;
        else problems.push(`${JSON.stringify(text)}: ${String(error)}`);
      }
      if (traps.sprung.length > sprungBefore) problems.push(`${text}: sprang ${traps.sprung.at(-1)}`);
    }
  } finally {
    traps.undo();
  }
  expect(problems).toEqual([]);
  expect(tally.formulas).toBeGreaterThan(500);
  expect(tally.refused).toBeGreaterThan(7_000);
  expect(tally.operationsMax).toBeLessThanOrEqual(formulaLimits.textLengthMax);
  expect(
    [Object.prototype, Function.prototype, Array.prototype, globalThis].map(
      (object) => Reflect.ownKeys(object).length,
    ),
  ).toEqual(keysBefore);
});

it('every known escape is refused, but those that are plain arithmetic', () => {
  const passed = escapes.filter((text) => {
    try {
      compileFormula(text, { variables: ['x', 'speed', 'constructor'] });
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(FormulaError);
      return false;
    }
  });
  expect(passed).toEqual(['9^9^9^9^9', '1e308 * 1e308', 'sqrt(-1)']);
});

it('the walk over the tree refuses them too, with nothing before it', () => {
  const isPlain = /^(9\^9\^9\^9\^9|1e308 \* 1e308|sqrt\(-1\)|0x1Fi64|x # comment)$/;
  let walked = 0;
  for (const text of [
    ...escapes,
    'x[1][2]',
    'sin?.(x)',
    '2 .* x',
    'x | 1',
    'x << 1',
    '~x',
    "x'",
    '1:2:3',
    'NaN',
  ]) {
    let tree: MathjsNode;
    try {
      tree = parseWithMathjs(text);
    } catch {
      continue;
    }
    const walk = () => checkedTree(tree, text, ['x', 'speed', 'constructor'], []);
    if (isPlain.test(text)) walk();
    else expect(thrownBy(walk), text).toBeInstanceOf(FormulaError);
    walked++;
  }
  expect(walked).toBeGreaterThan(60);
});

it('the traps work', () => {
  const traps = setTraps();
  try {
    (() => {}).constructor;
    (globalThis as unknown as { reached(): void }).reached();
    (({}) as { polluted?: unknown }).polluted = 1;
  } finally {
    traps.undo();
  }
  expect(traps.sprung).toEqual(['Function.prototype.constructor', 'reached', 'Object.prototype.polluted =']);
});
