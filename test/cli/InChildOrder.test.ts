import { DistributedModelParametersCoordinator, ModelParameters, seededRandom } from 'mainstem';
import { mergerContract } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { InChildOrder } from '../../src/cli/InChildOrder.ts';
import { shuffle } from '../../src/cli/shuffle.ts';

describe('the contract of mergers', () => {
  for (const { name, run } of mergerContract({ create: () => new InChildOrder() })) test(name, run);
});

test('any order of arrival has the same bits', () => {
  const random = seededRandom(1);
  const children = Array.from({ length: 7 }, (_, i) => ({
    childId: `child-${i}`,
    weights: Array.from({ length: 50 }, () => 1e3 ** (4 * random.next() - 2)),
  }));
  const mainOf = (order: typeof children): number[] => {
    const coordinator = new DistributedModelParametersCoordinator({
      childUpdatesPerMerge: 7,
      merger: new InChildOrder(),
    });
    for (const { childId, weights } of order)
      coordinator.addModelParameters(
        ModelParameters.fromArrays({ weights }, { sampleCount: weights.length }),
        {
          childId,
        },
      );
    return [...coordinator.getMainModelParameters().values];
  };
  const expected = mainOf(children);
  for (let i = 0; i < 20; i++) expect(mainOf(shuffle([...children], random))).toEqual(expected);
});
