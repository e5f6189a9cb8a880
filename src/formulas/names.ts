import type { Expression, OperationName } from './expressions.ts';
import { call, number } from './expressions.ts';

/** A function that formulas may call: how many arguments it takes, and what a call means. */
export interface NamedFunction {
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  build(args: readonly Expression[]): Expression;
}

const zero = number(0);

function taking(count: number, build: (args: readonly Expression[]) => Expression): NamedFunction {
  return { argumentsMin: count, argumentsMax: count, build };
}

/** f(a, b, c) = f(f(a, b), c). */
function folding(operation: OperationName, argumentsMin: number): NamedFunction {
  return {
    argumentsMin,
    argumentsMax: Infinity,
    build: (args) => args.reduce((left, right) => call(operation, left, right)),
  };
}

const ofOneNumber: readonly OperationName[] = [
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
  'expm1',
  'floor',
  'log',
  'log10',
  'log1p',
  'log2',
  'round',
  'sigmoid',
  'sign',
  'sin',
  'sinh',
  'softplus',
  'sqrt',
  'tan',
  'tanh',
];

/** Every function by name. */
export const functions: ReadonlyMap<string, NamedFunction> = new Map([
  ...ofOneNumber.map((name) => [name, taking(1, (args) => call(name, ...args))] as const),
  ['atan2', taking(2, (args) => call('atan2', ...args))],
  ['pow', taking(2, (args) => call('power', ...args))],
  ['relu', taking(1, (args) => call('max', ...args, zero))],
  ['clamp', taking(3, ([x, low, high]) => call('min', call('max', x!, low!), high!))],
  ['max', folding('max', 1)],
  ['min', folding('min', 1)],
  ['hypot', folding('hypot', 2)],
]);

/** Every constant by name. */
export const constants: ReadonlyMap<string, number> = new Map([
  ['e', Math.E],
  ['pi', Math.PI],
  ['tau', 2 * Math.PI],
]);

/** Words that are operators here. */
export const wordOperators: ReadonlySet<string> = new Set(['and', 'or', 'not']);

/** Words that mean something to the parser, so that no variable may have them as its name. */
export const parserWords: ReadonlySet<string> = new Set([
  ...wordOperators,
  'Infinity',
  'NaN',
  'end',
  'false',
  'i',
  'in',
  'mod',
  'null',
  'to',
  'true',
  'undefined',
  'xor',
]);
