import { InvalidOptionError } from '../../errors.ts';
import { aboveZero, anInteger, checkOptions, countOfOneOrMore } from '../../models/options.ts';
import { drawDirichlet, seededRandom } from '../../random.ts';

/** Rows with one label each. */
export interface LabelledRows {
  readonly features: number[][];
  readonly labels: (number | string)[];
}

/** Options of `skewedShards`. */
export interface SkewedShardsOptions {
  /** Rows of each child. 50. */
  readonly rowsPerChild?: number;
  /**
   * How alike children are: their labels are distributed as drawn from a Dirichlet distribution with this parameter (Hsu and
   * others 2019). 0.1: each has nearly one label; 100: all are alike. 1.
   */
  readonly alpha?: number;
  /** Integer that fixes which child has what, 0. */
  readonly seed?: number;
}

const checks = {
  rowsPerChild: countOfOneOrMore,
  alpha: aboveZero,
  seed: anInteger,
};

/**
 * Rows for as many children as you like, out of one set of rows: each child draws its labels' distribution, then its rows,
 * with replacement, from its own number alone. Nothing is kept of them. Throws InvalidOptionError.
 */
export function skewedShards(
  { features, labels }: LabelledRows,
  options: SkewedShardsOptions = {},
): (child: number) => LabelledRows {
  const { rowsPerChild = 50, alpha = 1, seed = 0 } = checkOptions<SkewedShardsOptions>(options, checks);
  if (features.length === 0 || features.length !== labels.length)
    throw new InvalidOptionError(
      `there are ${features.length} rows and ${labels.length} labels, expected as many, at least 1`,
    );
  const byLabel = new Map<number | string, number[]>();
  for (const [row, label] of labels.entries()) {
    const group = byLabel.get(label);
    if (group === undefined) byLabel.set(label, [row]);
    else group.push(row);
  }
  const groups = [...byLabel.values()];
  return (child) => {
    const random = seededRandom(seed, child + 1);
    const shares = drawDirichlet(Array<number>(groups.length).fill(alpha), random);
    const rows = Array.from({ length: rowsPerChild }, () => {
      const group = groups[pick(shares, random.next())] as number[];
      return group[Math.floor(random.next() * group.length)] as number;
    });
    return {
      features: rows.map((row) => features[row] as number[]),
      labels: rows.map((row) => labels[row] as number | string),
    };
  };
}

/** The place whose part of the whole this is in. */
function pick(shares: readonly number[], at: number): number {
  let sum = 0;
  for (const [place, share] of shares.entries()) {
    sum += share;
    if (at < sum) return place;
  }
  return shares.length - 1;
}
