import { readFileSync } from 'node:fs';
import { pixelsPerDigit } from './ink.ts';

/** Digits of 64 pixels between 0 and 16, and which they are. */
export interface Digits {
  readonly pixels: number[][];
  readonly labels: number[];
}

const file = new URL('../../data/digits.csv', import.meta.url);
const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
const rows = lines.map((line) => line.split(',').map(Number));

const digitsOf = (part: number[][]): Digits => ({
  pixels: part.map((row) => row.slice(0, pixelsPerDigit)),
  labels: part.map((row) => row[pixelsPerDigit]!),
});

const trainingRows = rows.filter((_, index) => index % 5 !== 4);

/** Every fifth digit is held out: no tab ever sees it, and main is judged by these alone. */
export const heldOut: Digits = digitsOf(rows.filter((_, index) => index % 5 === 4));

/** A tab's part of the others. */
export function shardOf(shard: number, shards: number): Digits {
  return digitsOf(trainingRows.filter((_, index) => index % shards === shard));
}
