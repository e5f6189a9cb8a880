import { describe, expect, it } from 'vitest';
import { Convergence } from '../../../src/models/bayesian/Convergence.ts';
import { Gaussian } from '../../../src/models/bayesian/families/Gaussian.ts';

/** A round in which the mean has moved by so many standard deviations. */
function moved(by: number, improper = 0) {
  const [before, after] = [Gaussian.of(0, 1), Gaussian.of(by, 1)];
  return {
    before: { x: before },
    after: { x: after },
    clipped: improper,
    skipped: 0,
    messages: 1,
    bytes: 16,
  };
}

describe('Convergence', () => {
  it('halves its steps where rounds get worse, and doubles them again after three that do not', () => {
    const convergence = new Convergence(1e-6);
    const damping = [1, 0.5, 0.6, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02].map(
      (by) => convergence.ended(moved(by)).damping,
    );
    expect(damping).toEqual([1, 1, 0.5, 0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 1]);
  });

  it('takes no steps that are too small to get anywhere', () => {
    const convergence = new Convergence(1e-6);
    for (let round = 1; round < 20; round++) convergence.ended(moved(round, 1));
    expect(convergence.damping).toBe(0.1);
  });

  it('begins anew where something was changed from outside', () => {
    const convergence = new Convergence(1e-6);
    for (const by of [1, 2, 3, 4]) convergence.ended(moved(by));
    expect(convergence.damping).toBe(0.25);
    convergence.restart();
    // What came before is no measure of what comes now.
    expect(convergence.ended(moved(5)).damping).toBe(1);
    expect(convergence.ended(moved(6)).damping).toBe(1);
    expect(convergence.ended(moved(7)).damping).toBe(0.5);
  });

  it('with small steps it asks for as much less', () => {
    const convergence = new Convergence(1e-3);
    for (const by of [1, 2, 3, 4]) convergence.ended(moved(by));
    expect(convergence.ended(moved(0.9e-3)).isConverged).toBe(false);
    expect(convergence.ended(moved(0.2e-3)).isConverged).toBe(true);
  });

  it('a message that is left out is no convergence', () => {
    const convergence = new Convergence(1e-3);
    const report = convergence.ended({ ...moved(0), skipped: 1 });
    expect([report.isConverged, report.improper, report.residual]).toEqual([false, 1, 0]);
  });
});
