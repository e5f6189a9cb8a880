// What a person who scripts a game changes without touching a model or a coordinator: formulas for activations, learning
// rates and merge weights, and plugins on the road of an update.
import assert from 'node:assert/strict';
import type { Plugin, Receipt } from 'mainstem';
import {
  BestMainKeeper,
  DistributedModelParametersCoordinator,
  ModelParametersMerger,
  NeuralNetwork,
  NormClipping,
  seededRandom,
  UpdateLog,
  UpdateRefusedError,
} from 'mainstem';
import { formulaActivation, formulaSchedule, formulaWeight } from 'mainstem/formulas';

/** Where an arrow lands, for angle and wind: too curved for a straight line. */
function shots(count: number, seed: number): { features: number[][]; labels: number[] } {
  const random = seededRandom(seed);
  const features = Array.from({ length: count }, () => [2 * random.next() - 1, 2 * random.next() - 1]);
  const labels = features.map(([angle, wind]) => Math.sin(2 * angle!) + wind! * angle! + 0.1 * random.next());
  return { features, labels };
}

// 1. Formulas. The activation is differentiated symbolically; all are checked when they are made.
const createModel = (): NeuralNetwork =>
  new NeuralNetwork({
    layers: [2, { units: 12, activation: formulaActivation('x * sigmoid(2 * x)') }, 1],
    learningRate: 0.02,
    learningRateSchedule: formulaSchedule('base * 0.999 ^ step'),
    seed: 5, // networks that are merged must share one start
  });
const merger = new ModelParametersMerger({
  mode: 'weightedAverage',
  weights: formulaWeight('samples / sqrt(1 + staleness)'),
});

// 2. Three plugins that come with mainstem, and one of our own.
const judge = createModel();
const heldOut = shots(300, 99);
const clipping = new NormClipping({ maximumNorm: 2 });
const log = new UpdateLog({ entriesMax: 500 });
const keeper = new BestMainKeeper({
  score(main) {
    judge.setModelParameters(main);
    return judge.score(heldOut.features, heldOut.labels);
  },
});
const curfew: Plugin = {
  name: 'curfew',
  onJoin({ childId }) {
    if (childId.startsWith('bot')) throw new UpdateRefusedError('no bots here');
  },
};

const coordinator = new DistributedModelParametersCoordinator({ merger, childUpdatesPerMerge: 4 })
  .use(log)
  .use(clipping)
  .use(keeper)
  .use(curfew);
coordinator.setMainModelParameters(createModel().getModelParameters());

// 3. Four servers train; in round 10 the last one sends nonsense, and a bot tries to get in.
const servers = [60, 120, 180, 240].map((rows, index) => ({
  childId: `server-${index + 1}`,
  model: createModel(),
  ...shots(rows, index),
}));
let bot: Receipt | undefined;
for (let round = 1; round <= 40; round++) {
  for (const { childId, model, features, labels } of servers) {
    model.setModelParameters(coordinator.getMainModelParameters());
    model.train(features, labels, { maximumNumberOfIterations: 5 });
    const parameters = model.getModelParameters();
    const isBroken = round === 10 && childId === 'server-4';
    coordinator.addModelParameters(isBroken ? parameters.scale(-50) : parameters, { childId });
  }
  if (round === 10) {
    bot = coordinator.addModelParameters(createModel().getModelParameters(), { childId: 'bot-7' });
  }
}

const { best } = keeper;
const received = log.entries.filter(({ event }) => event === 'received');
const largest = received.reduce((a, b) => ((a.norm ?? 0) > (b.norm ?? 0) ? a : b));
console.log(
  `${received.length} updates in the log; the largest is of ${largest.childId}, for version ${largest.version + 1}`,
);
console.log(`Clipped: ${clipping.clippedUpdates}. The bot: ${bot?.status}, ${bot?.reason?.message}`);
console.log(`R² of the best main, version ${best?.version}: ${best?.score.toFixed(3)}`);

assert.equal(largest.childId, 'server-4');
assert.equal(bot?.status, 'refused');
assert.ok(clipping.clippedUpdates >= 1, 'the nonsense is clipped');
assert.ok((best?.score ?? 0) > 0.95, 'and the others have learnt in spite of it');
