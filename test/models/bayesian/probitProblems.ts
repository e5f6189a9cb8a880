import type { BayesPointMachineOptions } from '../../../src/models/bayesian/probit/BayesPointMachine.ts';
import { BayesPointMachine } from '../../../src/models/bayesian/probit/BayesPointMachine.ts';
import { seededRandom, standardNormal } from '../../../src/random.ts';

export interface Problem {
  readonly features: number[][];
  readonly labels: number[];
}

/** Rows of classes that no line parts: two, or as many as wanted, each with weights of its own. */
export function problem(seed: number, rows: number, size: number, classes = 2): Problem {
  const random = seededRandom(seed);
  const vectors = Array.from({ length: classes === 2 ? 1 : classes }, () =>
    Array.from({ length: size }, () => standardNormal(random)),
  );
  const features = Array.from({ length: rows }, () =>
    Array.from({ length: size }, () => standardNormal(random)),
  );
  const labels = features.map((x) => {
    const scores = vectors.map((weights) => dot(x, weights) + standardNormal(random));
    if (classes === 2) return scores[0]! > 0 ? 1 : 0;
    return scores.indexOf(Math.max(...scores));
  });
  return { features, labels };
}

/** Machines that share the rows: dealt out, or sorted by label so that some see one class alone. */
export function machinesOf(
  { features, labels }: Problem,
  count: number,
  isSorted = false,
  options: BayesPointMachineOptions = {},
): Record<string, BayesPointMachine> {
  const order = [...labels.keys()];
  if (isSorted) order.sort((a, b) => labels[a]! - labels[b]!);
  const classes = [...new Set([0, 1, ...labels])];
  return Object.fromEntries(
    Array.from({ length: count }, (_, machine) => {
      const own = isSorted
        ? order.slice((machine * order.length) / count, ((machine + 1) * order.length) / count)
        : order.filter((row) => row % count === machine);
      const model = new BayesPointMachine({ classes, ...options });
      model.observe(
        own.map((row) => features[row]!),
        own.map((row) => labels[row]!),
      );
      return [`machine-${machine}`, model];
    }),
  );
}

export function dot(a: readonly number[], b: ArrayLike<number>): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** xᵀ matrix x. */
export function quadratic(x: readonly number[], matrix: ArrayLike<number>): number {
  let sum = 0;
  for (let r = 0; r < x.length; r++)
    for (let c = 0; c < x.length; c++) sum += x[r]! * matrix[r * x.length + c]! * x[c]!;
  return sum;
}

/** The largest difference of two lists. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
