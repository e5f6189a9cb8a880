/** Numbers to read and write: Float32Array or Float64Array. */
type Numbers = Float32Array | Float64Array;

/**
 * One operand of a product: where it starts and how far apart its rows and columns are. A transposed matrix is
 * the same numbers with the two strides exchanged, so one kernel serves A·B, Aᵀ·B and A·Bᵀ.
 */
export interface Operand {
  readonly values: Numbers;
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** A row-major operand with `columns` columns. */
export function rowMajor(values: Numbers, offset: number, columns: number): Operand {
  return { values, offset, rowStride: columns, columnStride: 1 };
}

/** The transpose of a row-major operand with `columns` columns. */
export function transposed(values: Numbers, offset: number, columns: number): Operand {
  return { values, offset, rowStride: 1, columnStride: columns };
}

/**
 * target += A·B with A m×k, B k×n, target m×n row-major from `targetOffset`. Sums run in float64 in the order of
 * k, whatever the arrays hold. 4×4 tiles keep sixteen sums in registers, so that each number read is used four
 * times.
 */
export function addProduct(
  target: Numbers,
  targetOffset: number,
  a: Operand,
  b: Operand,
  m: number,
  n: number,
  k: number,
): void {
  const rows = m - (m % 4);
  const columns = n - (n % 4);
  for (let i = 0; i < rows; i += 4) {
    for (let j = 0; j < columns; j += 4) addTile(target, targetOffset + i * n + j, n, a, i, b, j, k);
  }
  for (let j = columns; j < n; j++) {
    for (let i = 0; i < rows; i += 4) addColumnTile(target, targetOffset + i * n + j, n, a, i, b, j, k);
  }
  if (rows < m) addBorder(target, targetOffset, n, a, b, rows, m, 0, n, k);
}

/** One 4×4 tile of the product. */
function addTile(
  target: Numbers,
  at: number,
  n: number,
  a: Operand,
  i: number,
  b: Operand,
  j: number,
  k: number,
): void {
  const av = a.values;
  const bv = b.values;
  const aStep = a.columnStride;
  const bStep = b.rowStride;
  let a0 = a.offset + i * a.rowStride;
  const down = a.rowStride;
  let b0 = b.offset + j * b.columnStride;
  const next = b.columnStride;
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  for (let p = 0; p < k; p++) {
    const x0 = av[a0] as number;
    const x1 = av[a0 + down] as number;
    const x2 = av[a0 + 2 * down] as number;
    const x3 = av[a0 + 3 * down] as number;
    const y0 = bv[b0] as number;
    const y1 = bv[b0 + next] as number;
    const y2 = bv[b0 + 2 * next] as number;
    const y3 = bv[b0 + 3 * next] as number;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3;
    a0 += aStep;
    b0 += bStep;
  }
  addRow(target, at, s00, s01, s02, s03);
  addRow(target, at + n, s10, s11, s12, s13);
  addRow(target, at + 2 * n, s20, s21, s22, s23);
  addRow(target, at + 3 * n, s30, s31, s32, s33);
}

function addRow(target: Numbers, at: number, s0: number, s1: number, s2: number, s3: number): void {
  target[at] = (target[at] as number) + s0;
  target[at + 1] = (target[at + 1] as number) + s1;
  target[at + 2] = (target[at + 2] as number) + s2;
  target[at + 3] = (target[at + 3] as number) + s3;
}

/** Four rows of one column: what is left of the columns, and all there is of a regression with one output. */
function addColumnTile(
  target: Numbers,
  at: number,
  n: number,
  a: Operand,
  i: number,
  b: Operand,
  j: number,
  k: number,
): void {
  const av = a.values;
  const bv = b.values;
  const aStep = a.columnStride;
  const bStep = b.rowStride;
  let a0 = a.offset + i * a.rowStride;
  let a1 = a0 + a.rowStride;
  let a2 = a1 + a.rowStride;
  let a3 = a2 + a.rowStride;
  let b0 = b.offset + j * b.columnStride;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let p = 0; p < k; p++) {
    const y = bv[b0] as number;
    s0 += (av[a0] as number) * y;
    s1 += (av[a1] as number) * y;
    s2 += (av[a2] as number) * y;
    s3 += (av[a3] as number) * y;
    a0 += aStep;
    a1 += aStep;
    a2 += aStep;
    a3 += aStep;
    b0 += bStep;
  }
  target[at] = (target[at] as number) + s0;
  target[at + n] = (target[at + n] as number) + s1;
  target[at + 2 * n] = (target[at + 2 * n] as number) + s2;
  target[at + 3 * n] = (target[at + 3 * n] as number) + s3;
}

/** The rows that fill no tile, one sum at a time. */
function addBorder(
  target: Numbers,
  targetOffset: number,
  n: number,
  a: Operand,
  b: Operand,
  firstRow: number,
  lastRow: number,
  firstColumn: number,
  lastColumn: number,
  k: number,
): void {
  const av = a.values;
  const bv = b.values;
  for (let i = firstRow; i < lastRow; i++) {
    for (let j = firstColumn; j < lastColumn; j++) {
      let x = a.offset + i * a.rowStride;
      let y = b.offset + j * b.columnStride;
      let sum = 0;
      for (let p = 0; p < k; p++) {
        sum += (av[x] as number) * (bv[y] as number);
        x += a.columnStride;
        y += b.rowStride;
      }
      const at = targetOffset + i * n + j;
      target[at] = (target[at] as number) + sum;
    }
  }
}
