import { describe, expect, it } from 'vitest';
import { changeOf, changeOfBeliefs } from '../../../src/models/bayesian/beliefs.ts';
import { exchangeMessages } from '../../../src/models/bayesian/exchange.ts';
import { Beta } from '../../../src/models/bayesian/families/Beta.ts';
import { Gamma } from '../../../src/models/bayesian/families/Gamma.ts';
import { Gaussian } from '../../../src/models/bayesian/families/Gaussian.ts';
import { VectorGaussian } from '../../../src/models/bayesian/families/VectorGaussian.ts';
import { SharedVariable } from '../../../src/models/bayesian/SharedVariable.ts';
import { SharedVariables } from '../../../src/models/bayesian/SharedVariables.ts';

describe('exchangeMessages', () => {
  it('says that it did not converge, and by how much', () => {
    // Says the opposite each time.
    let sign = 1;
    const machine = {
      prior: { rate: Gamma.of(5, 5) },
      computeMessage: () => {
        sign = -sign;
        return { rate: Gamma.natural(2 * sign, 0) };
      },
    };
    expect(() => exchangeMessages({ machine }, { maximumNumberOfRounds: 8, tolerance: 1e-9 })).toThrow(
      expect.objectContaining({ code: 'DID_NOT_CONVERGE' }),
    );
  });

  it('several variables of different families, and what a round was', () => {
    const said = { rate: Gamma.natural(3, 2), share: Beta.natural(1, 4) };
    const machine = { prior: { rate: Gamma.of(2, 1), share: Beta.of(1, 1) }, computeMessage: () => said };
    const { posterior, rounds } = exchangeMessages({ a: machine, b: machine });
    expect(Array.from(posterior.rate.natural)).toEqual([7, 5]);
    expect([posterior.share.a, posterior.share.b]).toEqual([3, 9]);
    expect(rounds).toHaveLength(2);
    expect(rounds[1]).toEqual({
      ...{ round: 2, residual: 0, improper: 0, messages: 2, bytes: 64, damping: 1, isConverged: true },
    });
  });

  it('a message that would make the posterior improper is taken in part, and counted', () => {
    const machine = {
      prior: { skill: Gaussian.of(0, 1) },
      computeMessage: () => ({ skill: Gaussian.natural(3, -2) }),
    };
    const { posterior, rounds } = exchangeMessages({ machine });
    // The precision is clipped at 0, the pull stays.
    expect(Array.from(posterior.skill.natural)).toEqual([3, 1]);
    expect(rounds[0]!.improper).toBe(1);
  });

  it('where there is no such part it is left out, and that is no convergence', () => {
    const machine = {
      prior: { weights: VectorGaussian.isotropic(2, 0, 1) },
      computeMessage: () => ({ weights: VectorGaussian.natural([1, 1], [-2, 0, 0, 1]) }),
    };
    expect(() => exchangeMessages({ machine }, { maximumNumberOfRounds: 5 })).toThrow(
      expect.objectContaining({ code: 'DID_NOT_CONVERGE', residual: expect.any(Number) }),
    );
  });

  it('changes are in standard deviations', () => {
    const of = (mean: number, variance: number) => VectorGaussian.of([mean, 0], [variance, 0, 0, 1]);
    expect(changeOf(of(0, 4), of(1, 4))).toBeCloseTo(0.5, 12);
    expect(changeOf(of(0, 4), of(0, 2))).toBeCloseTo(Math.log(2), 12);
    const [a, b] = [Gaussian.of(0, 1), Gaussian.of(0.25, 1)];
    expect(changeOfBeliefs({ a, b: a }, { a, b })).toBeCloseTo(0.25, 12);
  });

  it('refuses no machines, priors that are none, and messages about something else', () => {
    expect(() => exchangeMessages({})).toThrow('no machines');
    const speaking = (prior: object, message: object) => () =>
      exchangeMessages({ machine: { prior, computeMessage: () => message } as never });
    expect(speaking({ p: 3 }, {})).toThrow('prior.p is 3, expected a distribution');
    expect(speaking({ p: Gamma.uniform() }, {})).toThrow('prior.p is improper');
    expect(speaking({}, {})).toThrow('expected distributions by name');
    expect(speaking({ p: Beta.of(1, 1) }, { q: Beta.of(1, 1) })).toThrow('beliefs about q, expected p');
    expect(speaking({ p: Beta.of(1, 1) }, { p: Gamma.of(1, 1) })).toThrow('p is a gamma, expected a beta');
  });
});

describe('a proposal', () => {
  it('changes nothing until it is adopted', () => {
    const variables = new SharedVariables({ p: Beta.of(1, 1) });
    const proposals = variables.propose(new Map([['a', { p: Beta.natural(2, 3) }]]));
    expect(variables.machines).toEqual([]);
    expect(variables.posterior.p.a).toBe(1);
    variables.adopt(proposals);
    expect(variables.posterior.p.a).toBe(3);
    expect(variables.messageOf('a').p.b).toBe(4);
    expect(variables.forget('a')).toBe(true);
    expect(variables.posterior.p.a).toBe(1);
  });

  it('of messages that are too much together, as many as can be are taken', () => {
    const variable = new SharedVariable('x', VectorGaussian.isotropic(1, 0, 1));
    const said = new Map([
      ['a', VectorGaussian.natural([1], [-0.8])],
      ['b', VectorGaussian.natural([2], [-0.8])],
      ['c', VectorGaussian.natural([4], [-0.1])],
    ]);
    const { posterior, clipped, skipped } = variable.propose(said);
    expect([clipped, skipped]).toEqual([0, 1]);
    expect(posterior.natural[0]).toBe(5);
    expect(posterior.natural[1]).toBeCloseTo(0.1, 12);
  });

  it('a machine that holds the rest up is not forgotten', () => {
    const variable = new SharedVariable('x', Gaussian.of(0, 1));
    variable.receive('a', Gaussian.natural(0, 2), { round: 1 });
    variable.receive('b', Gaussian.natural(0, -2), { round: 1 });
    expect(variable.posterior.precision).toBe(1);
    expect(() => variable.forget('a')).toThrow('without a what the others say of x is improper');
    expect(variable.posterior.precision).toBe(1);
    expect(variable.forget('c')).toBe(false);
  });
});
