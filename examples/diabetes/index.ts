// Five clinics, one model. Each has patients of one age group, and no row ever leaves its clinic.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  LinearRegression,
  Preprocessing,
} from 'mainstem';

// Rows of numbers: ten measurements, and last the progression of the disease a year later.
const file = new URL('../../data/diabetes.csv', import.meta.url);
const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
const all = lines.map((line) => line.split(',').map(Number));
const test = all.filter((_, index) => index % 5 === 4);
const train = all.filter((_, index) => index % 5 !== 4);

// By age, the first column: the youngest fifth is the first clinic's, and so on.
const byAge = [...train].sort((a, b) => a[0]! - b[0]!);
const clinicRows = Array.from({ length: 5 }, (_, clinic) =>
  byAge.filter((_row, index) => Math.floor((5 * index) / byAge.length) === clinic),
);

const split = (rows: number[][]) => ({
  features: rows.map((row) => row.slice(0, 10)),
  labels: rows.map((row) => row[10]!),
});

// Mean and deviation of each column, from what each clinic can tell without showing a row. Merged they are those of
// all rows, and the scaler that is fitted on them is part of every model.
const scaler = new Preprocessing('standardScaler');
const told = clinicRows.map((rows) => scaler.createStatistics().add(split(rows).features));
const preprocessing = scaler.fit(told.reduce((sum, statistics) => sum.merge(statistics)));

const unseen = split(test);
const clinics = clinicRows.map((rows, index) => ({
  name: `clinic ${index + 1}, ${rows.at(0)![0]} to ${rows.at(-1)![0]} years`,
  model: new LinearRegression({ preprocessing }),
  ...split(rows),
}));
const results: [name: string, score: number][] = [];

// What each clinic can do alone, and what could be done with all rows in one place.
for (const { name, features, labels } of clinics) {
  const alone = new LinearRegression({ solver: 'exact' });
  alone.train(features, labels);
  results.push([name, alone.score(unseen.features, unseen.labels)]);
}
const central = new LinearRegression({ solver: 'exact', preprocessing });
const together = split(train);
central.train(together.features, together.labels);
const centralScore = central.score(unseen.features, unseen.labels);

// By parameters: each clinic trains from main, main becomes the mean of the five, weighted by rows.
const byParameters = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: clinics.length });
for (let round = 1; round <= 40; round++) {
  for (const { name, model, features, labels } of clinics) {
    model.train(features, labels, { maximumNumberOfIterations: 5 });
    byParameters.addModelParameters(model.getModelParameters(), { childId: name });
  }
  for (const { model } of clinics) model.setModelParameters(byParameters.getMainModelParameters());
  if (round === 10 || round === 40) results.push([`parameters, ${round} rounds`, scoreOfMain()]);
}

// By gradients: one step of main for each round of five, along the mean of their gradients, weighted by rows.
// That is the very step that would be taken with all rows in one place.
const byGradients = new DistributedGradientsCoordinator({
  childrenPerUpdate: clinics.length,
  optimizer: 'momentum',
});
byGradients.setModelParameters(central.getModelParameters().scale(0));
for (let round = 1; round <= 2000; round++) {
  for (const { name, model, features, labels } of clinics) {
    model.setModelParameters(byGradients.getModelParameters());
    byGradients.addGradients(model.computeGradients(features, labels), { childId: name });
  }
}
for (const { model } of clinics) model.setModelParameters(byGradients.getModelParameters());
results.push(['gradients, 2000 rounds', scoreOfMain()]);
results.push(['all rows in one place', centralScore]);

function scoreOfMain(): number {
  return clinics[0]!.model.score(unseen.features, unseen.labels);
}

console.log(`R² on ${test.length} patients that nobody has trained on`);
for (const [name, score] of results) console.log(`  ${name.padEnd(26)} ${score.toFixed(4).padStart(8)}`);
const difference = byGradients.getModelParameters().subtract(central.getModelParameters());
const largest = Math.max(...difference.values.map(Math.abs));
console.log(
  `Largest difference of a coefficient, gradients to the exact solution: ${largest.toExponential(1)}`,
);

const scores = new Map(results);
const worst = Math.min(...results.slice(0, clinics.length).map(([, score]) => score));
assert.ok(largest < 1e-9, 'synchronous gradients find the exact solution');
assert.ok(Math.abs(scores.get('gradients, 2000 rounds')! - centralScore) < 1e-9, 'and so its score');
assert.ok(scores.get('parameters, 40 rounds')! > worst, 'merging beats the worst clinic');
assert.ok(centralScore - scores.get('parameters, 40 rounds')! < 0.05, 'merging comes close to all rows');
