// The function of a child that runs in a Web Worker.
import { Child, kernels } from 'mainstem';
import type { ChildModuleContext } from 'mainstem/worker';
import { createModel, features, labels } from './model.ts';

export async function run({ transport, data }: ChildModuleContext<{ childId: string }>): Promise<string> {
  const child = await Child.connect({ transport, model: createModel(), childId: data.childId });
  const { receipt } = await child.train(features, labels);
  await receipt.committed;
  await child.leave();
  return kernels.name;
}
