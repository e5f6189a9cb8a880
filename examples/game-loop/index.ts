// A game loop of 60 ticks a second in which four shards train a slice in every tick. Nothing waits for real time:
// the ticks run one after the other, and the clock says how long each one took.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TrainingStep, TypedMatrix } from 'mainstem';
import { DistributedModelParametersCoordinator, NeuralNetwork, systemClock } from 'mainstem';
import { attach } from 'mainstem/game';

const ticks = 600; // 10 seconds of play
const tickMs = 1000 / 60;
const stepsPerTick = 4; // of each shard; a step is one batch of 32 rows
const roundIterations = 2; // passes over its rows that a shard makes before it sends

// Handwritten digits, 8 × 8 pixels of 0 to 16. In a game these would be rows of telemetry.
const file = new URL('../../data/digits.csv', import.meta.url);
const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
const rows = lines.map((line) => line.split(',').map(Number));
// A typed matrix is taken as it is. Nested arrays work too, but would be converted at the start of every round, and
// the ticks that do so would be longer.
const read = (part: number[][]): Rows => ({
  features: {
    data: Float32Array.from(part.flatMap((row) => row.slice(0, 64).map((pixel) => pixel / 16))),
    rows: part.length,
    columns: 64,
  },
  labels: part.map((row) => row[64]!),
});
interface Rows {
  features: TypedMatrix;
  labels: number[];
}
const test = read(rows.filter((_, index) => index % 5 === 4));
const train = rows.filter((_, index) => index % 5 !== 4);

/** One shard of the game: its rows, its model, and the training that is under way. */
class Shard {
  readonly childId: string;
  readonly model = new NeuralNetwork({
    // Every shard has the same seed, 0 unless given: networks that are merged must share one start.
    layers: [64, { units: 32, activation: 'relu' }, { units: 10, activation: 'softmax' }],
    learningRate: 0.01,
  });
  readonly #rows: Rows;
  #training: Iterator<TrainingStep, number[]> | undefined;

  constructor(index: number) {
    this.childId = `shard ${index + 1}`;
    this.#rows = read(train.filter((_, row) => row % 4 === index));
    this.startRound();
  }

  startRound(): void {
    const { features, labels } = this.#rows;
    this.#training = this.model.trainIterator(features, labels, {
      maximumNumberOfIterations: roundIterations,
    });
  }

  /** Trains a little; sends the parameters once the round is through, and then waits for the new main. */
  tick(): void {
    for (let step = 0; step < stepsPerTick && this.#training !== undefined; step++) {
      if (this.#training.next().done !== true) continue;
      this.#training = undefined;
      coordinator.addModelParameters(this.model.getModelParameters(), { childId: this.childId });
    }
  }
}

// With `drive: 'tick'` adding parameters only puts them into a queue; the loop that it is attached to works it off, within
// a budget in each tick.
const shards = Array.from({ length: 4 }, (_, index) => new Shard(index));
const coordinator = new DistributedModelParametersCoordinator({
  drive: 'tick',
  childUpdatesPerMerge: shards.length,
});
coordinator.on('mainUpdated', () => {
  const main = coordinator.getMainModelParameters();
  for (const shard of shards) {
    shard.model.setModelParameters(main);
    shard.startRound();
  }
});

const game = new EventEmitter();
for (const shard of shards) game.on('tick', () => shard.tick());
const attachment = attach(game, coordinator, { budgetMs: 1 });
const lengthsMs: number[] = [];
for (let tick = 0; tick < ticks; tick++) {
  const startMs = systemClock.now();
  game.emit('tick');
  lengthsMs.push(systemClock.now() - startMs);
}
const { work, overruns } = attachment.stats();
attachment.detach();

const judge = new NeuralNetwork();
judge.setModelParameters(coordinator.getMainModelParameters());
const accuracy = judge.score(test.features, test.labels);
lengthsMs.sort((a, b) => a - b);
const at = (share: number): string => lengthsMs[Math.floor(share * (ticks - 1))]!.toFixed(2);
console.log(`${shards.length} shards, ${ticks} ticks, ${coordinator.version} merges`);
console.log(`Digits recognised, of ${test.labels.length} unseen: ${(100 * accuracy).toFixed(1)} %`);
console.log(`Tick: median ${at(0.5)} ms, 99 % within ${at(0.99)} ms, longest ${at(1)} ms`);
console.log(
  `Merging in ${work.count} of them: median ${work.median.toFixed(2)} ms, beyond 1 ms in ${overruns.count}`,
);
console.log(`At 60 Hz there are ${tickMs.toFixed(1)} ms for a tick`);

assert.ok(coordinator.version > 50, 'main is merged again and again');
assert.ok(accuracy > 0.93, 'main recognises the digits');
