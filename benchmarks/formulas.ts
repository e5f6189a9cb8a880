// What a formula costs beside the same loop written by hand, and beside mathjs that evaluates value by value.
import assert from 'node:assert/strict';
import { compileFormula, formulaActivation } from 'mainstem/formulas';
import { compile, derivative, parse } from 'mathjs';
import type { Contender, Effort, Table } from './harness.ts';
import { compare, format } from './harness.ts';

const length = 4096;
const inputs = Float64Array.from({ length }, (_, index) => index / 512 - 4);

const activations: [text: string, byHand: (x: number) => number][] = [
  ['tanh(x)', Math.tanh],
  ['max(x, 0.01 x)', (x) => (x > 0 ? x : 0.01 * x)],
  ['x / (1 + exp(-x))', (x) => x / (1 + Math.exp(-x))],
  [
    '0.5 x * (1 + tanh(0.7978845608 * (x + 0.044715 x ^ 3)))',
    (x) => 0.5 * x * (1 + Math.tanh(0.7978845608 * (x + 0.044715 * x * x * x))),
  ],
];

export async function measure(effort: Effort): Promise<Table[]> {
  const rows: string[][] = [];
  for (const [text, byHand] of activations) {
    for (const { name, ms, ratio } of await compare(forwardOf(text, byHand), effort)) {
      rows.push([`\`${text}\`, ${name}`, format((ms * 1e6) / length), format(1 / ratio)]);
    }
  }
  const compiling = await compare(compilingOf('x / (1 + exp(-x))'), effort);
  return [
    {
      title: 'Activations as formulas',
      note: `${length} float64 values, as often as time allows. The baseline is the loop of the built-in activations with the function written by hand.`,
      columns: ['', 'ns per value', 'times the baseline'],
      rows,
    },
    {
      title: 'Compiling `x / (1 + exp(-x))`',
      note: 'Parsing, checking and compiling, once; a derivative is derived and compiled.',
      columns: ['', 'µs', 'times the baseline'],
      rows: compiling.map(({ name, ms, ratio }) => [name, format(ms * 1000), format(1 / ratio)]),
    },
  ];
}

function forwardOf(text: string, byHand: (x: number) => number): Contender[] {
  const plain = inputs.slice();
  const ours = inputs.slice();
  const theirs = inputs.slice();
  const activation = formulaActivation(text);
  const compiled = compile(text);
  const scope = { x: 0 };
  const contenders: Contender[] = [
    {
      name: 'by hand',
      run() {
        plain.set(inputs);
        for (let i = 0; i < length; i++) plain[i] = byHand(plain[i]!);
        return plain;
      },
    },
    {
      name: '`formulaActivation`',
      run() {
        ours.set(inputs);
        activation.forward(ours, length, 1);
        return ours;
      },
    },
    {
      name: 'mathjs',
      run() {
        for (let i = 0; i < length; i++) {
          scope.x = inputs[i]!;
          theirs[i] = compiled.evaluate(scope);
        }
        return theirs;
      },
    },
  ];
  for (const { run } of contenders) run();
  for (let i = 0; i < length; i++) {
    assert.ok(Math.abs(plain[i]! - ours[i]!) < 1e-12 && Math.abs(plain[i]! - theirs[i]!) < 1e-12);
  }
  return contenders;
}

function compilingOf(text: string): Contender[] {
  const formula = compileFormula(text, { variables: ['x'] });
  const tree = parse(text);
  return [
    { name: '`compileFormula`', run: () => compileFormula(text, { variables: ['x'] }) },
    { name: '`derivative`', run: () => formula.derivative('x') },
    { name: 'mathjs `compile`', run: () => compile(text) },
    { name: 'mathjs `derivative`', run: () => derivative(tree, 'x').compile() },
  ];
}
