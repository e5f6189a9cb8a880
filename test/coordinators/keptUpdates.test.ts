import type { Drive, GradientModel, Plugin } from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  Gradients,
  InProcessTransport,
  ModelParameters,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { flatLayout, settle } from './helpers.ts';

const layout = flatLayout(2_000);
const filled = (value: number): Float64Array<ArrayBuffer> => new Float64Array(layout.length).fill(value);

/** Its update of number n is n everywhere. */
class Counting implements GradientModel {
  #sent = 0;
  setAreGradientsSaved(): void {}
  train = (): number[] => [];
  predict = (): number[] => [];
  computeGradients = (): Gradients => this.getGradients();
  setModelParameters(): void {}
  getModelParameters = (): ModelParameters => new ModelParameters(layout, filled(0));
  getGradients = (): Gradients => new Gradients(layout, filled(++this.#sent), { sampleCount: 1 });
}

// Memory that is given back is overwritten at once in tests: see test/setup.
describe('the memory of a decoded update', () => {
  test.each([
    'immediate',
    'tick',
  ] satisfies Drive[])('is not used again while a plugin may have it, drive %s', async (drive) => {
    const clock = new VirtualClock();
    const coordinator = new DistributedGradientsCoordinator({ clock, drive, learningRate: 1 });
    coordinator.setModelParameters(new ModelParameters(layout, filled(0)));
    const kept: Float64Array[] = [];
    const keeper: Plugin = {
      name: 'keeper',
      onUpdate({ content }) {
        kept.push(content.values as Float64Array);
        return undefined;
      },
    };
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const child = await Child.connect({ transport, model: new Counting(), childId: 'a', clock });
    const send = async (): Promise<void> => {
      const sent = child.send();
      await settle();
      coordinator.tick(1_000);
      await (await sent).committed;
    };
    await send();
    coordinator.use(keeper);
    await send();
    await send();
    // The plugin goes while an update is under way.
    const stop = coordinator.on('updateReceived', () => coordinator.removePlugin('keeper'));
    await send();
    stop();
    for (let i = 0; i < 5; i++) await send();
    expect(kept).toEqual([filled(2), filled(3), filled(4)]);
    const sum = (9 * 10) / 2;
    expect(coordinator.getModelParameters().values).toEqual(filled(-sum));
  });
});
