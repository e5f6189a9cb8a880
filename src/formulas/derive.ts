import { LimitExceededError } from '../errors.ts';
import { formulaLimits } from '../limits.ts';
import type { Expression } from './expressions.ts';
import { isNumber, number } from './expressions.ts';
import { operations } from './operations.ts';

/**
 * ∂expression/∂name, by the rules in operations.ts. Parts that the expression shares stay shared. Throws
 * LimitExceededError where it becomes deeper than `formulaLimits.depthMax`.
 */
export function derive(expression: Expression, name: string): Expression {
  const known = new Map<Expression, Expression>();
  const slopeOf = (part: Expression): Expression => {
    const before = known.get(part);
    if (before !== undefined) return before;
    const slope = part.kind === 'call' ? slopeOfCall(part) : part.kind === 'number' ? zero : ownSlope(part);
    known.set(part, slope);
    return slope;
  };
  const ownSlope = (part: Expression & { kind: 'variable' }): Expression => (part.name === name ? one : zero);
  const slopeOfCall = ({ operation, args }: Expression & { kind: 'call' }): Expression => {
    const slopes = args.map(slopeOf);
    return slopes.every((slope) => isNumber(slope, 0))
      ? zero
      : operations[operation].slope(padded(args), padded(slopes));
  };
  const derivative = slopeOf(expression);
  if (derivative.depth > formulaLimits.depthMax) {
    throw new LimitExceededError(
      `the derivative by ${name} is ${derivative.depth} operations deep, ${formulaLimits.depthMax} are allowed`,
    );
  }
  return derivative;
}

const zero = number(0);
const one = number(1);

/** Rules name three operands; those that an operation lacks are 0 and not looked at. */
function padded(parts: readonly Expression[]): readonly [Expression, Expression, Expression] {
  return [parts[0] ?? zero, parts[1] ?? zero, parts[2] ?? zero];
}
