/** What the numbers of a tensor are like. NaN and infinities count nowhere else; null where nothing is left. */
export interface TensorStatistics {
  readonly norm: number;
  readonly min: number | null;
  readonly mean: number | null;
  readonly max: number | null;
  readonly nonFinite: number;
  /** How many values lie in each of eight equal parts from `min` to `max`; those of one value in the first. */
  readonly histogram: readonly number[];
}

const bins = 8;

/** Describes numbers in two passes: what they reach, then how they lie in between. */
export function describeValues(values: ArrayLike<number>): TensorStatistics {
  let [min, max, sum, squares, finite] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    squares += value * value;
    finite++;
  }
  const histogram = new Array<number>(bins).fill(0);
  // Halved first: the difference of two large numbers may be none.
  const half = max / 2 - min / 2;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    const share = half > 0 ? (value / 2 - min / 2) / half : 0;
    const bin = Math.min(bins - 1, Math.floor(share * bins));
    histogram[bin] = (histogram[bin] as number) + 1;
  }
  const known = finite > 0;
  return {
    norm: Math.sqrt(squares),
    min: known ? min : null,
    mean: known ? sum / finite : null,
    max: known ? max : null,
    nonFinite: values.length - finite,
    histogram,
  };
}

const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Bars beside each other, the highest for the largest count; a blank for none, the lowest for few. */
export function histogramText(counts: readonly number[]): string {
  const largest = Math.max(...counts);
  return counts
    .map((count) =>
      count === 0 ? ' ' : (blocks[Math.ceil((count / largest) * blocks.length) - 1] as string),
    )
    .join('');
}
