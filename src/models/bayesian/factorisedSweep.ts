import { truncation } from './probit.ts';

/** What a sweep works on. All arrays are changed in place but for the rows and the signs. */
export interface FactorisedSweep {
  /** Rows × columns. */
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
  /** 1 or −1. */
  readonly signs: Int8Array;
  readonly noise: number;
  /** Of the posterior: mean / variance and 1 / variance of each weight. */
  readonly h: Float64Array;
  readonly p: Float64Array;
  /** The same of what each row says of each weight. */
  readonly siteH: Float64Array;
  readonly siteP: Float64Array;
  /** Room for one row: means and variances without it. */
  readonly means: Float64Array;
  readonly variances: Float64Array;
}

/**
 * One pass of expectation propagation over the rows, with independent weights: what a row says of a weight is made from what
 * all others say of all weights (Minka 2001, section 3.2). A row whose cavity is improper is left as it is.
 */
export function sweepFactorised(sweep: FactorisedSweep): void {
  const { data, rows, columns, signs, noise, h, p, siteH, siteP, means, variances } = sweep;
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    let score = 0;
    let variance = 0;
    let isProper = true;
    for (let i = 0; i < columns; i++) {
      const cavity = (p[i] as number) - (siteP[at + i] as number);
      if (!(cavity > 0)) isProper = false;
      const v = 1 / cavity;
      const m = ((h[i] as number) - (siteH[at + i] as number)) * v;
      const x = data[at + i] as number;
      means[i] = m;
      variances[i] = v;
      score += x * m;
      variance += x * x * v;
    }
    if (!isProper) continue;
    const whole = variance + noise;
    const root = Math.sqrt(whole);
    const y = signs[row] as number;
    const { first, second } = truncation((y * score) / root);
    const beta = second / whole;
    // The message to the score has precision `precision`, and `pull` is by how much more than that it pulls at its mean.
    const scale = 1 / (1 - variance * beta);
    const precision = beta * scale;
    const pull = ((y * first) / root) * scale;
    if (!(precision < Infinity)) continue;
    for (let i = 0; i < columns; i++) {
      const x = data[at + i] as number;
      const weight = x / (1 + precision * (variance - x * x * (variances[i] as number)));
      const nextP = weight * x * precision;
      const nextH = weight * (pull + precision * x * (means[i] as number));
      p[i] = (p[i] as number) + nextP - (siteP[at + i] as number);
      h[i] = (h[i] as number) + nextH - (siteH[at + i] as number);
      siteP[at + i] = nextP;
      siteH[at + i] = nextH;
    }
  }
}
