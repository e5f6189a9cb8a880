// Patch day: the game gets a new feature, so the parameters get a new layout. Servers that are not patched yet go on
// training the old model beside the new one, which starts warm from what still fits. Behind one listener.
import assert from 'node:assert/strict';
import {
  Child,
  CoordinatorHost,
  DistributedModelParametersCoordinator,
  InProcessTransport,
  LogisticRegression,
  seededRandom,
  warmStart,
} from 'mainstem';

const classes = ['lose', 'win'];
const optionsOfModel = { classes, learningRate: 0.5, maximumNumberOfIterations: 5 };

/** Duels: strength, armour, level - and, since the patch, magic. Who wins depends on all four, and on luck. */
function duels(count: number, seed: number, isPatched: boolean): { features: number[][]; labels: string[] } {
  const random = seededRandom(seed);
  const draw = (): number => 2 * random.next() - 1;
  const features = Array.from({ length: count }, () => [draw(), draw(), draw(), draw()]);
  const labels = features.map(([strength, armour, level, magic]) => {
    const advantage = 2 * strength! + 1.5 * armour! + level! + (isPatched ? 1.5 * magic! : 0);
    return advantage + 0.5 * draw() > 0 ? 'win' : 'lose';
  });
  return { features: isPatched ? features : features.map((row) => row.slice(0, 3)), labels };
}

// Before the patch: two servers, one coordinator.
const host = new CoordinatorHost();
const transport = new InProcessTransport();
await host.listen(transport);
const old = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 2 });
host.add(old);

/** A server joins with its own duels, and returns one round of training. */
async function join(childId: string, seed: number, isPatched: boolean): Promise<() => Promise<void>> {
  const { features, labels } = duels(80, seed, isPatched);
  const model = new LogisticRegression(optionsOfModel);
  // Its parameters tell the host which generation it belongs to.
  model.train(features, labels, { maximumNumberOfIterations: 0 });
  const child = await Child.connect({ transport, model, childId });
  return async () => {
    await child.train(features, labels);
  };
}

const oldServers = [await join('old-1', 1, false), await join('old-2', 2, false)];
for (let round = 0; round < 12; round++) for (const train of oldServers) await train();

// Patch day. The new generation takes the weights of the three features that stay; magic starts at 0.
const next = new DistributedModelParametersCoordinator({ generation: 1, childUpdatesPerMerge: 2 });
const blank = new LogisticRegression(optionsOfModel);
const { features, labels } = duels(80, 3, true);
blank.train(features, labels, { maximumNumberOfIterations: 0 });
const start = warmStart(blank.getModelParameters(), old.getMainModelParameters(), { overlap: true });
next.setMainModelParameters(start.parameters);
host.add(next);

const test = duels(2_000, 4, true);
const accuracyOf = (coordinator: DistributedModelParametersCoordinator): number => {
  const main = new LogisticRegression({ classes });
  main.setModelParameters(coordinator.getMainModelParameters());
  return main.score(test.features, test.labels);
};

// A coordinator that starts cold, for comparison.
const cold = new DistributedModelParametersCoordinator({ federation: 'cold', childUpdatesPerMerge: 2 });
cold.setMainModelParameters(blank.getModelParameters());

console.log(`Taken over: ${start.taken.join(', ')}`);
const warmAtOnce = accuracyOf(next);
console.log(
  `Duels foretold after the patch: warm ${warmAtOnce.toFixed(3)}, cold ${accuracyOf(cold).toFixed(3)}`,
);

const newServers = [await join('new-1', 5, true), await join('new-2', 6, true)];
const before = old.version;
for (let round = 0; round < 20; round++) for (const train of [...oldServers, ...newServers]) await train();
const warm = accuracyOf(next);
console.log(`After 20 rounds: ${warm.toFixed(3)}`);
console.log(`Meanwhile ${old.children.join(' and ')} merged ${old.version - before} times on the old layout`);

// All servers are patched: the old generation ends.
host.remove(old);
await host.close();

assert.ok(warmAtOnce > accuracyOf(cold) + 0.2, 'the warm start knows what has not changed');
assert.ok(warm > warmAtOnce + 0.02, 'and learns what is new');
assert.equal(old.version - before, 20, 'old and new train side by side');
