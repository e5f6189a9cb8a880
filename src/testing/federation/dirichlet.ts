import type { Random } from '../../random.ts';
import { standardNormal } from '../../random.ts';

/** Shares that add up to 1, from a symmetric Dirichlet distribution: gamma variables over their sum. */
export function drawDirichlet(length: number, alpha: number, random: Random): number[] {
  // Logarithms: with a small alpha the variables themselves are too small for any number.
  const logs = Array.from({ length }, () => drawLogGamma(alpha, random));
  const most = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - most));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** The logarithm of a gamma variable (Marsaglia and Tsang 2000; below 1 by their section 6). */
function drawLogGamma(shape: number, random: Random): number {
  if (shape < 1) return drawLogGamma(shape + 1, random) + Math.log(1 - random.next()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = standardNormal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v))
      return Math.log(d * v);
  }
}
