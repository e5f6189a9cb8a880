import type { Model } from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  DivergedError,
  InProcessTransport,
} from 'mainstem';
import { CountingTransport } from './countingTransport.ts';
import type { LabelledRows } from './digits.ts';
import type { Stage } from './progress.ts';
import type { Result, Setting, WayName } from './setting.ts';
import { accuracyOf, childSeeds, createNetwork } from './setting.ts';

type AnyCoordinator = DistributedGradientsCoordinator | DistributedModelParametersCoordinator;

/** One federation, ready to start: nobody has joined. */
export interface Federation {
  readonly name: WayName;
  readonly coordinator: AnyCoordinator;
  readonly models: readonly Model[];
  readonly shards: readonly LabelledRows[];
  readonly rounds: number;
  /** Passes of a child over its rows in each round. */
  readonly epochs: number;
  /** What comes before the first round, where main is not set beforehand. */
  prepare?(children: readonly Child[]): Promise<void>;
}

/** Children send the gradient over all their rows; Adam moves main once a round. */
export function trainByGradients(
  shards: readonly LabelledRows[],
  stage: Stage,
  setting: Setting,
): Promise<Result> {
  const { rounds, learningRate } = setting.plan.gradients;
  const coordinator = new DistributedGradientsCoordinator({
    childrenPerUpdate: shards.length,
    optimizer: 'adam',
    learningRate,
  });
  coordinator.setModelParameters(setting.start);
  // One batch, and no step of its own: the gradient is that of all the child's rows at main.
  const models = shards.map(({ labels }) => createNetwork({ batchSize: labels.length, learningRate: 0 }));
  return runFederation({ name: 'gradients', coordinator, models, shards, rounds, epochs: 1 }, stage, setting);
}

/** Children train for a few epochs and send their parameters; main is their mean, weighted by rows. */
export function trainByParameters(
  shards: readonly LabelledRows[],
  stage: Stage,
  setting: Setting,
): Promise<Result> {
  const { rounds, epochs, learningRate, batchSize } = setting.plan.parameters;
  const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: shards.length });
  coordinator.setMainModelParameters(setting.start);
  const models = childSeeds(setting.seed, shards.length).map((seed) =>
    createNetwork({ seed, learningRate, batchSize }),
  );
  return runFederation({ name: 'parameters', coordinator, models, shards, rounds, epochs }, stage, setting);
}

/**
 * Connects the children, runs the rounds, and measures what travelled. Where the training of a child diverges, it ends
 * with the main of the round before.
 */
export async function runFederation(federation: Federation, stage: Stage, setting: Setting): Promise<Result> {
  const { name, coordinator, rounds, epochs } = federation;
  const started = setting.clock.now();
  const transport = new CountingTransport(new InProcessTransport());
  let accuracy = 0;
  try {
    await coordinator.listen(transport);
    const children = await Promise.all(
      federation.models.map((model, index) => Child.connect({ transport, model, childId: `child-${index}` })),
    );
    await federation.prepare?.(children);
    for (let round = 1; round <= rounds; round++) {
      setting.signal.throwIfAborted();
      if (!(await runRound(children, federation))) break;
      accuracy = accuracyOf(coordinator.getModelParameters(), setting);
      stage.advance(round, accuracy);
    }
    for (const child of children) await child.leave();
  } finally {
    await coordinator.close();
  }
  const seconds = (setting.clock.now() - started) / 1000;
  return { name, accuracy, rounds, epochs: rounds * epochs, bytes: transport.bytes, seconds };
}

/**
 * One after the other, so that updates arrive in the same order each time and a seed gives the same bits. False where a
 * training diverged.
 */
async function runRound(children: readonly Child[], { shards, epochs }: Federation): Promise<boolean> {
  const commits: Promise<void>[] = [];
  try {
    for (const [index, child] of children.entries()) {
      const { features, labels } = shards[index] as LabelledRows;
      const { receipt } = await child.train(features, labels, { maximumNumberOfIterations: epochs });
      commits.push(receipt.committed);
    }
  } catch (thrown) {
    if (thrown instanceof DivergedError) return false;
    throw thrown;
  }
  await Promise.all(commits);
  return true;
}
