/** log(1 + e^x) without overflow: max(x, 0) + log1p(e^−|x|). */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** To the nearest whole number; halves go away from 0, as in mathjs (Math.round sends them up). */
export function roundHalvesAway(x: number): number {
  const whole = Math.trunc(x);
  return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
}

/** x − y · floor(x / y), so that the sign is y's, as in mathjs; x where y is 0. */
export function modulo(x: number, y: number): number {
  return y === 0 ? x : x - y * Math.floor(x / y);
}

const seriesBelow = 2;
const fractionLevels = 60;

/**
 * The error function, to a few units of the last place. Below 2 the series with terms of one sign,
 * erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)) (Abramowitz and Stegun 1964, 7.1.6); from 2 on 1 − erfc x,
 * with the continued fraction √π e^(x²) erfc x = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))) (7.1.14).
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  // NaN comes back as it is.
  if (!(size < 6)) return Math.sign(x);
  if (size < seriesBelow) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = size;
  for (let level = fractionLevels; level > 0; level--) fraction = size + level / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-size * size) / (fraction * Math.sqrt(Math.PI)));
}
