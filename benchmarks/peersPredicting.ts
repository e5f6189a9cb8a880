// Predictions of small networks, beside onnxruntime-node, PyTorch and TensorFlow.js.
import type { Features } from 'mainstem';
import { NeuralNetwork } from 'mainstem';
import { assertClose, classRows } from './contenders/data.ts';
import { onnxRuntimePredicting } from './contenders/onnxruntime.ts';
import type { Python } from './contenders/python.ts';
import { startPython } from './contenders/python.ts';
import type { Work } from './contenders/table.ts';
import { measureWork, tableOfPeers } from './contenders/table.ts';
import { loadTensorFlow, tensorFlowPredicting } from './contenders/tensorflow.ts';
import type { Contender, Effort, Table } from './harness.ts';

/** One work of the table. */
interface Setting {
  readonly units: readonly [number, number, number];
  readonly rows: number;
  /** How many times ours onnxruntime-node should take. */
  readonly bar: number;
}

const settings: readonly Setting[] = [
  { units: [8, 16, 4], rows: 1, bar: 50 },
  { units: [64, 64, 10], rows: 1, bar: 10 },
  { units: [64, 64, 10], rows: 32, bar: 1.2 },
  { units: [784, 128, 10], rows: 1, bar: 1 },
];

export async function measure(effort: Effort): Promise<Table[]> {
  const python = await startPython(['torch']);
  const rows = [];
  for (const setting of settings)
    for (const work of await worksOf(setting, python)) rows.push(await measureWork(work, effort));
  python?.close();
  const note =
    'CPU time of a whole `predict`: rows in, classes out; the peers stop at the probabilities. Rows are a matrix ' +
    'in a Float32Array, which onnxruntime-node and TensorFlow.js make a tensor of in each run, or nested arrays.';
  return [tableOfPeers('Predictions beside their peers', note, rows)];
}

/** The work with a typed matrix, beside the peers, and with nested arrays, for which the same peers' bar holds. */
async function worksOf({ units, rows, bar }: Setting, python: Python | undefined): Promise<Work[]> {
  const [inputs, hidden, outputs] = units;
  const { features } = classRows(rows, inputs, outputs);
  const model = trainedNetwork(units);
  const parameters = model.getModelParameters();
  const values = parameters.values as Float32Array;
  const expected = model.predictProbabilities(features).flat();
  const peers: Contender[] = [];
  const onnxRuntime = await onnxRuntimePredicting(parameters, features, expected);
  if (onnxRuntime !== undefined) peers.push(onnxRuntime);
  if (python !== undefined) {
    const name = `${units.join('-')}-${rows}`;
    const files = {
      values: python.write(`${name}-values`, values),
      features: python.write(`${name}-features`, features.data),
    };
    const torch = await python.prepare('PyTorch', 'predicting.Predicting', { units, ...files });
    assertClose('PyTorch, predictions', await torch.result(), expected, 1e-5);
    peers.push(torch);
  }
  const tf = await loadTensorFlow();
  if (tf !== undefined) peers.push(tensorFlowPredicting(tf, units, values, features, expected));
  const nested = Array.from({ length: rows }, (_, row) => [
    ...features.data.subarray(row * inputs, (row + 1) * inputs),
  ]);
  const bars = [{ atLeast: bar, of: 'onnxruntime-node', peers: ['onnxruntime-node'] }];
  const workWith = (how: string, given: Features): Work => ({
    name: `${inputs}-${hidden}-${outputs}, batch ${rows}, ${how}`,
    ours: { name: 'mainstem', run: () => model.predict(given) },
    peers,
    bars: how === 'typed' ? bars : [],
  });
  return [workWith('typed', features), workWith('nested', nested)];
}

/** Trained a little, so that its parameters are no special ones. */
function trainedNetwork([inputs, hidden, outputs]: Setting['units']): NeuralNetwork {
  const { features, labels } = classRows(256, inputs, outputs);
  const model = new NeuralNetwork({
    layers: [inputs, { units: hidden, activation: 'relu' }, { units: outputs, activation: 'softmax' }],
  });
  model.train(features, labels, { maximumNumberOfIterations: 2 });
  return model;
}
