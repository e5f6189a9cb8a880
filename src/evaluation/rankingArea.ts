/** Bins of a score histogram, from −16 to 16 on the logit scale, each 1/128 wide. */
export const scoreBins = 4_096;
const logitMax = 16;

/** Bin of a score: the logit of a probability, or a margin. What lies beyond the range is in the outermost bins. */
export function binOf(score: number): number {
  const place = Math.floor(((score + logitMax) / (2 * logitMax)) * scoreBins);
  return Math.min(scoreBins - 1, Math.max(0, place));
}

/** log(p / (1 − p)). */
export function logit(p: number): number {
  return Math.log(p) - Math.log1p(-p);
}

/**
 * The area under the ROC curve: the chance that a random positive scores higher than a random negative, ties counted
 * half (Mann and Whitney 1947). `isPositive` has one entry for each score. NaN without positives or without negatives.
 */
export function areaUnderCurve(scores: ArrayLike<number>, isPositive: ArrayLike<boolean>): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[a] as number) - (scores[b] as number),
  );
  const counts: [positives: number, negatives: number][] = [];
  let last: number | undefined;
  for (const row of order) {
    if (counts.length === 0 || scores[row] !== last) counts.push([0, 0]);
    last = scores[row];
    const group = counts[counts.length - 1] as [number, number];
    group[isPositive[row] === true ? 0 : 1]++;
  }
  return areaOfGroups(
    counts.map(([positives]) => positives),
    counts.map(([, negatives]) => negatives),
  );
}

/** The same from numbers of positives and negatives by score, ascending. */
export function areaOfGroups(positives: ArrayLike<number>, negatives: ArrayLike<number>): number {
  let below = 0;
  let won = 0;
  let total = 0;
  for (let i = 0; i < positives.length; i++) {
    const p = positives[i] as number;
    const n = negatives[i] as number;
    won += p * (below + n / 2);
    below += n;
    total += p;
  }
  return won / (total * below);
}
