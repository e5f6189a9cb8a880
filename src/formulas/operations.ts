import { erf } from '../kernels/erf.ts';
import { logisticSigmoid as sigmoid, logOnePlusExp as softplus } from '../models/outputActivations.ts';
import type { Expression, OperationName } from './expressions.ts';
import { call, chosen, isNumber, minus, negated, number, over, plus, raised, times } from './expressions.ts';
import type { Loop } from './loops.ts';
import {
  addLoop,
  chooseLoop,
  divideLoop,
  each,
  eachPair,
  isTrue,
  maxLoop,
  minLoop,
  multiplyLoop,
  negateLoop,
  subtractLoop,
} from './loops.ts';
import { modulo, roundHalvesAway } from './rounding.ts';

/** What there is to know of an operation. */
export interface Operation {
  readonly loop: Loop;
  /** The slope of the whole, from the operands u, v, w and their slopes, not all of which are 0. */
  slope(operands: Operands, slopes: Operands): Expression;
}

type Operands = readonly [Expression, Expression, Expression];

/** A smooth function of one number: f(u)' = f'(u) · u'. */
function smooth(value: (x: number) => number, derivative: (u: Expression) => Expression): Operation {
  return { loop: each(value), slope: ([u], [du]) => times(derivative(u), du) };
}

/** A function with steps: its slope is 0 wherever it has one, and counts as 0 at the steps. */
function steps(loop: Loop): Operation {
  return { loop, slope: () => zero };
}

const compare = (holds: (x: number, y: number) => boolean): Operation =>
  steps(eachPair((x, y) => (holds(x, y) ? 1 : 0)));

const zero = number(0);
const one = number(1);
const two = number(2);
const squared = (u: Expression): Expression => call('multiply', u, u);

/** u^v: v · u^(v−1) · u' + u^v · log u · v'. Where u is 0, or v is 0 but not always, that part counts as 0. */
function slopeOfPower([u, v]: Operands, [du, dv]: Operands): Expression {
  const direct = times(times(v, raised(u, minus(v, one))), du);
  const byBase =
    v.kind === 'number' || isNumber(du, 0) ? direct : chosen(call('equal', v, zero), zero, direct);
  if (isNumber(dv, 0)) return byBase;
  const byExponent = times(times(call('power', u, v), call('log', u)), dv);
  const isSafe = u.kind === 'number' && u.value !== 0;
  return plus(byBase, isSafe ? byExponent : chosen(call('equal', u, zero), zero, byExponent));
}

/** The length of (u, v): (u u' + v v') / hypot(u, v), and 0 at the origin. */
function slopeOfHypot([u, v]: Operands, [du, dv]: Operands): Expression {
  const length = call('hypot', u, v);
  const slope = over(plus(times(u, du), times(v, dv)), length);
  return chosen(call('equal', length, zero), zero, slope);
}

/**
 * The operations, each with its loop and its rule. At a kink the slope is the one said here: abs and sign 0; max and
 * min that of the second operand, so that max(x, 0) has 0 at 0; a conditional that of the side which it takes.
 */
export const operations: Readonly<Record<OperationName, Operation>> = {
  add: { loop: addLoop, slope: (_, [du, dv]) => plus(du, dv) },
  subtract: { loop: subtractLoop, slope: (_, [du, dv]) => minus(du, dv) },
  multiply: { loop: multiplyLoop, slope: ([u, v], [du, dv]) => plus(times(du, v), times(u, dv)) },
  divide: { loop: divideLoop, slope: ([u, v], [du, dv]) => over(minus(du, times(over(u, v), dv)), v) },
  modulo: {
    loop: eachPair(modulo),
    slope: ([u, v], [du, dv]) =>
      minus(du, chosen(call('equal', v, zero), zero, times(call('floor', over(u, v)), dv))),
  },
  power: { loop: eachPair(Math.pow), slope: slopeOfPower },
  negate: { loop: negateLoop, slope: (_, [du]) => negated(du) },
  less: compare((x, y) => x < y),
  lessOrEqual: compare((x, y) => x <= y),
  greater: compare((x, y) => x > y),
  greaterOrEqual: compare((x, y) => x >= y),
  equal: compare((x, y) => x === y),
  unequal: compare((x, y) => x !== y),
  and: compare((x, y) => isTrue(x) && isTrue(y)),
  or: compare((x, y) => isTrue(x) || isTrue(y)),
  not: steps(each((x) => (isTrue(x) ? 0 : 1))),
  choose: { loop: chooseLoop, slope: ([condition], [, da, db]) => chosen(condition, da, db) },
  abs: smooth(Math.abs, (u) => call('sign', u)),
  acos: smooth(Math.acos, (u) => over(number(-1), rootOfOneMinusSquare(u))),
  acosh: smooth(Math.acosh, (u) =>
    over(one, call('multiply', call('sqrt', minus(u, one)), call('sqrt', plus(u, one)))),
  ),
  asin: smooth(Math.asin, (u) => over(one, rootOfOneMinusSquare(u))),
  asinh: smooth(Math.asinh, (u) => over(one, call('hypot', one, u))),
  atan: smooth(Math.atan, (u) => over(one, plus(one, squared(u)))),
  atan2: {
    loop: eachPair(Math.atan2),
    slope: ([u, v], [du, dv]) => over(minus(times(v, du), times(u, dv)), plus(squared(u), squared(v))),
  },
  atanh: smooth(Math.atanh, (u) => over(one, call('multiply', minus(one, u), plus(one, u)))),
  cbrt: smooth(Math.cbrt, (u) => over(one, times(number(3), squared(call('cbrt', u))))),
  ceil: steps(each(Math.ceil)),
  cos: smooth(Math.cos, (u) => negated(call('sin', u))),
  cosh: smooth(Math.cosh, (u) => call('sinh', u)),
  erf: smooth(erf, (u) => times(number(2 / Math.sqrt(Math.PI)), call('exp', negated(squared(u))))),
  exp: smooth(Math.exp, (u) => call('exp', u)),
  expm1: smooth(Math.expm1, (u) => call('exp', u)),
  floor: steps(each(Math.floor)),
  hypot: { loop: eachPair(Math.hypot), slope: slopeOfHypot },
  log: smooth(Math.log, (u) => over(one, u)),
  log10: smooth(Math.log10, (u) => over(one, times(u, number(Math.LN10)))),
  log1p: smooth(Math.log1p, (u) => over(one, plus(one, u))),
  log2: smooth(Math.log2, (u) => over(one, times(u, number(Math.LN2)))),
  max: { loop: maxLoop, slope: ([u, v], [du, dv]) => chosen(call('greater', u, v), du, dv) },
  min: { loop: minLoop, slope: ([u, v], [du, dv]) => chosen(call('less', u, v), du, dv) },
  round: steps(each(roundHalvesAway)),
  // Both factors keep their digits for large |u|, where 1 − sigmoid(u) has none left.
  sigmoid: smooth(sigmoid, (u) => call('multiply', call('sigmoid', u), call('sigmoid', negated(u)))),
  sign: steps(each(Math.sign)),
  sin: smooth(Math.sin, (u) => call('cos', u)),
  sinh: smooth(Math.sinh, (u) => call('cosh', u)),
  softplus: smooth(softplus, (u) => call('sigmoid', u)),
  sqrt: smooth(Math.sqrt, (u) => over(one, times(two, call('sqrt', u)))),
  tan: smooth(Math.tan, (u) => plus(one, squared(call('tan', u)))),
  tanh: smooth(Math.tanh, (u) => minus(one, squared(call('tanh', u)))),
};

function rootOfOneMinusSquare(u: Expression): Expression {
  return call('sqrt', call('multiply', minus(one, u), plus(one, u)));
}
