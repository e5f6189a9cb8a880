import type { Values } from '../../parameters/values.ts';

/** Rows × columns from rows that are `stride` apart. */
export function gather(target: Values, source: Values, rows: number, columns: number, stride: number): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) target[i * columns + j] = source[i * stride + j] as number;
  }
}

/** Rows × columns to rows that are `stride` apart. */
export function scatter(target: Values, source: Values, rows: number, columns: number, stride: number): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) target[i * stride + j] = source[i * columns + j] as number;
  }
}
