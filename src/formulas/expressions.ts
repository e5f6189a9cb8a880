/** Every operation that a formula may be made of. Comparisons and logic give 1 or 0; 0 and NaN are false. */
export type OperationName =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'modulo'
  | 'power'
  | 'negate'
  | 'less'
  | 'lessOrEqual'
  | 'greater'
  | 'greaterOrEqual'
  | 'equal'
  | 'unequal'
  | 'and'
  | 'or'
  | 'not'
  | 'choose'
  | 'abs'
  | 'acos'
  | 'acosh'
  | 'asin'
  | 'asinh'
  | 'atan'
  | 'atan2'
  | 'atanh'
  | 'cbrt'
  | 'ceil'
  | 'cos'
  | 'cosh'
  | 'erf'
  | 'exp'
  | 'expm1'
  | 'floor'
  | 'hypot'
  | 'log'
  | 'log10'
  | 'log1p'
  | 'log2'
  | 'max'
  | 'min'
  | 'round'
  | 'sigmoid'
  | 'sign'
  | 'sin'
  | 'sinh'
  | 'softplus'
  | 'sqrt'
  | 'tan'
  | 'tanh';

/** A checked formula as a tree. Parts may be shared: nothing changes them. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly depth: 1 }
  | { readonly kind: 'variable'; readonly name: string; readonly depth: 1 }
  | {
      readonly kind: 'call';
      readonly operation: OperationName;
      readonly args: readonly Expression[];
      readonly depth: number;
    };

/** A constant. */
export function number(value: number): Expression {
  return { kind: 'number', value, depth: 1 };
}

/** A variable, by name. */
export function variable(name: string): Expression {
  return { kind: 'variable', name, depth: 1 };
}

/** An operation on its operands, as it is written: nothing is simplified. */
export function call(operation: OperationName, ...args: readonly Expression[]): Expression {
  let depth = 0;
  for (const arg of args) depth = Math.max(depth, arg.depth);
  return { kind: 'call', operation, args, depth: depth + 1 };
}

/** True for the constant `value`. */
export function isNumber(expression: Expression, value: number): boolean {
  return expression.kind === 'number' && expression.value === value;
}

// What derivatives are built with: 0 and 1 disappear. 0 · u is 0 here whatever u is, as no slope depends on u then.

/** a + b. */
export function plus(a: Expression, b: Expression): Expression {
  if (isNumber(a, 0)) return b;
  if (isNumber(b, 0)) return a;
  if (a.kind === 'number' && b.kind === 'number') return number(a.value + b.value);
  return call('add', a, b);
}

/** a − b. */
export function minus(a: Expression, b: Expression): Expression {
  if (isNumber(b, 0)) return a;
  if (isNumber(a, 0)) return negated(b);
  if (a.kind === 'number' && b.kind === 'number') return number(a.value - b.value);
  return call('subtract', a, b);
}

/** a · b. */
export function times(a: Expression, b: Expression): Expression {
  if (isNumber(a, 0) || isNumber(b, 1)) return a;
  if (isNumber(b, 0) || isNumber(a, 1)) return b;
  if (isNumber(a, -1)) return negated(b);
  if (isNumber(b, -1)) return negated(a);
  if (a.kind === 'number' && b.kind === 'number') return number(a.value * b.value);
  return call('multiply', a, b);
}

/** a / b. */
export function over(a: Expression, b: Expression): Expression {
  return isNumber(a, 0) || isNumber(b, 1) ? a : call('divide', a, b);
}

/** −a. */
export function negated(a: Expression): Expression {
  if (a.kind === 'number') return number(-a.value);
  if (a.kind === 'call' && a.operation === 'negate') return a.args[0] as Expression;
  return call('negate', a);
}

/** base ^ exponent, for an exponent that does not change. */
export function raised(base: Expression, exponent: Expression): Expression {
  if (isNumber(exponent, 0)) return number(1);
  return isNumber(exponent, 1) ? base : call('power', base, exponent);
}

/** condition ? a : b. */
export function chosen(condition: Expression, a: Expression, b: Expression): Expression {
  if (a === b || (b.kind === 'number' && isNumber(a, b.value))) return a;
  return call('choose', condition, a, b);
}
