import type { FormulaError } from '../errors.ts';
import { formulaLimits } from '../limits.ts';
import { show } from '../show.ts';
import type { Expression, OperationName } from './expressions.ts';
import { call, number, variable } from './expressions.ts';
import { formulaErrorAt } from './formulaError.ts';
import type { MathjsNode } from './mathjs.ts';
import { constants, functions } from './names.ts';
import type { NameToken } from './tokens.ts';

/**
 * The tree of mathjs's parser as one of our own, which holds nothing but what is on the lists: the second fence, that
 * does not rely on the first (tokens.ts). `names` are the names in the text, for columns. Throws FormulaError.
 */
export function checkedTree(
  tree: MathjsNode,
  text: string,
  variables: readonly string[],
  names: readonly NameToken[],
): Expression {
  return new Walk(text, variables, names).expressionOf(tree, 1);
}

const operators: ReadonlyMap<string, OperationName> = new Map([
  ['add', 'add'],
  ['subtract', 'subtract'],
  ['multiply', 'multiply'],
  ['divide', 'divide'],
  ['mod', 'modulo'],
  ['pow', 'power'],
  ['unaryMinus', 'negate'],
  ['smaller', 'less'],
  ['smallerEq', 'lessOrEqual'],
  ['larger', 'greater'],
  ['largerEq', 'greaterOrEqual'],
  ['equal', 'equal'],
  ['unequal', 'unequal'],
  ['and', 'and'],
  ['or', 'or'],
  ['not', 'not'],
]);

/** One walk over a parser's tree, from left to right, so that its names come in the order of the text. */
class Walk {
  readonly #text: string;
  readonly #variables: readonly string[];
  readonly #names: readonly NameToken[];
  #namesSeen = 0;
  #column = 0;

  constructor(text: string, variables: readonly string[], names: readonly NameToken[]) {
    this.#text = text;
    this.#variables = variables;
    this.#names = names;
  }

  /** Throws FormulaError for everything that is not on the list. */
  expressionOf(node: MathjsNode, depth: number): Expression {
    if (depth > formulaLimits.depthMax) throw this.#error('it is nested too deeply');
    const inner = (part: MathjsNode | undefined): Expression =>
      this.expressionOf(part as MathjsNode, depth + 1);
    switch (node.type) {
      case 'ConstantNode':
        return this.#constant(node.value);
      case 'SymbolNode':
        return this.#symbol(String(node.name));
      case 'ParenthesisNode':
        return inner(node.content);
      case 'ConditionalNode':
        return call('choose', inner(node.condition), inner(node.trueExpr), inner(node.falseExpr));
      case 'RelationalNode':
        return this.#chain(node.conditionals ?? [], (node.params ?? []).map(inner));
      case 'OperatorNode':
        return this.#operator(String(node.fn), node.args ?? [], inner);
      case 'FunctionNode':
        return this.#function(node, inner);
      default:
        throw this.#error(`${node.type} is not allowed, expected numbers, variables and functions`);
    }
  }

  #constant(value: unknown): Expression {
    if (typeof value === 'number' && Number.isFinite(value)) return number(value);
    throw this.#error(
      value === undefined ? 'it is empty' : `${show(value)} is not allowed, expected numbers`,
    );
  }

  #symbol(name: string): Expression {
    this.#see(name);
    if (this.#variables.includes(name)) return variable(name);
    const value = constants.get(name);
    if (value !== undefined) return number(value);
    throw this.#error(`there is no variable ${show(name)}`);
  }

  #operator(name: string, args: readonly MathjsNode[], inner: (part: MathjsNode) => Expression): Expression {
    if (name === 'unaryPlus' && args.length === 1) return inner(args[0] as MathjsNode);
    const operation = operators.get(name);
    if (operation === undefined) throw this.#error(`the operator ${show(name)} is not allowed`);
    return call(operation, ...args.map(inner));
  }

  #function(node: MathjsNode, inner: (part: MathjsNode) => Expression): Expression {
    const callee = node.fn as MathjsNode | undefined;
    const name = callee?.type === 'SymbolNode' ? String(callee.name) : '';
    this.#see(name);
    const index = this.#column;
    const known = functions.get(name);
    if (known === undefined || node.optional === true) {
      throw this.#error(
        this.#variables.includes(name) || constants.has(name)
          ? `${name} is no function; a product is written ${name} * (…)`
          : `there is no function ${show(name)}`,
      );
    }
    const args = node.args ?? [];
    const { argumentsMin, argumentsMax } = known;
    if (args.length < argumentsMin || args.length > argumentsMax) {
      const many = argumentsMin === 1 ? '1 argument' : `${argumentsMin} arguments`;
      const expected = argumentsMax === argumentsMin ? many : `at least ${many}`;
      throw formulaErrorAt(this.#text, index, `${name} takes ${expected}, got ${args.length}`);
    }
    return known.build(args.map(inner));
  }

  /** a < b < c: a < b and b < c. */
  #chain(comparisons: readonly string[], parts: readonly Expression[]): Expression {
    return comparisons
      .map((comparison, index) => {
        const operation = operators.get(comparison);
        if (operation === undefined) throw this.#error(`the operator ${show(comparison)} is not allowed`);
        return call(operation, parts[index] as Expression, parts[index + 1] as Expression);
      })
      .reduce((left, right) => call('and', left, right));
  }

  /** Notes where the walk is: the tree has no columns, the names have. */
  #see(name: string): void {
    const token = this.#names[this.#namesSeen++];
    this.#column = token?.name === name ? token.index : Math.max(0, this.#text.indexOf(name));
  }

  #error(problem: string): FormulaError {
    return formulaErrorAt(this.#text, this.#column, problem);
  }
}
