// Two networks over the same digits: one is too small for threads to pay, and mainstem/threads says so; the other is
// trained by two. Both come out as they do on one thread.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { kernels, NeuralNetwork } from 'mainstem';
import { createThreads } from 'mainstem/threads';

const file = new URL('../../data/digits.csv', import.meta.url);
const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
const rows = lines.map((line) => line.split(',').map(Number));
const features = {
  data: Float32Array.from(rows.flatMap((row) => row.slice(0, 64).map((pixel) => pixel / 16))),
  rows: rows.length,
  columns: 64,
};
const labels = rows.map((row) => row[64]!);

function createModel(units: number): NeuralNetwork {
  const hidden = { units, activation: 'relu' as const };
  return new NeuralNetwork({
    layers: [64, hidden, hidden, { units: 10, activation: 'softmax' }],
    batchSize: 128,
    maximumNumberOfIterations: 3,
    seed: 7,
  });
}

const threads = await createThreads({ count: 2 });
console.log(`kernels: ${kernels.name}; threads: ${threads.count}\n`);
for (const units of [16, 512]) {
  const [alone, together] = [createModel(units), createModel(units)];
  let start = performance.now();
  const costs = alone.train(features, labels);
  const aloneMs = performance.now() - start;
  start = performance.now();
  const result = await threads.train(together, features, labels);
  const togetherMs = performance.now() - start;
  console.log(`64-${units}-${units}-10: ${result.message}`);
  console.log(`  train          ${aloneMs.toFixed(0).padStart(5)} ms, cost ${costs.at(-1)!.toFixed(4)}`);
  console.log(
    `  threads.train  ${togetherMs.toFixed(0).padStart(5)} ms, cost ${result.costs.at(-1)!.toFixed(4)}, on ${result.threads} thread(s)`,
  );
  // Sums of rows come in another order, so the last digits differ.
  assert.ok(Math.abs(costs.at(-1)! - result.costs.at(-1)!) < 1e-3 * costs.at(-1)!);
}
await threads.close();
