// The inner loops of a row with independent weights. `at` is where the row begins, in the features and in the sites.

/** A row, the weights, and what the row says of each of them. */
export interface FactorisedRow {
  readonly data: Float64Array;
  readonly columns: number;
  /** Of the posterior: mean / variance and 1 / variance of each weight. */
  readonly h: Float64Array;
  readonly p: Float64Array;
  /** The same of what each row says of each weight. */
  readonly siteH: Float64Array;
  readonly siteP: Float64Array;
}

/**
 * Fills in means and variances of the weights without what the row says of them, and of the score that they make: its mean is
 * left in `score[0]`, its variance returned. NaN where a cavity is improper.
 */
export function leaveOutRow(
  { data, columns, h, p, siteH, siteP }: FactorisedRow,
  at: number,
  means: Float64Array,
  variances: Float64Array,
  score: Float64Array,
): number {
  let mean = 0;
  let variance = 0;
  let isProper = true;
  for (let i = 0; i < columns; i++) {
    const cavity = (p[i] as number) - (siteP[at + i] as number);
    if (!(cavity > 0)) isProper = false;
    const v = 1 / cavity;
    const m = ((h[i] as number) - (siteH[at + i] as number)) * v;
    const value = data[at + i] as number;
    means[i] = m;
    variances[i] = v;
    mean += value * m;
    variance += value * value * v;
  }
  score[0] = mean;
  return isProper ? variance : Number.NaN;
}

/**
 * Puts what the row says of its score into its sites and the posterior. `precision` and `pull` are of the score, whose variance
 * without the row is `variance`.
 */
export function updateRow(
  { data, columns, h, p, siteH, siteP }: FactorisedRow,
  at: number,
  means: Float64Array,
  variances: Float64Array,
  variance: number,
  precision: number,
  pull: number,
): void {
  for (let i = 0; i < columns; i++) {
    const value = data[at + i] as number;
    const weight = value / (1 + precision * (variance - value * value * (variances[i] as number)));
    const nextP = weight * value * precision;
    const nextH = weight * (pull + precision * value * (means[i] as number));
    p[i] = (p[i] as number) + nextP - (siteP[at + i] as number);
    h[i] = (h[i] as number) + nextH - (siteH[at + i] as number);
    siteP[at + i] = nextP;
    siteH[at + i] = nextH;
  }
}
