/** Step of the trapezoidal rule below: e^{−π²/h²} of its error is beneath the last bit. */
const h = 0.5;
/** e^{−n²h²} for n = 1 … 12; further terms are beneath the last bit. */
const terms: readonly number[] = Array.from({ length: 12 }, (_, n) => Math.exp(-(((n + 1) * h) ** 2)));

/**
 * The error function 2/√π ∫₀ˣ e^{−t²} dt, to about 2e-16. Below 1 by the series of positive terms
 * e^{−x²} Σ 2ⁿ x^{2n+1} / (2n + 1)!! (Abramowitz and Stegun 7.1.6), above as 1 − erfc.
 */
export function erf(x: number): number {
  return Math.abs(x) < 1 ? series(x) : x > 0 ? 1 - erfcTail(x) : erfcTail(-x) - 1;
}

/** 1 − erf(x), to about 1e-15 absolutely; for large x to about 1e-13 of itself. */
export function erfc(x: number): number {
  return Math.abs(x) < 1 ? 1 - series(x) : x > 0 ? erfcTail(x) : 2 - erfcTail(-x);
}

function series(x: number): number {
  const square = x * x;
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-17 * Math.abs(sum); odd += 2) {
    term *= (2 * square) / odd;
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-square) * sum;
}

/** e^{x²} erfc(x) for x ≥ 1, to about 1e-15 of itself. */
export function erfcx(x: number): number {
  const square = x * x;
  const residue = tailResidue(x);
  // Where there is none, e^{x²} may be infinite.
  return (h / Math.PI) * x * tailSum(square) - (residue === 0 ? 0 : Math.exp(square) * residue);
}

/**
 * erfc for x ≥ 1: the trapezoidal rule on (x/π) e^{−x²} ∫ e^{−t²} / (x² + t²) dt, with the residue of the pole at
 * t = i x (Hunter and Regan 1972, equation 2).
 */
function erfcTail(x: number): number {
  const square = x * x;
  // e^{−x²} is 0 from here on, and x² may be infinite.
  if (square > 800) return 0;
  return (h / Math.PI) * x * Math.exp(-square) * tailSum(square) - tailResidue(x);
}

function tailSum(square: number): number {
  let sum = 1 / square;
  for (let n = 1; n <= 12; n++) sum += (2 * (terms[n - 1] as number)) / (square + (n * h) ** 2);
  return sum;
}

function tailResidue(x: number): number {
  return x < Math.PI / h ? 2 / Math.expm1((2 * Math.PI * x) / h) : 0;
}
