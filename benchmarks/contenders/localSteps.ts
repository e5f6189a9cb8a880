// Children of the digits that train many steps between two exchanges, and the same children exchanging at each step.
import type { ServerOptimizerOptions } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  NeuralNetwork,
  seededRandom,
} from 'mainstem';
import { digitLayers, digits, type Shards, shuffled } from './federation.ts';

/** What both ways have in common. */
export interface Steps {
  readonly shards: Shards;
  readonly learningRate: number;
  readonly seed: number;
  /** Exchanges of the one that exchanges seldom. */
  readonly rounds: number;
  /** Passes over a child's rows between two exchanges, of six batches each. */
  readonly epochs: number;
}

const batchSize = 30;
const batches = 6;

function network({ learningRate, seed, epochs }: Steps): NeuralNetwork {
  const options = { learningRate, batchSize, seed, maximumNumberOfIterations: epochs };
  return new NeuralNetwork({ layers: digitLayers, classes: [...digits], optimizer: 'adamW', ...options });
}

/** Accuracy in per cent after rounds of local AdamW, whose state stays with each child. */
export function seldom(steps: Steps, server: ServerOptimizerOptions): number {
  const { children, test } = steps.shards;
  const mode = { mode: 'synchronous', children: children.length, deadline: 'none' } as const;
  const coordinator = new DistributedModelParametersCoordinator({ mode, ...server });
  const models = children.map(() => network(steps));
  const judge = network(steps);
  coordinator.setMainModelParameters(judge.getModelParameters());
  for (let round = 0; round < steps.rounds; round++) {
    const main = coordinator.getMainModelParameters();
    for (const [i, { features, labels }] of children.entries()) {
      const model = models[i]!;
      model.setModelParameters(main);
      model.train(features, labels);
      coordinator.addModelParameters(model.getModelParameters(), { childId: String(i) });
    }
  }
  judge.setModelParameters(coordinator.getMainModelParameters());
  return 100 * judge.score(test.features, test.labels);
}

/** The same number of steps of AdamW on main, each along the mean gradient of a batch of every child. */
export function always(steps: Steps): number {
  const { learningRate, seed, rounds, epochs } = steps;
  const { children, test } = steps.shards;
  const mode = { mode: 'synchronous', children: children.length, deadline: 'none' } as const;
  const coordinator = new DistributedGradientsCoordinator({ mode, optimizer: 'adamW', learningRate });
  const model = network(steps);
  coordinator.setModelParameters(model.getModelParameters());
  const random = seededRandom(seed, 5);
  for (let epoch = 0; epoch < rounds * epochs; epoch++) {
    const orders = children.map(({ labels }) => shuffled([...labels.keys()], random));
    for (let batch = 0; batch < batches; batch++) {
      model.setModelParameters(coordinator.getModelParameters());
      for (const [i, { features, labels }] of children.entries()) {
        const rows = orders[i]!.slice(batch * batchSize, (batch + 1) * batchSize);
        const gradients = model.computeGradients(
          rows.map((row) => features[row]!),
          rows.map((row) => labels[row]!),
        );
        coordinator.addGradients(gradients, { childId: String(i) });
      }
    }
  }
  model.setModelParameters(coordinator.getModelParameters());
  return 100 * model.score(test.features, test.labels);
}
