import { describe, expect, it } from 'vitest';
import type { Values } from '../../src/parameters/values.ts';
import { createValues } from '../../src/parameters/values.ts';
import { seededRandom } from '../../src/random.ts';
import { buildsAndTypes, normalValues, toleranceOf, Workbench } from './wasmSupport.ts';

const sizes = [0, 1, 2, 3, 5, 7, 8, 63, 64, 65, 257];

/** All triples of the smaller sizes, and the larger ones in every place with few others beside them. */
const shapes: [number, number, number][] = sizes.flatMap((m) =>
  sizes.flatMap((n) =>
    sizes
      .filter((k) => [m, n, k].filter((size) => size > 8).length <= 2 || m + n + k <= 3 * 65)
      .map((k): [number, number, number] => [m, n, k]),
  ),
);

/** A matrix whose rows are padded with zeros to whole vectors. */
function padRows(bench: Workbench, values: Values, rows: number, columns: number, stride: number): Values {
  const padded = createValues(bench.dtype, rows * stride);
  for (let i = 0; i < rows; i++) padded.set(values.subarray(i * columns, (i + 1) * columns), i * stride);
  return padded;
}

/**
 * The worst |got − wanted|, relative to the sum of magnitudes, over C = start + A·B; NaN where something was written
 * outside C or in front of it.
 */
class Comparison {
  worst = 0;
  where = '';

  take(got: number, wanted: number, magnitude: number, where: string): void {
    const error = got === wanted ? 0 : Math.abs(got - wanted) / magnitude;
    if (error <= this.worst || Number.isNaN(this.worst)) return;
    this.worst = error;
    this.where = where;
  }
}

const guard = 16;

/** Compares one product. `isDown`: A is read down its columns; `start`: what C begins with. */
function checkProduct(
  bench: Workbench,
  [m, n, k]: [number, number, number],
  isDown: boolean,
  start: 'row' | 'zeros' | 'itself',
  comparison: Comparison,
): void {
  const { bytes, lanes } = bench;
  const random = seededRandom(1 + m + 300 * n + 90_000 * k);
  const width = bench.padded(n);
  const bStride = width + lanes;
  const cStride = width + lanes;
  const aStride = (isDown ? m : k) + 1;
  const a = normalValues(bench.dtype, (isDown ? k : m) * aStride + 1, random);
  const b = padRows(bench, normalValues(bench.dtype, k * n, random), k, n, bStride);
  const c = createValues(bench.dtype, m * cStride).fill(Number.NaN);
  const begin = normalValues(bench.dtype, start === 'itself' ? m * cStride : bStride, random);
  if (start === 'zeros') begin.fill(0);
  if (start === 'itself') {
    // Between the rows of C stays what was there.
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < width; j++) c[i * cStride + j] = begin[i * cStride + j]!;
    }
  }
  const places = { a: bench.put(a), b: bench.put(b, guard), c: bench.put(c, guard), start: bench.put(begin) };
  const [aRow, aStep] = isDown ? [1, aStride] : [aStride, 1];
  bench.code.product(
    m,
    width,
    k,
    places.a,
    aRow * bytes,
    aStep * bytes,
    places.b,
    bStride * bytes,
    places.c,
    cStride * bytes,
    start === 'itself' ? places.c : places.start,
    start === 'itself' ? cStride * bytes : 0,
  );
  const result = bench.read(places.c - guard * bytes, m * cStride + 2 * guard);
  for (let at = 0; at < result.length; at++) {
    const i = Math.floor((at - guard) / cStride);
    const j = at - guard - i * cStride;
    if (i >= 0 && i < m && j < width) continue;
    if (!Number.isNaN(result[at]!)) comparison.take(Infinity, 0, 1, `${m}×${n}×${k} wrote outside`);
  }
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const first = start === 'itself' ? begin[i * cStride + j]! : begin[j]!;
      let sum = first;
      let magnitude = Math.abs(first);
      for (let p = 0; p < k; p++) {
        const term = a[i * aRow + p * aStep]! * b[p * bStride + j]!;
        sum += term;
        magnitude += Math.abs(term);
      }
      comparison.take(result[guard + i * cStride + j]!, sum, magnitude, `${m}×${n}×${k} at ${i}, ${j}`);
    }
  }
  bench.free(places.a, places.b - guard * bytes, places.c - guard * bytes, places.start);
}

function checkTransposed(
  bench: Workbench,
  [m, n, k]: [number, number, number],
  comparison: Comparison,
): void {
  const { bytes, lanes } = bench;
  const random = seededRandom(2 + m + 300 * n + 90_000 * k);
  const depth = bench.padded(k);
  const stride = depth + lanes;
  const cStride = n + 3;
  const a = padRows(bench, normalValues(bench.dtype, m * k, random), m, k, stride);
  const b = padRows(bench, normalValues(bench.dtype, n * k, random), n, k, stride);
  const c = createValues(bench.dtype, m * cStride).fill(Number.NaN);
  const places = { a: bench.put(a), b: bench.put(b), c: bench.put(c, guard) };
  bench.code.productTransposed(
    m,
    n,
    depth,
    places.a,
    stride * bytes,
    places.b,
    stride * bytes,
    places.c,
    cStride * bytes,
  );
  const result = bench.read(places.c - guard * bytes, m * cStride + 2 * guard);
  for (let at = 0; at < result.length; at++) {
    const i = Math.floor((at - guard) / cStride);
    const j = at - guard - i * cStride;
    if (i < 0 || i >= m || j >= n) {
      if (!Number.isNaN(result[at]!)) comparison.take(Infinity, 0, 1, `${m}×${n}×${k} wrote outside`);
      continue;
    }
    let sum = 0;
    let magnitude = 0;
    for (let p = 0; p < k; p++) {
      const term = a[i * stride + p]! * b[j * stride + p]!;
      sum += term;
      magnitude += Math.abs(term);
    }
    comparison.take(result[at]!, sum, magnitude, `${m}×${n}×${k} at ${i}, ${j}`);
  }
  bench.free(places.a, places.b, places.c - guard * bytes);
}

describe.each(buildsAndTypes)('%s in %s', (build, dtype) => {
  it.each([
    ['A·B from a row that is repeated', false, 'row'],
    ['A·B added to what is there', false, 'itself'],
    ['Aᵀ·B from zeros', true, 'zeros'],
    ['Aᵀ·B added to what is there', true, 'itself'],
  ] as const)('product: %s, for every shape, and nothing outside', (_name, isDown, start) => {
    const bench = new Workbench(build, dtype);
    const comparison = new Comparison();
    for (const shape of shapes) checkProduct(bench, shape, isDown, start, comparison);
    expect(comparison.worst, comparison.where).toBeLessThan(toleranceOf[dtype]);
    expect(bench.memory.usedBytes).toBe(0);
  });

  it('productTransposed: A·Bᵀ for every shape, and nothing outside', () => {
    const bench = new Workbench(build, dtype);
    const comparison = new Comparison();
    for (const shape of shapes) checkTransposed(bench, shape, comparison);
    expect(comparison.worst, comparison.where).toBeLessThan(toleranceOf[dtype]);
  });

  it('has the same bits however the rows of A, or of the sum, are cut up', () => {
    const bench = new Workbench(build, dtype);
    const { bytes } = bench;
    const random = seededRandom(5);
    for (const [m, n, k] of [
      [13, 20, 261],
      [7, 8, 600],
      [9, 4, 3],
    ] as const) {
      const a = bench.put(normalValues(dtype, m * k, random));
      const b = bench.put(normalValues(dtype, k * n, random));
      const bTransposed = bench.put(normalValues(dtype, n * bench.padded(k), random));
      const zeros = bench.put(createValues(dtype, n));
      const c = bench.put(createValues(dtype, m * n));
      const product = (first: number, rows: number): void => {
        bench.code.product(
          rows,
          n,
          k,
          a + first * k * bytes,
          k * bytes,
          bytes,
          b,
          n * bytes,
          c + first * n * bytes,
          n * bytes,
          zeros,
          0,
        );
      };
      product(0, m);
      const whole = bench.read(c, m * n);
      for (let first = 0; first < m; first += 3) product(first, Math.min(3, m - first));
      expect(bench.read(c, m * n)).toEqual(whole);

      // The sum over k in two parts: what a gradient is that is taken chunk by chunk.
      for (const part of [1, 2, Math.floor(k / 2), k - 1]) {
        bench.code.product(m, n, part, a, k * bytes, bytes, b, n * bytes, c, n * bytes, zeros, 0);
        bench.code.product(
          m,
          n,
          k - part,
          a + part * bytes,
          k * bytes,
          bytes,
          b + part * n * bytes,
          n * bytes,
          c,
          n * bytes,
          c,
          n * bytes,
        );
        expect(bench.read(c, m * n)).toEqual(whole);
      }

      const depth = bench.padded(k) - bench.lanes;
      const transposed = (first: number, rows: number): void => {
        bench.code.productTransposed(
          rows,
          n,
          depth,
          a + first * k * bytes,
          k * bytes,
          bTransposed,
          bench.padded(k) * bytes,
          c + first * n * bytes,
          n * bytes,
        );
      };
      transposed(0, m);
      const wholeTransposed = bench.read(c, m * n);
      for (let first = 0; first < m; first += 3) transposed(first, Math.min(3, m - first));
      expect(bench.read(c, m * n)).toEqual(wholeTransposed);
    }
  });

  it('multiplyAdd: y + a·x for any length and place, and nothing behind it', () => {
    const bench = new Workbench(build, dtype);
    const random = seededRandom(6);
    for (const length of sizes) {
      for (const shift of [0, 1, 3]) {
        const x = normalValues(dtype, length + shift, random);
        const y = normalValues(dtype, length + shift + 1, random);
        const [xAt, yAt] = [bench.put(x), bench.put(y)];
        bench.code.multiplyAdd(yAt + shift * bench.bytes, xAt + shift * bench.bytes, 0.3, length);
        const result = bench.read(yAt, y.length);
        const factor = dtype === 'float32' ? Math.fround(0.3) : 0.3;
        for (let i = 0; i < y.length; i++) {
          const isInside = i >= shift && i < shift + length;
          const wanted = isInside ? y[i]! + factor * x[i]! : y[i]!;
          const magnitude = Math.abs(y[i]!) + (isInside ? Math.abs(factor * x[i]!) : 0);
          expect(Math.abs(result[i]! - wanted)).toBeLessThanOrEqual(toleranceOf[dtype] * 0.1 * magnitude);
        }
        bench.free(xAt, yAt);
      }
    }
  });
});
