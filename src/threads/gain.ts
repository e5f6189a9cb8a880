import type { DataType } from '../parameters/values.ts';

// What the estimate rests on: rounded measurements of one machine, and not of the one at hand, so that the same
// training takes the same road, and so gives the same bits, on every run. In nanoseconds.

/** Of one multiplication and one addition of floats; doubles take twice as long. */
const nsPerProduct = 0.058;
/** Of one byte that comes from, or goes to, beyond the nearest caches. */
const nsPerByte = 0.1;
/** For each thread, until all have met: some are late, some asleep. */
const nsPerMeeting = 10_000;
/** Until all threads have heard of a pass, and all have answered. */
const nsPerPass = 60_000;

/** A training as the estimate sees it. */
export interface TrainingWork {
  /** Units of each layer, the inputs first. */
  readonly widths: readonly number[];
  /** Numbers of the parameters. */
  readonly parameters: number;
  readonly rows: number;
  readonly batchSize: number;
  readonly dtype: DataType;
  /** Numbers that the optimizer keeps for each parameter. */
  readonly slotCount: number;
  /** How often the threads meet in a step. */
  readonly meetings: number;
}

/** Whether threads pay. */
export interface ThreadsGain {
  /** Threads that the training takes: 1 where more would not pay. */
  readonly threads: number;
  /** How many times as fast as on one thread it should be with them; where `threads` is 1, with the best number. */
  readonly speedup: number;
  /** The same in words. */
  readonly message: string;
}

/** How fast a training should be on the best number of threads up to `count`, which take it from `gainMin` on. */
export function estimateGain(work: TrainingWork, count: number, gainMin: number): ThreadsGain {
  const alone = stepNs(work);
  let best = { threads: 1, speedup: 1 };
  let tried = { threads: count, speedup: 0 };
  for (let threads = 2; threads <= count; threads++) {
    const speedup = alone / threadedStepNs(work, threads);
    if (speedup > tried.speedup) tried = { threads, speedup };
  }
  if (tried.speedup >= gainMin) best = tried;
  return {
    threads: best.threads,
    speedup: tried.speedup,
    message: describe(work, tried, best.threads, gainMin),
  };
}

/** One step on one thread. */
function stepNs(work: TrainingWork): number {
  return productsNs(work, work.batchSize) + stepBytes(work) * nsPerByte;
}

/** One step on several threads, as long as the longest part takes. */
function threadedStepNs(work: TrainingWork, threads: number): number {
  const { batchSize, rows, meetings } = work;
  const partRows = Math.min(batchSize, 4 * Math.ceil(Math.ceil(batchSize / 4) / threads));
  // Each thread reads its stretch of all gradients.
  const sumBytes = work.parameters * bytesOf(work) * (1 + 1 / threads);
  const bytes = sumBytes + stepBytes(work) / threads;
  const batches = Math.ceil(rows / batchSize);
  return productsNs(work, partRows) + bytes * nsPerByte + meetingsNs(meetings, threads) + nsPerPass / batches;
}

/** Forward, and backward but for what would be passed on to the features. Weights pass by three times for any rows. */
function productsNs(work: TrainingWork, rows: number): number {
  const { widths, dtype } = work;
  const isDouble = dtype === 'float64';
  let products = 0;
  for (let layer = 1; layer < widths.length; layer++) {
    const weights = (widths[layer - 1] as number) * (widths[layer] as number);
    products += (layer === 1 ? 2 : 3) * weights;
  }
  // Few products a feature: its own way from memory takes longer.
  const featureBytes = (widths[0] as number) * (isDouble ? 8 : 4);
  const rowNs = products * nsPerProduct * (isDouble ? 2 : 1) + featureBytes * nsPerByte;
  return rows * rowNs + 3 * work.parameters * bytesOf(work) * nsPerByte;
}

/** What an optimizer's step reads and writes. */
function stepBytes(work: TrainingWork): number {
  return work.parameters * bytesOf(work) * (3 + 2 * work.slotCount);
}

function meetingsNs(meetings: number, threads: number): number {
  return meetings * threads * nsPerMeeting;
}

function bytesOf({ dtype }: TrainingWork): number {
  return dtype === 'float64' ? 8 : 4;
}

function describe(
  work: TrainingWork,
  { threads, speedup }: { threads: number; speedup: number },
  taken: number,
  gainMin: number,
): string {
  const what = `${work.widths.join('-')} at batch ${work.batchSize}`;
  const step = `a step takes about ${micros(stepNs(work))}`;
  const factor = speedup.toFixed(speedup < 0.1 ? 3 : 1);
  if (taken > 1)
    return `${what} runs on ${taken} threads: ${step} on one, ${factor} times as fast should it be`;
  const meetings = `${work.meetings} meetings of ${threads} threads ${micros(meetingsNs(work.meetings, threads))}`;
  return `${what} is too small to gain: ${step}, ${meetings}; ${threads} threads would be ${factor} times as fast, wanted are ${gainMin}; it runs on one thread`;
}

function micros(ns: number): string {
  return ns < 1e6 ? `${Math.round(ns / 1e3)} µs` : `${(ns / 1e6).toFixed(1)} ms`;
}
