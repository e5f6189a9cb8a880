// The only file that loads mathjs. Its factories are picked one by one, so that a bundler leaves the rest out: the
// parser of the edition for plain numbers, and one class of the full edition.
import { create as createMatrices, DenseMatrixDependencies } from 'mathjs';
import { create as createParser, parseDependencies } from 'mathjs/number';

/** The parts of a mathjs node that a formula looks at. `type` says which of them there are. */
export interface MathjsNode {
  readonly type: string;
  readonly value?: unknown;
  readonly name?: unknown;
  readonly fn?: unknown;
  readonly optional?: unknown;
  readonly content?: MathjsNode;
  readonly args?: readonly MathjsNode[];
  readonly condition?: MathjsNode;
  readonly trueExpr?: MathjsNode;
  readonly falseExpr?: MathjsNode;
  readonly conditionals?: readonly string[];
  readonly params?: readonly MathjsNode[];
}

/** What mathjs and mainstem both know of a matrix. Pass it to any function of mathjs. */
export interface MathjsMatrix {
  readonly type: string;
  size(): number[];
  get(index: number[]): number;
  toArray(): unknown;
}

interface Made {
  readonly parse: (text: string) => MathjsNode;
  readonly DenseMatrix: new (rows: unknown) => MathjsMatrix;
}

let parser: Made['parse'] | undefined;
let denseMatrix: Made['DenseMatrix'] | undefined;

/** The parser of mathjs, made when it is first needed. */
export function parseWithMathjs(text: string): MathjsNode {
  parser ??= (createParser(parseDependencies!) as unknown as Made).parse;
  return parser(text);
}

/** A DenseMatrix of mathjs, of a copy of the nested arrays. */
export function denseMatrixOf(values: unknown): MathjsMatrix {
  denseMatrix ??= (createMatrices(DenseMatrixDependencies!) as unknown as Made).DenseMatrix;
  return new denseMatrix(values);
}
