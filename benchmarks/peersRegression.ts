// Linear and logistic regression by gradient descent, beside NumPy and JavaScript libraries.
import { LinearRegression, LogisticRegression } from 'mainstem';
import type { Rows } from './contenders/data.ts';
import { assertClose, regressionRows } from './contenders/data.ts';
import { loadMathjs, mathjsDescent } from './contenders/mathjs.ts';
import { loadMlMatrix, mlMatrixDescent } from './contenders/mlMatrix.ts';
import type { Python } from './contenders/python.ts';
import { startPython } from './contenders/python.ts';
import type { Bar, Work } from './contenders/table.ts';
import { measureWork, tableOfPeers } from './contenders/table.ts';
import { loadTensorFlow, tensorFlowDescent } from './contenders/tensorflow.ts';
import type { Contender, Effort, Table } from './harness.ts';

type Kind = 'linear' | 'logistic';

/** One work of the table. */
interface Setting {
  readonly kind: Kind;
  readonly rows: number;
  readonly columns: number;
  readonly iterations: number;
  readonly numpyBar: number;
  readonly tensorFlowBar: number;
}

const rate = 0.1;
const settings: readonly Setting[] = [
  { kind: 'linear', rows: 1000, columns: 10, iterations: 500, numpyBar: 2, tensorFlowBar: 10 },
  { kind: 'linear', rows: 100_000, columns: 50, iterations: 50, numpyBar: 1.4, tensorFlowBar: 3 },
  { kind: 'logistic', rows: 1000, columns: 10, iterations: 500, numpyBar: 1.2, tensorFlowBar: 4 },
  { kind: 'logistic', rows: 100_000, columns: 50, iterations: 50, numpyBar: 1, tensorFlowBar: 2 },
];

export async function measure(effort: Effort): Promise<Table[]> {
  const python = await startPython(['numpy']);
  const rows = [];
  for (const setting of settings) {
    const iterations = Math.ceil(setting.iterations * effort.scale);
    rows.push(await measureWork(await workOf({ ...setting, iterations }, python), effort));
  }
  python?.close();
  const note =
    'CPU time per iteration of a whole `train`, float64, full batch, with the cost of each iteration. ' +
    'TensorFlow.js computes in float32 and no costs. The bar of NumPy is held against the faster of its two columns.';
  return [tableOfPeers('Regressions beside their peers', note, rows)];
}

async function workOf(setting: Setting, python: Python | undefined): Promise<Work> {
  const { kind, rows, columns, iterations, numpyBar, tensorFlowBar } = setting;
  const data = rowsOf(setting);
  const ours = (): { values: ArrayLike<number>; costs: readonly number[] } => {
    const options = { maximumNumberOfIterations: iterations, learningRate: rate };
    const model = kind === 'linear' ? new LinearRegression(options) : new LogisticRegression(options);
    const costs = model.train(data.features, data.labels);
    return { values: model.getModelParameters().values, costs };
  };
  const expected = ours();
  const tf = await loadTensorFlow();
  const peers: Contender[] = python === undefined ? [] : await numpyOf(python, setting, data, expected);
  if (tf !== undefined) peers.push(tensorFlowDescent(tf, kind, data, iterations, rate, expected.values));
  if (rows === 1000 && kind === 'linear') peers.push(...byHand(data, iterations, expected.values));
  const bars: Bar[] = [
    { atLeast: numpyBar, of: 'NumPy', peers: ['NumPy', 'NumPy without costs'] },
    { atLeast: tensorFlowBar, of: 'tfjs-wasm', peers: ['tfjs-wasm'] },
  ];
  const name = `${kind}, ${rows.toLocaleString('en-GB')} × ${columns}, ${iterations} iterations`;
  return { name, ours: { name: 'mainstem', units: iterations, run: ours }, peers, bars };
}

function rowsOf({ kind, rows, columns }: Setting): Rows<Float64Array> {
  const { features, labels } = regressionRows(rows, columns);
  return { features, labels: kind === 'linear' ? labels : labels.map((label) => (label > 0 ? 1 : 0)) };
}

async function numpyOf(
  python: Python,
  { kind, rows, columns, iterations }: Setting,
  data: Rows<Float64Array>,
  expected: { values: ArrayLike<number>; costs: readonly number[] },
): Promise<Contender[]> {
  const features = python.write(`${kind}-${rows}-features`, data.features.data);
  const labels = python.write(`${kind}-${rows}-labels`, data.labels);
  const work = `regression.${kind === 'linear' ? 'Linear' : 'Logistic'}`;
  const contenders: Contender[] = [];
  for (const costs of [true, false]) {
    const name = costs ? 'NumPy' : 'NumPy without costs';
    const more = { rows, columns, iterations, rate, costs };
    const contender = await python.prepare(name, work, { features, labels, ...more }, iterations);
    const numbers = [...Array.from(expected.values), ...(costs ? expected.costs : [])];
    assertClose(`${name}, ${kind}`, await contender.result(), numbers, 1e-9);
    contenders.push(contender);
  }
  return contenders;
}

/** Libraries of matrices, whose users write the descent themselves. One row is enough to see where they are. */
function byHand(data: Rows<Float64Array>, iterations: number, expected: ArrayLike<number>): Contender[] {
  const peers: Contender[] = [];
  const mlMatrix = loadMlMatrix();
  if (mlMatrix !== undefined) peers.push(mlMatrixDescent(mlMatrix, data, iterations, rate, expected));
  const mathjs = loadMathjs();
  if (mathjs !== undefined) peers.push(mathjsDescent(mathjs, data, iterations, rate, expected));
  return peers;
}
