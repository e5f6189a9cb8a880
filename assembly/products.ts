// Products of matrices whose rows are padded with zeros to whole vectors. Nothing is packed: rows that would fall on the
// same cache sets are kept apart by the strides that the workspace chooses.
// Sums run in the order of k, from what the sum starts with, so that they do not depend on how the rows are cut up.
import { rowProduct } from './rowProducts';
import { lanes, loadSplat, madd, sumLanes } from './simd';

/** Numbers of k that are worked through before the next four rows: their part of B stays in the first-level cache. */
const blockSizeMax: i32 = 256;

/** Four rows by two vectors: eight sums in registers, each number read is used two or four times. */
function tile2<T>(
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  start: usize,
  startRow: usize,
): void {
  let a1 = a + aRow;
  let a2 = a1 + aRow;
  let a3 = a2 + aRow;
  let c00 = v128.load(start);
  let c01 = v128.load(start, 16);
  start += startRow;
  let c10 = v128.load(start);
  let c11 = v128.load(start, 16);
  start += startRow;
  let c20 = v128.load(start);
  let c21 = v128.load(start, 16);
  start += startRow;
  let c30 = v128.load(start);
  let c31 = v128.load(start, 16);
  for (let p = 0; p < k; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = loadSplat<T>(a);
    c00 = madd<T>(x, b0, c00);
    c01 = madd<T>(x, b1, c01);
    x = loadSplat<T>(a1);
    c10 = madd<T>(x, b0, c10);
    c11 = madd<T>(x, b1, c11);
    x = loadSplat<T>(a2);
    c20 = madd<T>(x, b0, c20);
    c21 = madd<T>(x, b1, c21);
    x = loadSplat<T>(a3);
    c30 = madd<T>(x, b0, c30);
    c31 = madd<T>(x, b1, c31);
    a += aStep;
    a1 += aStep;
    a2 += aStep;
    a3 += aStep;
    b += bStep;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += cRow;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += cRow;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += cRow;
  v128.store(c, c30);
  v128.store(c, c31, 16);
}

/** Four rows by one vector. */
function tile1<T>(
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  start: usize,
  startRow: usize,
): void {
  let a1 = a + aRow;
  let a2 = a1 + aRow;
  let a3 = a2 + aRow;
  let c0 = v128.load(start);
  let c1 = v128.load(start + startRow);
  let c2 = v128.load(start + 2 * startRow);
  let c3 = v128.load(start + 3 * startRow);
  for (let p = 0; p < k; p++) {
    const y = v128.load(b);
    c0 = madd<T>(loadSplat<T>(a), y, c0);
    c1 = madd<T>(loadSplat<T>(a1), y, c1);
    c2 = madd<T>(loadSplat<T>(a2), y, c2);
    c3 = madd<T>(loadSplat<T>(a3), y, c3);
    a += aStep;
    a1 += aStep;
    a2 += aStep;
    a3 += aStep;
    b += bStep;
  }
  v128.store(c, c0);
  v128.store(c + cRow, c1);
  v128.store(c + 2 * cRow, c2);
  v128.store(c + 3 * cRow, c3);
}

/**
 * C = start + A·B for A m×k, B k×n and C m×n, n a multiple of the lanes. A may be read along rows or down columns:
 * its number (i, p) is at a + i·aRow + p·aStep. `start` has rows startRow apart; 0 repeats one row, which is how a
 * bias or zeros are added; C itself adds up. Strides are in bytes.
 */
export function product<T>(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  start: usize,
  startRow: usize,
): void {
  const rows = m & ~3;
  if (rows > 0) {
    // Blocks of about the same size: a short last one would cost as much as a long one in loading and storing C.
    const blocks = max(1, (k + blockSizeMax - 1) / blockSizeMax);
    const blockSize = max(1, (k + blocks - 1) / blocks);
    for (let j = 0; j < n; ) {
      const isWide = j + 2 * lanes<T>() <= n;
      const at = <usize>j * sizeof<T>();
      // Of k = 0 nothing is left but the start.
      for (let p = 0; p === 0 || p < k; p += blockSize) {
        const count = min(blockSize, k - p);
        const bAt = b + at + <usize>p * bStep;
        const aAt = a + <usize>p * aStep;
        for (let i = 0; i < rows; i += 4) {
          const cAt = c + at + <usize>i * cRow;
          const startAt = p === 0 ? start + at + <usize>i * startRow : cAt;
          const startStep = p === 0 ? startRow : cRow;
          const x = aAt + <usize>i * aRow;
          if (isWide) tile2<T>(count, x, aRow, aStep, bAt, bStep, cAt, cRow, startAt, startStep);
          else tile1<T>(count, x, aRow, aStep, bAt, bStep, cAt, cRow, startAt, startStep);
        }
      }
      j += isWide ? 2 * lanes<T>() : lanes<T>();
    }
  }
  for (let i = rows; i < m; i++) {
    const row = <usize>i;
    rowProduct<T>(n, k, a + row * aRow, aStep, b, bStep, c + row * cRow, start + row * startRow);
  }
}

/** The sums of four vectors, as one vector; of two, for doubles. */
function sumFour(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  const low = v128.add<f32>(v128.shuffle<f32>(s0, s1, 0, 4, 1, 5), v128.shuffle<f32>(s0, s1, 2, 6, 3, 7));
  const high = v128.add<f32>(v128.shuffle<f32>(s2, s3, 0, 4, 1, 5), v128.shuffle<f32>(s2, s3, 2, 6, 3, 7));
  return v128.add<f32>(v128.shuffle<f32>(low, high, 0, 1, 4, 5), v128.shuffle<f32>(low, high, 2, 3, 6, 7));
}

function storeFourSums<T>(c: usize, s0: v128, s1: v128, s2: v128, s3: v128): void {
  if (sizeof<T>() === 4) {
    v128.store(c, sumFour(s0, s1, s2, s3));
    return;
  }
  v128.store(c, v128.add<f64>(v128.shuffle<f64>(s0, s1, 0, 2), v128.shuffle<f64>(s0, s1, 1, 3)));
  v128.store(c, v128.add<f64>(v128.shuffle<f64>(s2, s3, 0, 2), v128.shuffle<f64>(s2, s3, 1, 3)), 16);
}

/** Two rows of A by four rows of B, all along k. */
function dotTile2<T>(k: i32, a: usize, aRow: usize, b: usize, bRow: usize, c: usize, cRow: usize): void {
  let a1 = a + aRow;
  let b1 = b + bRow;
  let b2 = b1 + bRow;
  let b3 = b2 + bRow;
  let s00 = v128.splat<T>(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  for (let p = 0; p < k; p += lanes<T>()) {
    const x0 = v128.load(a);
    const x1 = v128.load(a1);
    let y = v128.load(b);
    s00 = madd<T>(x0, y, s00);
    s10 = madd<T>(x1, y, s10);
    y = v128.load(b1);
    s01 = madd<T>(x0, y, s01);
    s11 = madd<T>(x1, y, s11);
    y = v128.load(b2);
    s02 = madd<T>(x0, y, s02);
    s12 = madd<T>(x1, y, s12);
    y = v128.load(b3);
    s03 = madd<T>(x0, y, s03);
    s13 = madd<T>(x1, y, s13);
    a += 16;
    a1 += 16;
    b += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
  }
  storeFourSums<T>(c, s00, s01, s02, s03);
  storeFourSums<T>(c + cRow, s10, s11, s12, s13);
}

/** One row of A by four of B. */
function dotTile1<T>(k: i32, a: usize, b: usize, bRow: usize, c: usize): void {
  let b1 = b + bRow;
  let b2 = b1 + bRow;
  let b3 = b2 + bRow;
  let s0 = v128.splat<T>(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let p = 0; p < k; p += lanes<T>()) {
    const x = v128.load(a);
    s0 = madd<T>(x, v128.load(b), s0);
    s1 = madd<T>(x, v128.load(b1), s1);
    s2 = madd<T>(x, v128.load(b2), s2);
    s3 = madd<T>(x, v128.load(b3), s3);
    a += 16;
    b += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
  }
  storeFourSums<T>(c, s0, s1, s2, s3);
}

function dotRow<T>(k: i32, a: usize, b: usize): T {
  let sum = v128.splat<T>(0);
  for (let p = 0; p < k; p += lanes<T>()) {
    sum = madd<T>(v128.load(a), v128.load(b), sum);
    a += 16;
    b += 16;
  }
  return sumLanes<T>(sum);
}

/**
 * C = A·Bᵀ for A m×k, B n×k and C m×n. k is a multiple of the lanes; n need not be, and nothing is written beyond it.
 * Strides are in bytes.
 */
export function productTransposed<T>(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
): void {
  const columns = n & ~3;
  // Four rows of B stay in the first-level cache while all rows of A pass.
  for (let j = 0; j < columns; j += 4) {
    const bAt = b + <usize>j * bRow;
    const at = c + <usize>j * sizeof<T>();
    let i = 0;
    for (; i + 2 <= m; i += 2) {
      dotTile2<T>(k, a + <usize>i * aRow, aRow, bAt, bRow, at + <usize>i * cRow, cRow);
    }
    if (i < m) dotTile1<T>(k, a + <usize>i * aRow, bAt, bRow, at + <usize>i * cRow);
  }
  for (let j = columns; j < n; j++) {
    for (let i = 0; i < m; i++) {
      const sum = dotRow<T>(k, a + <usize>i * aRow, b + <usize>j * bRow);
      store<T>(c + <usize>i * cRow + <usize>j * sizeof<T>(), sum);
    }
  }
}

/** target = start + the sum of the rows of `source`, n a multiple of the lanes. */
export function sumRows<T>(m: i32, n: i32, source: usize, row: usize, target: usize, start: usize): void {
  for (let j = 0; j < n; j += lanes<T>()) {
    const at = <usize>j * sizeof<T>();
    let from = source + at;
    let sum = v128.load(start + at);
    for (let i = 0; i < m; i++) {
      sum = v128.add<T>(sum, v128.load(from));
      from += row;
    }
    v128.store(target + at, sum);
  }
}
