// Medians of interleaved repetitions: what slows the machine down for a while slows all contenders alike.
import { systemClock } from 'mainstem';

/** Something that is measured beside others. */
export interface Contender {
  readonly name: string;
  /** Does the work once. It returns something that depends on it, so that nothing is optimised away. */
  run(): unknown;
}

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
}

/** One table of the results. */
export interface Table {
  readonly title: string;
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Measures contenders in turns. The first is the baseline. */
export async function compare(contenders: readonly Contender[], effort: Effort): Promise<Measurement[]> {
  const counts: number[] = [];
  for (const contender of contenders) counts.push(await runsPerSample(contender, effort.sampleMs));
  const samples: number[][] = contenders.map(() => []);
  for (let repetition = 0; repetition < effort.repetitions; repetition++) {
    for (const [index, contender] of contenders.entries()) {
      const count = counts[index]!;
      samples[index]!.push((await timeMs(contender, count)) / count);
    }
  }
  return contenders.map(({ name }, index) => ({
    name,
    ms: median(samples[index]!),
    ratio: median(samples[0]!.map((first, repetition) => first / samples[index]![repetition]!)),
  }));
}

/** Warms up until one sample takes long enough; returns how many runs that is. */
async function runsPerSample(contender: Contender, sampleMs: number): Promise<number> {
  for (let count = 1; ; count *= 2) {
    if ((await timeMs(contender, count)) >= sampleMs) return count;
  }
}

async function timeMs(contender: Contender, count: number): Promise<number> {
  const start = systemClock.now();
  for (let i = 0; i < count; i++) {
    const result = contender.run();
    if (result instanceof Promise) await result;
  }
  return systemClock.now() - start;
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
