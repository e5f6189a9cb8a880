import { DistributedGradientsCoordinator, StoreError } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { Settlement } from '../src/Settlement.ts';
import { gradientsOf, parametersOf, settle } from './coordinators/helpers.ts';

describe('a settlement', () => {
  const watch = (settlement: Settlement): string[] => {
    const heard: string[] = [];
    settlement.onSettled(
      () => heard.push('committed'),
      ({ message }) => heard.push(message),
    );
    return heard;
  };

  test.each([
    ['before', true],
    ['after', false],
  ])('calls back at once and settles its promise, whoever asks %s it is settled', async (_when, isBefore) => {
    for (const error of [undefined, new StoreError('full')]) {
      const settlement = new Settlement();
      const end = (): void => (error === undefined ? settlement.resolve() : settlement.reject(error));
      if (!isBefore) end();
      const [heard, again] = [watch(settlement), watch(settlement)];
      const { promise } = settlement;
      expect(settlement.promise).toBe(promise);
      if (isBefore) {
        expect(heard).toEqual([]);
        end();
      }
      expect([heard, again]).toEqual(
        error === undefined ? [['committed'], ['committed']] : [['full'], ['full']],
      );
      if (error === undefined) await expect(promise).resolves.toBeUndefined();
      else await expect(promise).rejects.toBe(error);
    }
  });

  test('settles once, and nobody has to handle its rejection', async () => {
    const settlement = new Settlement();
    const heard = watch(settlement);
    void settlement.promise;
    settlement.reject(new StoreError('full'));
    settlement.resolve();
    settlement.reject(new StoreError('again'));
    await settle();
    expect(heard).toEqual(['full']);
    await expect(settlement.promise).rejects.toThrow('full');
  });
});

test('a receipt calls back when its update is committed, within the release of what was held', () => {
  const coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(parametersOf(1, 2));
  const served = coordinator.server.coordinator;
  const heard: string[] = [];
  served.hold();
  for (const [name, value] of [
    ['good', 1],
    ['bad', Number.NaN],
  ] as const) {
    const receipt = served.submit(gradientsOf([value, 1]), { childId: 'a' });
    receipt.onSettled(
      () => heard.push(`${name} committed`),
      () => heard.push(`${name} rejected`),
    );
  }
  expect(heard).toEqual(['bad rejected']);
  served.release();
  expect(heard).toEqual(['bad rejected', 'good committed']);
});
