type Numbers = Float32Array | Float64Array;

/** Writes the same row (or zeros, without one) into each of `rows` rows of `target`. */
export function fillRows(
  target: Numbers,
  rows: number,
  columns: number,
  source: Numbers | undefined,
  sourceOffset: number,
): void {
  if (source === undefined) {
    target.fill(0, 0, rows * columns);
    return;
  }
  for (let i = 0; i < rows; i++) {
    const at = i * columns;
    for (let j = 0; j < columns; j++) target[at + j] = source[sourceOffset + j] as number;
  }
}

/** Adds the sum over rows of `source` to `target`, from `targetOffset`. */
export function addColumnSums(
  target: Numbers,
  targetOffset: number,
  source: Numbers,
  rows: number,
  columns: number,
): void {
  for (let j = 0; j < columns; j++) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += source[i * columns + j] as number;
    target[targetOffset + j] = (target[targetOffset + j] as number) + sum;
  }
}
