import { erfc, erfcx } from '../../../kernels/erf.ts';

// The normal distribution and its tails, as probit models need them: to about 1e-14 of each value, however far out.

const sqrtTwoPi = Math.sqrt(2 * Math.PI);
/** From here on the continued fraction is exact with so many terms. */
const farFrom = 6;
const fractionTerms = 60;

/** φ(x), the density of the standard normal distribution. */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / sqrtTwoPi;
}

/** Φ(x). */
export function normalCdf(x: number): number {
  return x > 0 ? 1 - upperTail(x) : upperTail(-x);
}

/** Φ(−x) for x ≥ 0. */
function upperTail(x: number): number {
  const scaled = x * Math.SQRT1_2;
  // x² and not twice the square of `scaled`, which is rounded.
  return 0.5 * (scaled < 1 ? erfc(scaled) : Math.exp(-0.5 * x * x) * erfcx(scaled));
}

/** ln Φ(x). */
export function logNormalCdf(x: number): number {
  if (x > 0) return Math.log1p(-upperTail(x));
  const scaled = -x * Math.SQRT1_2;
  return scaled < 1 ? Math.log(0.5 * erfc(scaled)) : -0.5 * x * x + Math.log(0.5 * erfcx(scaled));
}

/**
 * How a normal variable of mean x and variance 1 changes when it is known to be positive: `first` = φ(x) / Φ(x) is by how
 * much its mean grows, and `second` = first · (first + x), from 0 to 1, by how much its variance falls.
 */
export function truncation(x: number): { readonly first: number; readonly second: number } {
  if (x <= -farFrom) {
    // Laplace: φ/Φ = t + 1/(t + 2/(t + 3/(t + …))), t = −x: what is beyond t comes without a difference.
    const t = -x;
    let beyond = 0;
    for (let n = fractionTerms; n >= 1; n--) beyond = n / (t + beyond);
    const first = t + beyond;
    return { first, second: first * beyond };
  }
  const first = normalDensity(x) / normalCdf(x);
  return { first, second: first * (first + x) };
}
