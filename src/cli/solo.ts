import type { LabelledRows } from './digits.ts';
import { epochsAlone } from './plan.ts';
import type { Stage } from './progress.ts';
import type { Result, Setting } from './setting.ts';
import { accuracyOf, childSeeds, createNetwork } from './setting.ts';

/** Trains each child on its own rows only; the accuracy is the mean over the children. */
export async function trainAlone(
  shards: readonly LabelledRows[],
  stage: Stage,
  setting: Setting,
): Promise<Result> {
  const started = setting.clock.now();
  const seeds = childSeeds(setting.seed, shards.length);
  const accuracies: number[] = [];
  for (const [index, rows] of shards.entries()) {
    accuracies.push(await trainOne(rows, seeds[index] as number, setting));
    stage.advance(index + 1, mean(accuracies));
  }
  return {
    name: 'alone',
    accuracy: mean(accuracies),
    accuracyMin: Math.min(...accuracies),
    accuracyMax: Math.max(...accuracies),
    rounds: 0,
    epochs: epochsAlone(setting.plan),
    bytes: 0,
    seconds: (setting.clock.now() - started) / 1000,
  };
}

/** Trains one model on all rows, as if they could be brought to one place. */
export async function trainCentrally(rows: LabelledRows, stage: Stage, setting: Setting): Promise<Result> {
  const started = setting.clock.now();
  const accuracy = await trainOne(rows, setting.seed, setting, stage);
  const seconds = (setting.clock.now() - started) / 1000;
  return { name: 'central', accuracy, rounds: 0, epochs: epochsAlone(setting.plan), bytes: 0, seconds };
}

async function trainOne(rows: LabelledRows, seed: number, setting: Setting, stage?: Stage): Promise<number> {
  const { learningRate, batchSize } = setting.plan.parameters;
  const network = createNetwork({ seed, learningRate, batchSize });
  network.setModelParameters(setting.start);
  await network.trainAsync(rows.features, rows.labels, {
    maximumNumberOfIterations: epochsAlone(setting.plan),
    signal: setting.signal,
    onIteration: ({ iteration }) => stage?.advance(iteration),
  });
  return accuracyOf(network.getModelParameters(), setting);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
