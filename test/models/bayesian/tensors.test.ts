import { expect, it } from 'vitest';
import { Beta } from '../../../src/models/bayesian/families/Beta.ts';
import { Gaussian } from '../../../src/models/bayesian/families/Gaussian.ts';
import { layoutOfBeliefs, parametersOfBeliefs, readBeliefs } from '../../../src/models/bayesian/tensors.ts';

it('beliefs are tensors of natural parameters, and beliefs again', () => {
  const prior = { skill: Gaussian.of(0, 4), luck: Beta.of(2, 3) };
  const layout = layoutOfBeliefs(prior);
  expect(layout.tensors.map(({ name, shape }) => [name, shape])).toEqual([
    ['skill', [2]],
    ['luck', [2]],
  ]);
  const said = { skill: Gaussian.natural(1, 2), luck: Beta.natural(3, 4) };
  const parameters = parametersOfBeliefs(said, layout);
  expect(Array.from(parameters.values)).toEqual([1, 2, 3, 4]);
  const read = readBeliefs(parameters, prior);
  expect([read.skill.precision, read.luck.a]).toEqual([2, 4]);
  // A copy.
  parameters.values[1] = 9;
  expect(read.skill.precision).toBe(2);
});

it('the layout names families and prior, as any language can compute them', () => {
  const { architecture } = layoutOfBeliefs({ skill: Gaussian.of(-0, 4), luck: Beta.of(2, 3) });
  // Python: sha256(struct.pack('<4d', 0, 0.25, 1, 2)).hexdigest()[:32].
  expect(architecture).toEqual({
    model: 'Beliefs',
    families: { skill: 'gaussian', luck: 'beta' },
    prior: '2ff555067d62ef10efc4340934d08049',
  });
  const other = layoutOfBeliefs({ skill: Gaussian.of(0, 4), luck: Beta.of(2, 3.5) });
  expect(other.architecture?.prior).not.toBe('2ff555067d62ef10efc4340934d08049');
});
