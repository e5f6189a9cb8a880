// ln Γ and its first two derivatives for x > 0: the asymptotic series (Abramowitz and Stegun 6.1.41, 6.3.18, 6.4.12), from where
// its terms fall below the last bit; below that by the recurrence upwards.

const asymptoticFrom = 12;
/** B₂ₖ / (2k (2k − 1)) for k = 1 … 8. */
const logGammaTerms: readonly number[] = [
  1 / 12,
  -1 / 360,
  1 / 1_260,
  -1 / 1_680,
  1 / 1_188,
  -691 / 360_360,
  1 / 156,
  -3_617 / 122_400,
];
/** B₂ₖ for k = 1 … 8. */
const bernoulli: readonly number[] = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2_730,
  7 / 6,
  -3_617 / 510,
];

/** ln Γ(x), x > 0; near its zeros at 1 and 2 to about 1e-15 absolutely. */
export function logGamma(x: number): number {
  if (x < asymptoticFrom) {
    // Γ(x) = Γ(x + n) / (x (x + 1) … (x + n − 1)).
    let product = 1;
    let shifted = x;
    for (; shifted < asymptoticFrom; shifted++) product *= shifted;
    return logGamma(shifted) - Math.log(product);
  }
  const inverse = 1 / (x * x);
  let sum = 0;
  for (let k = logGammaTerms.length - 1; k >= 0; k--) sum = sum * inverse + (logGammaTerms[k] as number);
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + sum / x;
}

/** ψ(x) = d ln Γ(x) / dx, x > 0. */
export function digamma(x: number): number {
  let shift = 0;
  let shifted = x;
  for (; shifted < asymptoticFrom; shifted++) shift += 1 / shifted;
  const inverse = 1 / (shifted * shifted);
  let sum = 0;
  for (let k = bernoulli.length; k >= 1; k--) sum = (sum + (bernoulli[k - 1] as number) / (2 * k)) * inverse;
  return Math.log(shifted) - 0.5 / shifted - sum - shift;
}

/** ψ′(x), x > 0. */
export function trigamma(x: number): number {
  let shift = 0;
  let shifted = x;
  for (; shifted < asymptoticFrom; shifted++) shift += 1 / (shifted * shifted);
  const inverse = 1 / (shifted * shifted);
  let sum = 0;
  for (let k = bernoulli.length; k >= 1; k--) sum = (sum + (bernoulli[k - 1] as number)) * inverse;
  return shift + 1 / shifted + 0.5 * inverse + sum / shifted;
}
