import { InvalidOptionError } from '../../errors.ts';
import { logGamma } from './gammaFunctions.ts';
import { normalCdf, normalDensity } from './probit/normal.ts';

// Quantiles of distributions that are symmetric around 0, for intervals of predictions.

/** Where the standard normal distribution has so much below it. Throws InvalidOptionError unless 0 < probability < 1. */
export function normalQuantile(probability: number): number {
  return quantileOf(probability, normalCdf, normalDensity);
}

/** The same of the Student distribution with so many degrees of freedom, above 0. */
export function studentQuantile(probability: number, degrees: number): number {
  const logScale = logGamma((degrees + 1) / 2) - logGamma(degrees / 2) - 0.5 * Math.log(degrees * Math.PI);
  const density = (x: number): number =>
    Math.exp(logScale - ((degrees + 1) / 2) * Math.log1p((x * x) / degrees));
  return quantileOf(probability, (x) => studentCdf(x, degrees), density);
}

/** How much of the Student distribution with so many degrees of freedom is below x (Abramowitz and Stegun 26.7.1). */
export function studentCdf(x: number, degrees: number): number {
  const square = x * x;
  // Of the two shares of square + degrees the smaller one is exact.
  const tail =
    square < degrees
      ? 1 - incompleteBeta(square / (degrees + square), 0.5, degrees / 2)
      : incompleteBeta(degrees / (degrees + square), degrees / 2, 0.5);
  return x > 0 ? 1 - tail / 2 : tail / 2;
}

/** The regularised incomplete beta function, 0 ≤ x ≤ 1 (the continued fraction of Abramowitz and Stegun 26.5.8). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  // It converges fast below the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return (front / a) * continuedFraction(x, a, b);
}

/** By Lentz's method. */
function continuedFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    fraction *= d * c;
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return fraction;
}

/** Newton's method between two ends that come closer. */
function quantileOf(probability: number, cdf: (x: number) => number, density: (x: number) => number): number {
  if (!(probability > 0 && probability < 1))
    throw new InvalidOptionError(`probability is ${probability}, expected above 0 and below 1`);
  // The lower half keeps its digits.
  if (probability > 0.5) return -quantileOf(1 - probability, cdf, density);
  let [low, high] = [-1, 0];
  while (cdf(low) > probability) [low, high] = [2 * low, low];
  let x = (low + high) / 2;
  for (let iteration = 0; iteration < 200; iteration++) {
    const excess = cdf(x) - probability;
    if (excess > 0) high = x;
    else low = x;
    const step = x - excess / density(x);
    const next = step > low && step < high ? step : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-15 * Math.abs(x) || excess === 0) return excess === 0 ? x : next;
    x = next;
  }
  return x;
}
