// The tutorial with LogisticRegression: who wins, by the difference in level and in health?
import assert from 'node:assert/strict';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  LogisticRegression,
  ModelParametersMerger,
  seededRandom,
} from 'mainstem';

/** Duels that one game server has seen: what the player is ahead by, −1 to 1, and how it ended. */
function duels(count: number, seed: number): { features: number[][]; labels: string[] } {
  const random = seededRandom(seed);
  const features = Array.from({ length: count }, () => [2 * random.next() - 1, 2 * random.next() - 1]);
  const labels = features.map(([level = 0, health = 0]) => {
    const chance = 1 / (1 + Math.exp(-(6 * level + 3 * health)));
    return random.next() < chance ? 'won' : 'lost';
  });
  return { features, labels };
}

const test = duels(1000, 4);
const model1 = new LogisticRegression();
const model2 = new LogisticRegression();
const model3 = new LogisticRegression();
const children = [
  { model: model1, rows: duels(25, 1) },
  { model: model2, rows: duels(25, 2) },
  { model: model3, rows: duels(25, 3) },
];

console.log('LogisticRegression: won or lost. Share of unseen duels foretold');
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
for (let round = 1; round <= 300; round++) {
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
const [won] = model1.predictProbabilities([[0.2, 0.1]]).map(([, second = 0]) => second);
console.log(`  a player who is 0.2 levels and 0.1 health ahead wins with ${((won ?? 0) * 100).toFixed(0)} %`);

assert.ok(byGradients > 0.85 && byParameters > 0.85, 'main foretells most duels');
assert.ok(
  byGradients > Math.min(...alone) && byParameters > Math.min(...alone),
  'main beats the worst child',
);
