/** The sum of doubles, rounded once: partials that do not overlap (Shewchuk 1997, as in Python's math.fsum). */
export function exactSum(values: readonly number[]): number {
  let partials: number[] = [];
  for (const value of values) {
    let x = value;
    const kept: number[] = [];
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y;
      const low = y - (high - x);
      if (low !== 0) kept.push(low);
      x = high;
    }
    partials = [...kept, x];
  }
  return partials.reduceRight((sum, partial) => sum + partial, 0);
}
