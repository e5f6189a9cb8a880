// A model, a merger and a plugin of your own. mainstem needs no base class, only the methods of a contract, and the
// suites in mainstem/testing say whether a class keeps it.
import assert from 'node:assert/strict';
import type { Plugin } from 'mainstem';
import {
  DistributedModelParametersCoordinator,
  ModelParametersMerger,
  seededRandom,
  UpdateRefusedError,
} from 'mainstem';
import { mergerContract, modelContract, runContract } from 'mainstem/testing';
import { ClassMeans } from './ClassMeans.ts';
import { Median } from './Median.ts';

const classes = ['archer', 'knight', 'mage'];

/** Players: how near they stand, how much they heal. Each class has a place of its own, and some spread. */
function players(count: number, seed: number): { features: number[][]; labels: string[] } {
  const random = seededRandom(seed);
  const places = [
    [-1, 0],
    [1, 0.5],
    [0, 2],
  ];
  const labels = Array.from({ length: count }, (_, index) => classes[index % classes.length]!);
  const features = labels.map((_label, index) =>
    places[index % classes.length]!.map((place) => place + 2.4 * (random.next() - 0.5)),
  );
  return { features, labels };
}

// 1. Do our parts keep their contracts? runContract throws, and says which promise is broken, where they do not.
const few = players(12, 1);
const modelCases = await runContract(modelContract({ create: () => new ClassMeans(classes), ...few }));
const mergerCases = await runContract(mergerContract({ create: () => new Median() }));
console.log(`ClassMeans keeps ${modelCases} promises of a Model, Median ${mergerCases} of a Merger`);

// 2. Five children train our model. The last one's numbers are eight times too large, with the wrong sign. The
// median does not mind, the mean does.
const test = players(900, 2);
const children = [3, 4, 5, 6, 7].map((seed) => {
  const { features, labels } = players(60, seed);
  const isBroken = seed === 7;
  const model = new ClassMeans(classes);
  model.train(isBroken ? features.map((row) => row.map((value) => -8 * value)) : features, labels);
  return { childId: `child ${seed}`, model };
});
const accuracyOf = (model: ClassMeans): number => {
  const right = model.predict(test.features).filter((label, index) => label === test.labels[index]);
  return right.length / test.labels.length;
};
const merged = (merger: Median | ModelParametersMerger): number => {
  const coordinator = new DistributedModelParametersCoordinator({ merger });
  for (const { childId, model } of children) {
    coordinator.addModelParameters(model.getModelParameters(), { childId });
  }
  const main = new ClassMeans(classes);
  main.setModelParameters(coordinator.getMainModelParameters());
  return accuracyOf(main);
};
const byMedian = merged(new Median());
const byMean = merged(new ModelParametersMerger());
console.log(
  `Players recognised, one of five children being broken: median ${byMedian.toFixed(3)}, mean ${byMean.toFixed(3)}`,
);

// 3. A plugin that refuses what is too large to be true. The sender learns why; main does not change.
const normLimit = (largest: number): Plugin => ({
  name: 'norm-limit',
  onUpdate({ childId, content }) {
    const norm = content.norm();
    if (norm > largest) {
      throw new UpdateRefusedError(
        `the norm of ${childId} is ${norm.toFixed(1)}, at most ${largest} is allowed`,
      );
    }
  },
});
const guarded = new DistributedModelParametersCoordinator().use(normLimit(4));
const receipts = children.map(({ childId, model }) => {
  const receipt = guarded.addModelParameters(model.getModelParameters(), { childId });
  console.log(`  ${childId}: ${receipt.status}${receipt.reason ? `, ${receipt.reason.message}` : ''}`);
  return receipt;
});
const main = new ClassMeans(classes);
main.setModelParameters(guarded.getMainModelParameters());
const byGuardedMean = accuracyOf(main);
console.log(`With the plugin the mean recognises ${byGuardedMean.toFixed(3)}`);

assert.ok(byMedian > byMean + 0.1, 'the median withstands the broken child');
assert.deepEqual(
  receipts.map(({ status }) => status),
  ['applied', 'applied', 'applied', 'applied', 'refused'],
);
assert.ok(byGuardedMean > byMean + 0.1, 'so does the mean behind the plugin');
