import { InvalidOptionError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import { show } from '../show.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { weightRanges } from './DenseNetwork.ts';

/** A penalty on the size of the weights: l1 ‖weights‖₁ + l2/2 ‖weights‖²; biases go free. Both: an elastic net. */
export interface Penalty {
  /** λ of λ Σ |weight|, which makes weights 0; 0. Its slope at 0 counts as 0. */
  l1?: number;
  /** λ of λ/2 Σ weight²; 0. */
  l2?: number;
}

/** Throws InvalidOptionError unless the value is a legal `penalty` option. */
export function checkPenalty(value: unknown, name: string): void {
  const isObject = typeof value === 'object' && value !== null;
  const entries = isObject ? Object.entries(value).filter(([, lambda]) => lambda !== undefined) : [];
  const isLegal = entries.every(
    ([key, lambda]) => (key === 'l1' || key === 'l2') && Number.isFinite(lambda) && (lambda as number) >= 0,
  );
  if (isLegal && entries.length > 0) return;
  throw new InvalidOptionError(
    `${name} is ${show(value)}, expected { l1: λ, l2: λ } or one of them, λ 0 or more`,
  );
}

/** Adds the gradient of the penalty to `gradient`, if given, and returns the penalty. */
export function addPenalty(
  network: DenseNetwork,
  values: Values,
  { l1, l2 }: Required<Penalty>,
  gradient?: Float64Array,
): number {
  if (l1 === 0 && l2 === 0) return 0;
  let cost = 0;
  for (const [start, end] of weightRanges(network)) {
    for (let i = start; i < end; i++) {
      const weight = values[i] as number;
      cost += l1 * Math.abs(weight) + (l2 / 2) * weight * weight;
      if (gradient !== undefined)
        gradient[i] = (gradient[i] as number) + l1 * Math.sign(weight) + l2 * weight;
    }
  }
  return cost;
}
