// The normal distribution and its tails, as probit models need them: to about 1e-14 of each value, however far out.

/** Step of the trapezoidal rule below. */
const h = 0.5;
const terms: readonly number[] = Array.from({ length: 13 }, (_, n) => Math.exp(-((n * h) ** 2)));
const sqrtHalf = Math.SQRT1_2;
const sqrtTwoPi = Math.sqrt(2 * Math.PI);
/** From here on the continued fraction is exact with so many terms. */
const farFrom = 6;
const fractionTerms = 60;

/**
 * e^{x²} erfc(x) for x ≥ 1/2: the trapezoidal rule on (x/π) ∫ e^{−t²} / (x² + t²) dt, with the residue of the pole at t = i x
 * (Hunter and Regan 1972, equation 2).
 */
function scaledErfc(x: number): number {
  const square = x * x;
  let sum = 1 / square;
  for (let n = 1; n < terms.length; n++) sum += (2 * (terms[n] as number)) / (square + (n * h) ** 2);
  const residue = x < Math.PI / h ? (2 * Math.exp(square)) / Math.expm1((2 * Math.PI * x) / h) : 0;
  return (h / Math.PI) * x * sum - residue;
}

/** φ(x), the density of the standard normal distribution. */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / sqrtTwoPi;
}

/** Φ(x). */
export function normalCdf(x: number): number {
  if (x > 0) return 1 - upperTail(x);
  return upperTail(-x);
}

/** Φ(−x) for x ≥ 0. */
function upperTail(x: number): number {
  const scaled = x * sqrtHalf;
  return scaled < 0.5 ? 0.5 - centre(x) : 0.5 * Math.exp(-0.5 * x * x) * scaledErfc(scaled);
}

/** Φ(x) − 1/2 for small x: φ(x) Σ x^{2n+1} / (2n + 1)!! (Abramowitz and Stegun 26.2.11). */
function centre(x: number): number {
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-17 * Math.abs(sum); odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return normalDensity(x) * sum;
}

/** ln Φ(x). */
export function logNormalCdf(x: number): number {
  if (x > 0) return Math.log1p(-upperTail(x));
  const scaled = -x * sqrtHalf;
  return scaled < 0.5 ? Math.log(0.5 - centre(-x)) : -0.5 * x * x + Math.log(0.5 * scaledErfc(scaled));
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
  const scaled = -x * sqrtHalf;
  const first = scaled >= 0.5 ? 2 / (sqrtTwoPi * scaledErfc(scaled)) : normalDensity(x) / normalCdf(x);
  return { first, second: first * (first + x) };
}
