import { NeuralNetwork } from 'mainstem';
import { expect, test } from 'vitest';
import { heldOut, shardOf } from '../../examples/browser/digits.ts';
import { drawings } from '../../examples/browser/drawing.ts';
import { toFeatures } from '../../examples/browser/model.ts';
import { Progress } from '../../examples/browser/Progress.ts';
import type { Stroke } from '../../examples/browser/page/digitPixels.ts';
import { digitPixels } from '../../examples/browser/page/digitPixels.ts';

const rowsOf = (pixels: readonly number[]): number[][] =>
  Array.from({ length: 8 }, (_, row) => pixels.slice(8 * row, 8 * row + 8));

const moved = (strokes: readonly Stroke[], scale: number, x: number, y: number): Stroke[] =>
  strokes.map((stroke) => stroke.map((point) => ({ x: scale * point.x + x, y: scale * point.y + y })));

test('nothing drawn is paper', () => {
  expect(digitPixels([])).toEqual(new Array(64).fill(0));
});

test('a drawing fills the height, stands in the middle, and has numbers from 0 to 16', () => {
  const rows = rowsOf(
    digitPixels([
      [
        { x: 0.2, y: 0.9 },
        { x: 0.2, y: 0.1 },
      ],
    ]),
  );
  for (const row of rows) {
    expect(row).toEqual([...row].reverse());
    expect(row.slice(0, 3)).toEqual([0, 0, 0]);
    expect(row[3]).toBeGreaterThan(0);
    for (const pixel of row) expect(Number.isInteger(pixel) && pixel >= 0 && pixel <= 16).toBe(true);
  }
});

test('where and how large somebody draws makes no difference', () => {
  for (const strokes of Object.values(drawings)) {
    const pixels = digitPixels(strokes);
    const small = digitPixels(moved(strokes, 0.25, 0.5, 0.125));
    pixels.forEach((pixel, index) => {
      // Dots on the edge of a stroke may fall to either side.
      expect(Math.abs(pixel - small[index]!)).toBeLessThanOrEqual(1);
    });
  }
});

test('a touch is a dot in the middle, and does not fill the field', () => {
  const pixels = digitPixels([[{ x: 0.1, y: 0.1 }]]);
  expect(pixels[0]).toBe(0);
  expect(pixels[27]).toBeGreaterThan(0);
  expect(pixels.reduce((a, b) => a + b)).toBeLessThan(40);
});

test('drawings look like the digits of the data set to a network that has never seen one', () => {
  const { pixels, labels } = shardOf(0, 1);
  const model = new NeuralNetwork({
    layers: [64, { units: 32 }, { units: 10, activation: 'softmax' }],
    maximumNumberOfIterations: 20,
  });
  model.train(pixels.map(toFeatures), labels);
  const digits = Object.keys(drawings).map(Number);
  const rows = Object.values(drawings).map((strokes) => toFeatures(digitPixels(strokes)));
  expect(model.predict(rows)).toEqual(digits);
});

test('shards are all but the held-out digits, each in one place', () => {
  const sizes = [0, 1, 2].map((shard) => shardOf(shard, 3).labels.length);
  expect(sizes.reduce((a, b) => a + b) + heldOut.labels.length).toBe(1797);
  expect(heldOut.labels).toHaveLength(359);
});

test('progress keeps the first and the latest point, and never more than 241', () => {
  const progress = new Progress();
  for (let version = 1; version <= 10_000; version++) {
    progress.add(version, version / 10_000);
    const { history } = progress.report(0);
    expect(history.length).toBeLessThanOrEqual(241);
    expect(history.at(-1)![0]).toBe(version);
  }
  const versions = progress.report(0).history.map(([version]) => version);
  expect(versions[0]).toBe(1);
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  expect(versions.length).toBeGreaterThan(100);
});
