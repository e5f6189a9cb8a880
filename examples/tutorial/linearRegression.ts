// The tutorial with LinearRegression: how much damage does a hit do, by the player's level and weapon?
import assert from 'node:assert/strict';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  LinearRegression,
  ModelParametersMerger,
  seededRandom,
} from 'mainstem';

/** Hits that one game server has seen. Level and weapon are 0 to 1: unscaled features make training diverge. */
function hits(count: number, seed: number, lowestLevel: number): { features: number[][]; labels: number[] } {
  const random = seededRandom(seed);
  const features = Array.from({ length: count }, () => [lowestLevel + random.next() / 3, random.next()]);
  const labels = features.map(([level = 0, weapon = 0]) => {
    const luck = 8 * (random.next() - 0.5);
    return 5 + 30 * level + 12 * weapon + luck;
  });
  return { features, labels };
}

// Three servers, for beginners, for regulars and for experts. Nobody sees the rows of another.
const rows1 = hits(30, 1, 0);
const rows2 = hits(30, 2, 1 / 3);
const rows3 = hits(30, 3, 2 / 3);
// Hits of all levels that nobody trains on.
const tests = [hits(100, 4, 0), hits(100, 5, 1 / 3), hits(100, 6, 2 / 3)];
const test = {
  features: tests.flatMap(({ features }) => features),
  labels: tests.flatMap(({ labels }) => labels),
};

const model1 = new LinearRegression();
const model2 = new LinearRegression();
const model3 = new LinearRegression();
const children = [
  { model: model1, rows: rows1 },
  { model: model2, rows: rows2 },
  { model: model3, rows: rows3 },
];

console.log('LinearRegression: damage by level and weapon. R² on rows that nobody has trained on');
// For as many iterations as main will get altogether, so that the comparison is fair.
for (const { model, rows } of children) {
  model.train(rows.features, rows.labels, { maximumNumberOfIterations: 2000 });
}
const alone = children.map(({ model }) => model.score(test.features, test.labels));
console.log(`  each on its own rows   ${alone.map((score) => score.toFixed(3)).join('  ')}`);

// 1. Gradients. Main starts where model 1 is; every child's gradients move it at once.
const gradientsCoordinator = new DistributedGradientsCoordinator();
gradientsCoordinator.setModelParameters(model1.getModelParameters());
for (const { model } of children) {
  model.setAreGradientsSaved(true);
  model.setParameters({ maximumNumberOfIterations: 1 });
}
for (let round = 1; round <= 500; round++) {
  for (const { model, rows } of children) {
    model.train(rows.features, rows.labels);
    gradientsCoordinator.addGradients(model.getGradients());
    model.setModelParameters(gradientsCoordinator.getModelParameters());
  }
}
const byGradients = model1.score(test.features, test.labels);
console.log(`  main, by gradients     ${byGradients.toFixed(3)}`);

// 2. Parameters. The children train for longer; main is the mean of their latest parameters.
const parametersCoordinator = new DistributedModelParametersCoordinator();
parametersCoordinator.setModelParametersMerger(new ModelParametersMerger());
for (const { model } of children) {
  model.setAreGradientsSaved(false);
  model.setParameters({ maximumNumberOfIterations: 500 });
}
for (const { model, rows } of children) {
  model.train(rows.features, rows.labels);
  parametersCoordinator.addModelParameters(model.getModelParameters());
}
for (const { model } of children) model.setModelParameters(parametersCoordinator.getMainModelParameters());
const byParameters = model1.score(test.features, test.labels);
console.log(`  main, by parameters    ${byParameters.toFixed(3)}`);
const [level, weapon, start] = Array.from(model1.getModelParameters().values, (value) => value.toFixed(1));
console.log(`  main: damage = ${level} · level + ${weapon} · weapon + ${start}; the truth: 30, 12, 5`);

assert.ok(byGradients > 0.9 && byParameters > 0.9, 'main explains the damage');
assert.ok(
  byGradients > Math.min(...alone) && byParameters > Math.min(...alone),
  'main beats the worst child',
);
