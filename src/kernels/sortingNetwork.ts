/**
 * The comparators, as pairs of places, that bring the values with ranks from `dropped` to before n − dropped to their
 * places: merge exchange (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M, after Batcher 1968), which
 * sorts any n with n (log n)² / 4 of them, without those that no wanted rank depends on.
 */
export function comparatorsFor(n: number, dropped: number): Int32Array {
  const all = mergeExchange(n);
  const isWanted = new Uint8Array(n).fill(1, dropped, n - dropped);
  const kept: number[] = [];
  for (let i = all.length - 2; i >= 0; i -= 2) {
    const low = all[i] as number;
    const high = all[i + 1] as number;
    if (isWanted[low] === 0 && isWanted[high] === 0) continue;
    isWanted[low] = 1;
    isWanted[high] = 1;
    kept.push(high, low);
  }
  return Int32Array.from(kept.reverse());
}

function mergeExchange(n: number): number[] {
  const pairs: number[] = [];
  const top = n < 2 ? 0 : 2 ** Math.ceil(Math.log2(n) - 1);
  for (let p = top; p >= 1; p = Math.floor(p / 2)) {
    let q = top;
    let r = 0;
    for (let d = p; ; ) {
      for (let i = 0; i < n - d; i++) if ((i & p) === r) pairs.push(i, i + d);
      if (q === p) break;
      d = q - p;
      q = Math.floor(q / 2);
      r = p;
    }
  }
  return pairs;
}
