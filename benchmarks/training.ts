// Iterations a second of the three models, beside the loop that a textbook would write: row by row, one number at a
// time, over plain typed arrays.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TypedMatrix } from 'mainstem';
import { LinearRegression, LogisticRegression, NeuralNetwork, seededRandom } from 'mainstem';
import type { Contender, Effort, Table } from './harness.ts';
import { compare, format } from './harness.ts';

const rows = 1000;
const columns = 10;
const iterations = 20;

export async function measure(effort: Effort): Promise<Table[]> {
  const cells = [...(await linear(effort)), ...(await logistic(effort)), ...(await network(effort))];
  return [
    {
      title: 'Training',
      note: 'Passes over all rows a second. The baseline is a textbook loop in benchmarks/training.ts.',
      columns: ['model', 'rows × columns', 'baseline', 'mainstem', 'ratio'],
      rows: cells,
    },
  ];
}

async function compareTraining(
  name: string,
  shape: string,
  passes: number,
  contenders: readonly Contender[],
  effort: Effort,
): Promise<string[][]> {
  const [baseline, ours] = await compare(contenders, effort);
  const perSecond = (ms: number): string => format((1000 * passes) / ms);
  return [[name, shape, perSecond(baseline!.ms), perSecond(ours!.ms), format(ours!.ratio)]];
}

function randomMatrix(): TypedMatrix {
  const random = seededRandom(1);
  return { data: Float64Array.from({ length: rows * columns }, () => random.next() - 0.5), rows, columns };
}

function rowSums({ data }: TypedMatrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < columns; column++) sum += (column + 1) * data[row * columns + column]!;
    return sum;
  });
}

/** Full-batch gradient descent of one output: the textbook for both regressions. */
function descend(
  { data }: TypedMatrix,
  labels: ArrayLike<number>,
  slope: (score: number, label: number) => number,
): Float64Array {
  const weights = new Float64Array(columns + 1);
  const gradient = new Float64Array(columns + 1);
  for (let iteration = 0; iteration < iterations; iteration++) {
    gradient.fill(0);
    for (let row = 0; row < rows; row++) {
      let score = weights[columns]!;
      for (let column = 0; column < columns; column++)
        score += weights[column]! * data[row * columns + column]!;
      const error = slope(score, labels[row]!);
      for (let column = 0; column < columns; column++)
        gradient[column]! += error * data[row * columns + column]!;
      gradient[columns]! += error;
    }
    for (let i = 0; i <= columns; i++) weights[i]! -= (0.1 * gradient[i]!) / rows;
  }
  return weights;
}

function assertSame(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let i = 0; i < expected.length; i++) assert.ok(Math.abs(got[i]! - expected[i]!) < 1e-9, `value ${i}`);
}

async function linear(effort: Effort): Promise<string[][]> {
  const features = randomMatrix();
  const labels = rowSums(features);
  const textbook = (): Float64Array => descend(features, labels, (score, label) => 2 * (score - label));
  const ours = (): Float64Array => {
    const model = new LinearRegression({ maximumNumberOfIterations: iterations });
    model.train(features, labels);
    return model.getModelParameters().values as Float64Array;
  };
  assertSame(ours(), textbook());
  const contenders = [
    { name: 'textbook', run: textbook },
    { name: 'mainstem', run: ours },
  ];
  return compareTraining('LinearRegression', '1,000 × 10', iterations, contenders, effort);
}

async function logistic(effort: Effort): Promise<string[][]> {
  const features = randomMatrix();
  const labels = rowSums(features).map((sum) => (sum > 0 ? 1 : 0));
  const slope = (score: number, label: number): number => 1 / (1 + Math.exp(-score)) - label;
  const textbook = (): Float64Array => descend(features, labels, slope);
  const ours = (): Float64Array => {
    const model = new LogisticRegression({ maximumNumberOfIterations: iterations });
    model.train(features, labels);
    return model.getModelParameters().values as Float64Array;
  };
  assertSame(ours(), textbook());
  const contenders = [
    { name: 'textbook', run: textbook },
    { name: 'mainstem', run: ours },
  ];
  return compareTraining('LogisticRegression', '1,000 × 10', iterations, contenders, effort);
}

async function network(effort: Effort): Promise<string[][]> {
  const file = new URL('../data/digits.csv', import.meta.url);
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const digits = lines.slice(0, 1440).map((line) => line.split(',').map(Number));
  const pixels = digits.flatMap((row) => row.slice(0, 64).map((pixel) => pixel / 16));
  const features = { data: Float32Array.from(pixels), rows: digits.length, columns: 64 };
  const labels = digits.map((row) => row[64]!);
  const untrained = new NeuralNetwork({
    layers: [64, { units: 32, activation: 'relu' }, { units: 10, activation: 'softmax' }],
  });
  const start = untrained.getModelParameters().values as Float32Array;
  const passes = 2;
  const textbook = (): number => trainTextbookNetwork(features, labels, start.slice(), passes);
  const ours = (): number =>
    untrained.clone().train(features, labels, { maximumNumberOfIterations: passes }).at(-1)!;
  // The batches differ (only one of them shuffles), so the costs are alike but not the same.
  assert.ok(Math.abs(textbook() - ours()) < 0.2 * ours(), `costs are ${textbook()} and ${ours()}`);
  const contenders = [
    { name: 'textbook', run: textbook },
    { name: 'mainstem', run: ours },
  ];
  return compareTraining('NeuralNetwork 64-32-10, batches of 32', '1,440 × 64', passes, contenders, effort);
}

const inputs = 64;
const hidden = 32;
const outputs = 10;
const bias1 = inputs * hidden;
const weights2 = bias1 + hidden;
const bias2 = weights2 + hidden * outputs;

/** Backpropagation row by row, and Adam. Returns the mean cost of the last pass. */
function trainTextbookNetwork(
  { data, rows }: TypedMatrix,
  labels: readonly number[],
  values: Float32Array,
  passes: number,
): number {
  const length = values.length;
  const [gradient, mean, square] = [
    new Float64Array(length),
    new Float64Array(length),
    new Float64Array(length),
  ];
  let steps = 0;
  let cost = 0;
  for (let pass = 0; pass < passes; pass++) {
    cost = 0;
    for (let first = 0; first < rows; first += 32) {
      gradient.fill(0);
      const last = Math.min(rows, first + 32);
      for (let row = first; row < last; row++) {
        cost += addRowGradient(data, row * inputs, labels[row]!, values, gradient);
      }
      steps++;
      const meanCorrection = 1 - 0.9 ** steps;
      const squareCorrection = 1 - 0.999 ** steps;
      for (let i = 0; i < length; i++) {
        const g = gradient[i]! / (last - first);
        mean[i] = 0.9 * mean[i]! + 0.1 * g;
        square[i] = 0.999 * square[i]! + 0.001 * g * g;
        values[i]! -= (0.001 * mean[i]!) / meanCorrection / (Math.sqrt(square[i]! / squareCorrection) + 1e-8);
      }
    }
  }
  return cost / rows;
}

const h = new Float64Array(hidden);
const p = new Float64Array(outputs);

function addRowGradient(
  data: Float32Array | Float64Array,
  at: number,
  label: number,
  values: Float32Array,
  gradient: Float64Array,
): number {
  for (let j = 0; j < hidden; j++) {
    let sum = values[bias1 + j]!;
    for (let i = 0; i < inputs; i++) sum += data[at + i]! * values[i * hidden + j]!;
    h[j] = Math.max(0, sum);
  }
  let total = 0;
  for (let k = 0; k < outputs; k++) {
    let sum = values[bias2 + k]!;
    for (let j = 0; j < hidden; j++) sum += h[j]! * values[weights2 + j * outputs + k]!;
    p[k] = Math.exp(sum);
    total += p[k]!;
  }
  const cost = -Math.log(p[label]! / total);
  for (let k = 0; k < outputs; k++) p[k] = p[k]! / total - (k === label ? 1 : 0);
  for (let j = 0; j < hidden; j++) {
    let delta = 0;
    for (let k = 0; k < outputs; k++) {
      delta += p[k]! * values[weights2 + j * outputs + k]!;
      gradient[weights2 + j * outputs + k]! += h[j]! * p[k]!;
    }
    if (h[j] === 0) continue;
    gradient[bias1 + j]! += delta;
    for (let i = 0; i < inputs; i++) gradient[i * hidden + j]! += data[at + i]! * delta;
  }
  for (let k = 0; k < outputs; k++) gradient[bias2 + k]! += p[k]!;
  return cost;
}
