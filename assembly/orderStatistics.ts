// Sorting many short columns at once: row r holds the r-th number of each column, and a comparator of two rows
// exchanges lanes where they are out of order. Rows are `stride` bytes apart; 64 bytes of each are sorted in a go.

/** One comparator on 64 bytes of two rows. */
function exchange<T>(low: usize, high: usize): void {
  const a = v128.load(low);
  const b = v128.load(low, 16);
  const c = v128.load(low, 32);
  const d = v128.load(low, 48);
  const e = v128.load(high);
  const f = v128.load(high, 16);
  const g = v128.load(high, 32);
  const h = v128.load(high, 48);
  v128.store(low, v128.pmin<T>(a, e));
  v128.store(low, v128.pmin<T>(b, f), 16);
  v128.store(low, v128.pmin<T>(c, g), 32);
  v128.store(low, v128.pmin<T>(d, h), 48);
  v128.store(high, v128.pmax<T>(a, e));
  v128.store(high, v128.pmax<T>(b, f), 16);
  v128.store(high, v128.pmax<T>(c, g), 32);
  v128.store(high, v128.pmax<T>(d, h), 48);
}

/** The i-th pair of a row as doubles. */
function pair<T>(row: usize, i: usize): v128 {
  if (sizeof<T>() === 4) return f64x2.promote_low_f32x4(v128.load64_zero(row + (i << 3)));
  return v128.load(row + (i << 4));
}

/** lowest + Σ (x − lowest) / kept over the rows from `first` on: a mean of equal numbers is that number. */
function meanOfRows<T>(rows: usize, stride: usize, first: i32, kept: i32, i: usize): v128 {
  const start = rows + <usize>first * stride;
  const lowest = pair<T>(start, i);
  let sum = f64x2.splat(0);
  for (let row = start + stride, end = start + <usize>kept * stride; row < end; row += stride) {
    sum = f64x2.add(sum, f64x2.sub(pair<T>(row, i), lowest));
  }
  return f64x2.add(lowest, f64x2.div(sum, f64x2.splat(<f64>kept)));
}

/**
 * Sorts columns by a list of comparators (offsets of two rows, in bytes) and writes the mean of the `kept` rows from
 * `first` on, as doubles. n is a multiple of 64 bytes. The rows are scratch: they are exchanged.
 */
function meanOfRanks<T>(
  target: usize,
  rows: usize,
  stride: usize,
  comparators: usize,
  comparatorsEnd: usize,
  first: i32,
  kept: i32,
  n: i32,
): void {
  for (const end = rows + <usize>n * sizeof<T>(); rows < end; rows += 64) {
    for (let at = comparators; at < comparatorsEnd; at += 8) {
      exchange<T>(rows + load<u32>(at), rows + load<u32>(at, 4));
    }
    for (let i: usize = 0; i < 32 / sizeof<T>(); i++, target += 16) {
      v128.store(target, meanOfRows<T>(rows, stride, first, kept, i));
    }
  }
}

export function meanOfRanks32(
  target: usize,
  rows: usize,
  stride: usize,
  comparators: usize,
  comparatorsEnd: usize,
  first: i32,
  kept: i32,
  n: i32,
): void {
  meanOfRanks<f32>(target, rows, stride, comparators, comparatorsEnd, first, kept, n);
}

export function meanOfRanks64(
  target: usize,
  rows: usize,
  stride: usize,
  comparators: usize,
  comparatorsEnd: usize,
  first: i32,
  kept: i32,
  n: i32,
): void {
  meanOfRanks<f64>(target, rows, stride, comparators, comparatorsEnd, first, kept, n);
}
