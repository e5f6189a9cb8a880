import type { ServerTransport } from 'mainstem';
import { DistributedGradientsCoordinator, InProcessTransport, LinearRegression } from 'mainstem';
import { WorkerTransport } from 'mainstem/worker';
import { expect, test } from 'vitest';
import { runChildWith } from '../../../src/transport/worker/runChildInWorker.ts';
import { nodeChild } from '../../../src/transport/worker/startWorker.ts';
import type { River } from './riverModule.ts';
import { run } from './riverModule.ts';
import { startSource } from './support.ts';

const rivers: River[] = [0, 1, 2].map((shift) => {
  const features = Array.from({ length: 30 }, (_, i) => [
    Math.sin(7.3 * i + shift),
    Math.cos(3.1 * i + shift),
  ]);
  return { childId: `river ${shift}`, features, labels: features.map(([a, b]) => 2 * a! - b! + 0.5) };
});

/** Main after 10 rounds. */
async function mainAfter(
  transport: ServerTransport,
  start: (river: River) => Promise<unknown>,
): Promise<{ readonly version: number; readonly values: number[] }> {
  const coordinator = new DistributedGradientsCoordinator({ childrenPerUpdate: 3, learningRate: 0.1 });
  const model = new LinearRegression({ learningRate: 0.1 });
  model.train(rivers[0]!.features, rivers[0]!.labels, { maximumNumberOfIterations: 1 });
  coordinator.setModelParameters(model.getModelParameters());
  await coordinator.listen(transport);
  expect(await Promise.all(rivers.map(start))).toEqual(['river 0', 'river 1', 'river 2']);
  const { version } = coordinator;
  const { values } = coordinator.getModelParameters();
  await coordinator.close();
  return { version, values: [...values] };
}

test('children in workers give the main that they give in process', async () => {
  const inProcess = new InProcessTransport();
  const { signal } = new AbortController();
  const expected = await mainAfter(inProcess, (data) => run({ transport: inProcess, data, signal }));
  const transport = new WorkerTransport();
  const got = await mainAfter(transport, (data) => {
    const options = { transport, data };
    const start = (_name: string, listener: Parameters<typeof nodeChild>[1]): ReturnType<typeof nodeChild> =>
      nodeChild(startSource('../../../src/transport/worker/entry.ts'), listener);
    return runChildWith(new URL('riverModule.ts', import.meta.url), options, start).result;
  });
  expect(got.version).toBe(expected.version);
  for (const [i, value] of got.values.entries()) expect(value).toBeCloseTo(expected.values[i]!, 12);
});
