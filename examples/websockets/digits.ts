import { readFileSync } from 'node:fs';
import { NeuralNetwork } from 'mainstem';

const file = new URL('../../data/digits.csv', import.meta.url);
const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
const rows = lines.map((line) => line.split(',').map(Number));

/** Rows of 64 pixels between 0 and 1, and their digits. */
export interface Rows {
  readonly features: number[][];
  readonly labels: number[];
}

const read = (part: number[][]): Rows => ({
  features: part.map((row) => row.slice(0, 64).map((pixel) => pixel / 16)),
  labels: part.map((row) => row[64]!),
});

/** Every fifth row is kept for the test; the others are dealt out. */
export const testRows: Rows = read(rows.filter((_, index) => index % 5 === 4));
const trainRows = rows.filter((_, index) => index % 5 !== 4);

export function shardOf(index: number, shards: number): Rows {
  return read(trainRows.filter((_, row) => row % shards === index));
}

/** The same model everywhere: networks that are merged must share one start, which the coordinator gives. */
export function createModel(): NeuralNetwork {
  return new NeuralNetwork({
    layers: [64, { units: 32, activation: 'relu' }, { units: 10, activation: 'softmax' }],
    learningRate: 0.01,
    dtype: 'float32',
  });
}
