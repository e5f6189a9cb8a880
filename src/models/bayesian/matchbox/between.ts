import { normalCdf, normalDensity, truncation } from '../probit/normal.ts';
import { bivariateNormalCdf, bivariateNormalDensity } from './bivariateNormal.ts';

/** A normal variable. */
export interface Normal {
  readonly mean: number;
  readonly variance: number;
}

/** How the logarithm of a probability changes with the mean of a variable: its slope, and minus its curvature. */
export interface Change {
  slope: number;
  curvature: number;
}

/** What it means that a variable is between two others. */
export interface Between {
  probability: number;
  readonly value: Change;
  readonly lower: Change;
  readonly upper: Change;
}

/** Below this the integral has too few digits left; what is nearer decides then. */
const probabilityMin = 1e-9;

export function createBetween(): Between {
  const change = (): Change => ({ slope: 0, curvature: 0 });
  return { probability: 0, value: change(), lower: change(), upper: change() };
}

/** Fills in how probable it is that lower < value < upper, and what that says; without one of the ends where it is undefined. */
export function constrainBetween(
  value: Normal,
  lower: Normal | undefined,
  upper: Normal | undefined,
  target: Between,
): void {
  clear(target);
  if (lower === undefined || upper === undefined) {
    if (lower !== undefined) target.probability = above(value, lower, target.value, target.lower);
    else if (upper !== undefined) target.probability = above(upper, value, target.upper, target.value);
    else target.probability = 1;
    return;
  }
  const rootA = Math.sqrt(value.variance + lower.variance);
  const rootB = Math.sqrt(value.variance + upper.variance);
  const a = (value.mean - lower.mean) / rootA;
  const b = (upper.mean - value.mean) / rootB;
  const correlation = -value.variance / (rootA * rootB);
  const probability = bivariateNormalCdf(a, b, correlation);
  if (!(probability > probabilityMin)) {
    target.probability = Math.max(0, probability);
    if (a < b) above(value, lower, target.value, target.lower);
    else above(upper, value, target.upper, target.value);
    return;
  }
  target.probability = probability;
  const rest = Math.sqrt(1 - correlation * correlation);
  const density = bivariateNormalDensity(a, b, correlation);
  const slopeA = normalDensity(a) * normalCdf((b - correlation * a) / rest);
  const slopeB = normalDensity(b) * normalCdf((a - correlation * b) / rest);
  const bendA = (-a * slopeA - correlation * density) / (rootA * rootA);
  const bendB = (-b * slopeB - correlation * density) / (rootB * rootB);
  const both = density / (rootA * rootB);
  put(target.value, slopeA / rootA - slopeB / rootB, bendA + bendB - 2 * both, probability);
  put(target.lower, -slopeA / rootA, bendA, probability);
  put(target.upper, slopeB / rootB, bendB, probability);
}

/** The same of one variable being above another; returns how probable that is. */
function above(high: Normal, low: Normal, changeHigh: Change, changeLow: Change): number {
  const variance = high.variance + low.variance;
  const root = Math.sqrt(variance);
  const z = (high.mean - low.mean) / root;
  const { first, second } = truncation(z);
  changeHigh.slope = first / root;
  changeLow.slope = -first / root;
  changeHigh.curvature = second / variance;
  changeLow.curvature = second / variance;
  return normalCdf(z);
}

function put(change: Change, slope: number, bend: number, probability: number): void {
  change.slope = slope / probability;
  change.curvature = change.slope * change.slope - bend / probability;
}

function clear({ value, lower, upper }: Between): void {
  for (const change of [value, lower, upper]) {
    change.slope = 0;
    change.curvature = 0;
  }
}
