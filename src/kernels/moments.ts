/**
 * Mean, spread and range of each column of a table, in sums that combine exactly. Every array has one entry for
 * each column. The mean is `mean + meanResidual`, two numbers of which the second is below the rounding of the
 * first: with one number alone, many merges of columns such as 1e6 ± 1 would lose the twelfth digit of the spread.
 */
export interface Moments {
  rows: number;
  readonly mean: Float64Array;
  readonly meanResidual: Float64Array;
  /** Sum of squared deviations from the mean. */
  readonly squares: Float64Array;
  readonly minimum: Float64Array;
  readonly maximum: Float64Array;
}

/** Rows that are measured at once. Short, so that rounding grows with the blocks and not with the rows. */
const blockRows = 256;

/** Moments of no rows. */
export function createMoments(columns: number): Moments {
  return {
    rows: 0,
    mean: new Float64Array(columns),
    meanResidual: new Float64Array(columns),
    squares: new Float64Array(columns),
    minimum: new Float64Array(columns).fill(Number.POSITIVE_INFINITY),
    maximum: new Float64Array(columns).fill(Number.NEGATIVE_INFINITY),
  };
}

/** An independent copy. */
export function copyMoments(moments: Moments): Moments {
  return {
    rows: moments.rows,
    mean: moments.mean.slice(),
    meanResidual: moments.meanResidual.slice(),
    squares: moments.squares.slice(),
    minimum: moments.minimum.slice(),
    maximum: moments.maximum.slice(),
  };
}

/** Adds rows × columns of numbers, row-major, in place. Sums that overflow become infinite or NaN. */
export function addRows(moments: Moments, data: ArrayLike<number>, rows: number): void {
  const block = createMoments(moments.mean.length);
  for (let first = 0; first < rows; first += blockRows) {
    measureBlock(block, data, first, Math.min(blockRows, rows - first));
    combineMoments(moments, block);
  }
}

/** Two passes over a block: the mean, then the deviations from it (Chan, Golub & LeVeque 1983, eq. 1.7). */
function measureBlock(block: Moments, data: ArrayLike<number>, first: number, rows: number): void {
  const { mean, meanResidual, squares, minimum, maximum } = block;
  const columns = mean.length;
  block.rows = rows;
  mean.fill(0);
  meanResidual.fill(0);
  squares.fill(0);
  minimum.fill(Number.POSITIVE_INFINITY);
  maximum.fill(Number.NEGATIVE_INFINITY);
  for (let i = first; i < first + rows; i++) {
    for (let j = 0; j < columns; j++) {
      const x = data[i * columns + j] as number;
      mean[j] = (mean[j] as number) + x;
      if (x < (minimum[j] as number)) minimum[j] = x;
      if (x > (maximum[j] as number)) maximum[j] = x;
    }
  }
  for (let j = 0; j < columns; j++) mean[j] = (mean[j] as number) / rows;
  for (let i = first; i < first + rows; i++) {
    for (let j = 0; j < columns; j++) {
      const deviation = (data[i * columns + j] as number) - (mean[j] as number);
      meanResidual[j] = (meanResidual[j] as number) + deviation;
      squares[j] = (squares[j] as number) + deviation * deviation;
    }
  }
  for (let j = 0; j < columns; j++) {
    // What the rounded mean misses is the mean of the deviations from it.
    const missed = (meanResidual[j] as number) / rows;
    squares[j] = Math.max(0, (squares[j] as number) - missed * missed * rows);
    meanResidual[j] = 0;
    moveMean(block, j, missed);
  }
}

/** Adds the moments `from` to `into`, in place (Chan, Golub & LeVeque 1983, eq. 2.1). Columns must be as many. */
export function combineMoments(into: Moments, from: Moments): void {
  if (from.rows === 0) return;
  if (into.rows === 0) {
    // Moved from 0, the mean would lose its residual.
    into.rows = from.rows;
    for (const key of ['mean', 'meanResidual', 'squares', 'minimum', 'maximum'] as const)
      into[key].set(from[key]);
    return;
  }
  const rows = into.rows + from.rows;
  const share = from.rows / rows;
  for (let j = 0; j < into.mean.length; j++) {
    const delta =
      (from.mean[j] as number) -
      (into.mean[j] as number) +
      ((from.meanResidual[j] as number) - (into.meanResidual[j] as number));
    const step = delta * share;
    into.squares[j] = (into.squares[j] as number) + (from.squares[j] as number) + delta * step * into.rows;
    moveMean(into, j, step);
    into.minimum[j] = Math.min(into.minimum[j] as number, from.minimum[j] as number);
    into.maximum[j] = Math.max(into.maximum[j] as number, from.maximum[j] as number);
  }
  into.rows = rows;
}

/** mean += step, keeping what rounding would drop. */
function moveMean({ mean, meanResidual }: Moments, j: number, step: number): void {
  const before = mean[j] as number;
  const high = before + step;
  const rest = roundingOf(before, step, high) + (meanResidual[j] as number);
  const sum = high + rest;
  mean[j] = sum;
  meanResidual[j] = roundingOf(high, rest, sum);
}

/** a + b − sum, exactly, where sum is the rounded a + b (Knuth 1969, the two-sum). */
function roundingOf(a: number, b: number, sum: number): number {
  const ofB = sum - a;
  return a - (sum - ofB) + (b - ofB);
}
