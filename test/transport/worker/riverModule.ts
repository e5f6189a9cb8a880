// A child that trains on rows of its own, in a worker or not.
import { Child } from '../../../src/children/Child.ts';
import { LinearRegression } from '../../../src/models/LinearRegression.ts';
import type { ChildModuleContext } from '../../../src/transport/worker/runChildInWorker.ts';

export interface River {
  readonly childId: string;
  readonly features: readonly (readonly number[])[];
  readonly labels: readonly number[];
}

export async function run({ transport, data }: ChildModuleContext<River>): Promise<string> {
  const { childId, features, labels } = data;
  const model = new LinearRegression({ learningRate: 0.1 });
  model.setAreGradientsSaved(true);
  const child = await Child.connect({ transport, model, childId });
  for (let round = 0; round < 10; round++) {
    const { receipt } = await child.train(features, labels, { maximumNumberOfIterations: 1 });
    await receipt.committed;
  }
  await child.leave();
  return childId;
}
