import { MalformedDataError } from '../errors.ts';
import { valueRunsMax } from '../limits.ts';
import type { Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import { bytesToValues, valuesToBytes } from './tensorBytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Values that differ from others: how many stay, how many are new, how many stay …, and the new ones. */
export interface ValueRuns {
  readonly runs: readonly number[];
  readonly payload: Bytes;
}

/** A gap between two runs costs as much in metadata. */
const gapMin = 4;
const probes = 64;

/**
 * What must be sent to turn `before` into `after`, to the bit. Undefined where that is not much less than all of it. Both
 * are of one dtype and length.
 */
export function changedRuns(before: Values, after: Values): ValueRuns | undefined {
  const { length } = after;
  const changedMax = length / 2;
  if (!isWorthLooking(before, after)) return undefined;
  const runs: number[] = [];
  let changed = 0;
  /** End of the last run. */
  let end = 0;
  for (let at = 0; at < length; at++) {
    if (isSame(before[at] as number, after[at] as number)) continue;
    if (runs.length > 0 && at - end < gapMin) {
      runs[runs.length - 1] = (runs[runs.length - 1] as number) + (at + 1 - end);
      changed += at + 1 - end;
    } else {
      runs.push(at - end, 1);
      changed++;
    }
    end = at + 1;
    if (changed > changedMax || runs.length > valueRunsMax) return undefined;
  }
  const values = createValues(after instanceof Float32Array ? 'float32' : 'float64', changed);
  let [at, filled] = [0, 0];
  for (let i = 0; i < runs.length; i += 2) {
    at += runs[i] as number;
    const count = runs[i + 1] as number;
    values.set(after.subarray(at, at + count), filled);
    at += count;
    filled += count;
  }
  return { runs, payload: valuesToBytes(values) };
}

/** `before` with these runs in place, in an array of its own. Throws MalformedDataError where they do not fit. */
export function withRuns(before: Values, { runs, payload }: ValueRuns): Values {
  let [kept, changed] = [0, 0];
  for (let i = 0; i < runs.length; i += 2) {
    kept += runs[i] as number;
    changed += runs[i + 1] ?? 0;
  }
  if (runs.length % 2 !== 0 || kept + changed > before.length)
    throw new MalformedDataError(
      `${runs.length} lengths of runs, ${kept + changed} values together, expected pairs and at most ${before.length}`,
    );
  const values = before.slice();
  const dtype = values instanceof Float32Array ? 'float32' : 'float64';
  const news = bytesToValues(payload, dtype, changed);
  let [at, taken] = [0, 0];
  for (let i = 0; i < runs.length; i += 2) {
    at += runs[i] as number;
    const count = runs[i + 1] as number;
    values.set(news.subarray(taken, taken + count), at);
    at += count;
    taken += count;
  }
  return values;
}

/** Where most of a few values differ, most of all do. */
function isWorthLooking(before: Values, after: Values): boolean {
  const step = Math.max(1, Math.floor(after.length / probes));
  let same = 0;
  let looked = 0;
  for (let at = 0; at < after.length; at += step) {
    looked++;
    if (isSame(before[at] as number, after[at] as number)) same++;
  }
  return 4 * same >= looked;
}

/** Their bits are equal: 0 and −0 are not. */
function isSame(a: number, b: number): boolean {
  return a === b && (a !== 0 || 1 / a === 1 / b);
}
