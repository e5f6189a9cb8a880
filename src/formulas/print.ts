import { LimitExceededError } from '../errors.ts';
import { formulaLimits } from '../limits.ts';
import type { Expression, OperationName } from './expressions.ts';

/** How tight an operator binds, as in mathjs; what is not here is written as a function. */
const infix: Partial<Readonly<Record<OperationName, readonly [sign: string, precedence: number]>>> = {
  or: ['or', 1],
  and: ['and', 2],
  less: ['<', 3],
  lessOrEqual: ['<=', 3],
  greater: ['>', 3],
  greaterOrEqual: ['>=', 3],
  equal: ['==', 3],
  unequal: ['!=', 3],
  add: ['+', 4],
  subtract: ['-', 4],
  multiply: ['*', 5],
  divide: ['/', 5],
  modulo: ['%', 5],
  power: ['^', 7],
};
const unary = 6;
const atom = 8;

/** The text of an expression: it means the same when it is parsed again. Throws LimitExceededError beyond printedPartsMax. */
export function print(expression: Expression): string {
  return new Printer().text(expression, 0);
}

class Printer {
  #parts = 0;

  /** The text, in parentheses where what is around it binds tighter. */
  text(expression: Expression, around: number): string {
    // Shared parts are written once for each use, so that a small derivative may have a text without end.
    if (++this.#parts > formulaLimits.printedPartsMax) {
      throw new LimitExceededError(
        `the text of the formula has more than ${formulaLimits.printedPartsMax} parts`,
      );
    }
    const [text, precedence] = this.#written(expression);
    return precedence < around ? `(${text})` : text;
  }

  #written(expression: Expression): readonly [text: string, precedence: number] {
    if (expression.kind === 'variable') return [expression.name, atom];
    if (expression.kind === 'number') {
      const isNegative = expression.value < 0 || Object.is(expression.value, -0);
      return [Object.is(expression.value, -0) ? '-0' : String(expression.value), isNegative ? unary : atom];
    }
    const { operation, args } = expression;
    const [a, b, c] = args as [Expression, Expression, Expression];
    if (operation === 'negate') return [`-${this.text(a, unary)}`, unary];
    if (operation === 'not') return [`not ${this.text(a, unary)}`, unary];
    if (operation === 'choose') {
      return [`${this.text(a, 1)} ? ${this.text(b, 1)} : ${this.text(c, 1)}`, 0];
    }
    const operator = infix[operation];
    if (operator === undefined) {
      return [`${operation}(${args.map((arg) => this.text(arg, 0)).join(', ')})`, atom];
    }
    const [sign, precedence] = operator;
    // All but powers group to the left; a comparison in a comparison would be a chain.
    const left = precedence === 3 || precedence === 7 ? precedence + 1 : precedence;
    return [`${this.text(a, left)} ${sign} ${this.text(b, precedence + 1)}`, precedence];
  }
}
