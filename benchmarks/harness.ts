// Medians of interleaved repetitions: what slows the machine down for a while slows all contenders alike.
import { systemClock } from 'mainstem';

/** Something that is measured beside others. */
export interface Contender {
  readonly name: string;
  /** Does the work once. It returns something that depends on it, so that nothing is optimised away. */
  run(): unknown;
  /** How many units (steps, iterations) one run does; 1 unless given. Times are per unit. */
  readonly units?: number;
  /** For work in another process: does `count` runs and returns what it measured there, in milliseconds. */
  measure?(count: number): Promise<number>;
}

/** Milliseconds of something: `wallMs`, or `cpuMs` where one thread's work is compared on a busy machine. */
export type Stopwatch = () => number;

/** Time on the wall. */
export const wallMs: Stopwatch = () => systemClock.now();

/** Processor time of this process, user and system, all threads: what a peer does beside the main thread counts. */
export const cpuMs: Stopwatch = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** What one contender needed. */
export interface Measurement {
  readonly name: string;
  /** Median time of one run, in milliseconds. */
  readonly ms: number;
  /** Median over the repetitions of: time of the first contender / time of this one. Above 1: faster than the first. */
  readonly ratio: number;
}

/** How long a benchmark takes. */
export interface Effort {
  readonly repetitions: number;
  /** Least time of one repetition of one contender, in milliseconds. */
  readonly sampleMs: number;
  /** Share of the steps of works that come in steps; 1 in full. */
  readonly scale: number;
}

/** One table of the results. */
export interface Table {
  readonly title: string;
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Measures contenders in turns, by time on the wall. The first is the baseline. */
export async function compare(contenders: readonly Contender[], effort: Effort): Promise<Measurement[]> {
  const samples = await sample(contenders, effort, wallMs);
  return contenders.map(({ name }, index) => ({
    name,
    ms: median(samples[index]!),
    ratio: median(samples[0]!.map((first, repetition) => first / samples[index]![repetition]!)),
  }));
}

/** Milliseconds per unit of each contender in each repetition. They take turns, after each has warmed up. */
export async function sample(
  contenders: readonly Contender[],
  effort: Effort,
  stopwatch: Stopwatch,
): Promise<number[][]> {
  const counts: number[] = [];
  for (const contender of contenders) counts.push(await runsPerSample(contender, effort.sampleMs, stopwatch));
  const samples: number[][] = contenders.map(() => []);
  for (let repetition = 0; repetition < effort.repetitions; repetition++) {
    for (const [index, contender] of contenders.entries()) {
      const units = counts[index]! * (contender.units ?? 1);
      samples[index]!.push((await timeMs(contender, counts[index]!, stopwatch)) / units);
    }
  }
  return samples;
}

/** Warms up until one sample takes long enough; returns how many runs that is. */
async function runsPerSample(contender: Contender, sampleMs: number, stopwatch: Stopwatch): Promise<number> {
  for (let count = 1; ; count *= 2) {
    if ((await timeMs(contender, count, stopwatch)) >= sampleMs) return count;
  }
}

async function timeMs(contender: Contender, count: number, stopwatch: Stopwatch): Promise<number> {
  if (contender.measure !== undefined) return contender.measure(count);
  const start = stopwatch();
  for (let i = 0; i < count; i++) {
    const result = contender.run();
    if (result instanceof Promise) await result;
  }
  return stopwatch() - start;
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between the two nearest. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)]!;
  return low + (place % 1) * (sorted[Math.ceil(place)]! - low);
}

/** Three significant digits, with separators. */
export function format(value: number): string {
  const digits = Number(value.toPrecision(3));
  return digits.toLocaleString('en-GB', { maximumSignificantDigits: 3 });
}

/** A table as Markdown. */
export function toMarkdown({ title, note, columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = line(columns.map((_, index) => (index === 0 ? '---' : '---:')));
  return [`## ${title}`, '', note, '', line(columns), rule, ...rows.map(line), ''].join('\n');
}
