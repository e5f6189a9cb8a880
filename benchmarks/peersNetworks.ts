// Steps of networks trained by plain stochastic gradient descent, beside PyTorch and JavaScript libraries.
import { NeuralNetwork } from 'mainstem';
import { assertClose, classRows } from './contenders/data.ts';
import { loadMlMatrix, mlMatrixSteps } from './contenders/mlMatrix.ts';
import type { Python } from './contenders/python.ts';
import { startPython } from './contenders/python.ts';
import { rowByRowPeers } from './contenders/rowByRow.ts';
import type { Bar, Work } from './contenders/table.ts';
import { measureWork, tableOfPeers } from './contenders/table.ts';
import { loadTensorFlow, tensorFlowSteps } from './contenders/tensorflow.ts';
import type { Contender, Effort, Table } from './harness.ts';

/** One work of the table. */
interface Setting {
  readonly units: readonly number[];
  readonly batchSize: number;
  readonly steps: number;
  readonly bars: readonly Bar[];
}

const passes = 2;
const rate = 0.01;
const javascript = ['tfjs-wasm', 'ml-matrix', 'brain.js', 'synaptic'];
const bar = (atLeast: number, of: string, peers: readonly string[] = [of]): Bar => ({ atLeast, of, peers });

const settings: readonly Setting[] = [
  {
    units: [8, 16, 4],
    batchSize: 1,
    steps: 1024,
    bars: [bar(100, 'PyTorch'), bar(3, 'synaptic'), bar(300, 'tfjs-wasm')],
  },
  {
    units: [8, 16, 4],
    batchSize: 32,
    steps: 256,
    bars: [bar(30, 'PyTorch'), bar(8, 'the best in JavaScript', javascript)],
  },
  { units: [64, 64, 10], batchSize: 32, steps: 128, bars: [bar(4, 'PyTorch'), bar(12, 'tfjs-wasm')] },
  { units: [784, 128, 10], batchSize: 32, steps: 32, bars: [bar(0.75, 'PyTorch'), bar(9, 'tfjs-wasm')] },
  { units: [784, 128, 10], batchSize: 128, steps: 16, bars: [bar(0.4, 'PyTorch'), bar(8, 'tfjs-wasm')] },
  { units: [784, 512, 512, 10], batchSize: 128, steps: 4, bars: [bar(0.25, 'PyTorch'), bar(8, 'tfjs-wasm')] },
];

export async function measure(effort: Effort): Promise<Table[]> {
  const python = await startPython(['torch']);
  const rows = [];
  for (const setting of settings) {
    const steps = Math.ceil(setting.steps * effort.scale);
    rows.push(await measureWork(await workOf({ ...setting, steps }, python), effort));
  }
  python?.close();
  const note =
    'CPU time per step (forward, loss, backward, update of one batch) of a whole `train` of two passes: relu, ' +
    'softmax with cross-entropy, gradient descent, float32. ml-matrix computes in float64; brain.js and synaptic ' +
    'learn row by row, with an output layer and a loss of their own: a step is as many rows as the batch has.';
  return [tableOfPeers('Steps of networks beside their peers', note, rows)];
}

async function workOf({ units, batchSize, steps, bars }: Setting, python: Python | undefined): Promise<Work> {
  const data = classRows(steps * batchSize, units[0]!, units.at(-1)!);
  const { features, labels } = data;
  const untrained = networkOf(units, batchSize);
  const values = untrained.getModelParameters().values as Float32Array;
  const expected = afterOneStep(untrained, batchSize, data);
  const tf = await loadTensorFlow();
  const network = { units, values, batchSize, rate };
  const peers: Contender[] = [];
  if (python !== undefined) {
    const name = `${units.join('-')}-${batchSize}`;
    const more = {
      values: python.write(`${name}-values`, values),
      features: python.write(`${name}-features`, features.data),
      labels: python.write(`${name}-labels`, labels),
    };
    const torch = await python.prepare(
      'PyTorch',
      'network.Steps',
      { units, batch_size: batchSize, rate, ...more },
      steps,
    );
    assertClose('PyTorch after one step', await torch.result(), expected, 1e-5);
    peers.push(torch);
  }
  if (tf !== undefined) peers.push(tensorFlowSteps(tf, network, data, expected));
  if (units[0] === 8) {
    const mlMatrix = loadMlMatrix();
    if (mlMatrix !== undefined) peers.push(mlMatrixSteps(mlMatrix, network, data, expected));
    peers.push(...rowByRowPeers(network, data));
  }
  const ours = untrained.clone();
  const run = (): number[] => ours.train(features, labels, { maximumNumberOfIterations: passes });
  return {
    name: `${units.join('-')}, batch ${batchSize}`,
    ours: { name: 'mainstem', units: passes * steps, run },
    peers,
    bars,
  };
}

function networkOf(units: readonly number[], batchSize: number): NeuralNetwork {
  const [inputs, ...rest] = units;
  const layers = rest.map((count, index) => ({
    units: count,
    activation: index + 1 < rest.length ? ('relu' as const) : ('softmax' as const),
  }));
  return new NeuralNetwork({
    layers: [inputs!, ...layers],
    optimizer: 'gradientDescent',
    learningRate: rate,
    batchSize,
    maximumNumberOfIterations: passes,
  });
}

/** Parameters after one step on the first batch: what every peer that has our loss must find too. */
function afterOneStep(
  untrained: NeuralNetwork,
  batchSize: number,
  { features, labels }: ReturnType<typeof classRows>,
): ArrayLike<number> {
  const batch = { ...features, data: features.data.slice(0, batchSize * features.columns), rows: batchSize };
  const trained = untrained.clone();
  trained.train(batch, labels.slice(0, batchSize), { maximumNumberOfIterations: 1 });
  return trained.getModelParameters().values;
}
