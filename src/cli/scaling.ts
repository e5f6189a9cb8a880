import type { Child } from 'mainstem';
import { DistributedModelParametersCoordinator, Preprocessing } from 'mainstem';
import type { LabelledRows } from './digits.ts';
import { runFederation } from './federated.ts';
import type { Stage } from './progress.ts';
import type { Result, Setting } from './setting.ts';
import { childSeeds, createNetwork } from './setting.ts';

/**
 * Merges what children learn on raw pixels by plain gradient descent, without a scaler or behind one. The scaler is
 * fitted on the statistics that the children report; no row leaves its child, and the scaler comes with main.
 */
export function trainOnRawPixels(
  name: 'unscaled' | 'scaled',
  shards: readonly LabelledRows[],
  stage: Stage,
  setting: Setting,
): Promise<Result> {
  const { rounds, epochs, learningRate, batchSize } = setting.plan.scaling;
  const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: shards.length });
  const options = { learningRate, batchSize, optimizer: 'gradientDescent' } as const;
  const scaler = name === 'scaled' ? ({ preprocessing: 'standardScaler' } as const) : {};
  const models = childSeeds(setting.seed, shards.length).map((seed) =>
    createNetwork({ seed, ...options, ...scaler }),
  );
  const prepare = async (children: readonly Child[]): Promise<void> => {
    if (name === 'unscaled') {
      coordinator.setMainModelParameters(setting.start);
      return;
    }
    const preprocessing = await fitScaler(children, shards, coordinator);
    const { seed } = setting;
    coordinator.setMainModelParameters(createNetwork({ seed, preprocessing }).getModelParameters());
  };
  return runFederation({ name, coordinator, models, shards, rounds, epochs, prepare }, stage, setting);
}

/** Each child reports count, mean and spread of its columns; added up they are those of all rows. */
async function fitScaler(
  children: readonly Child[],
  shards: readonly LabelledRows[],
  coordinator: DistributedModelParametersCoordinator,
): Promise<Preprocessing> {
  const scaler = new Preprocessing('standardScaler');
  for (const [index, child] of children.entries()) {
    const { features } = shards[index] as LabelledRows;
    await child.reportFeatureStatistics(scaler.createStatistics().add(features));
  }
  const combined = coordinator.reports.featureStatistics;
  if (combined === undefined) throw new Error('no child has reported statistics');
  return scaler.fit(combined.statistics);
}
