import { SingleBar } from 'cli-progress';
import { percent, wayTitles } from './format.ts';
import type { Result, WayName } from './setting.ts';
import type { SplitName } from './shards.ts';

/** What a part of the demo works through. */
export interface StageInfo {
  /** Which rows the children have; undefined for what knows no children. */
  readonly split: SplitName | 'raw' | undefined;
  readonly way: WayName;
  readonly total: number;
  /** What `total` counts, in the plural. */
  readonly unit: string;
}

/** A part of the demo under way. */
export interface Stage {
  /** `done` of the total are done; the accuracy as it stands, where it is known. */
  advance(done: number, accuracy?: number): void;
}

/** Shows how far the demo is. */
export interface Progress {
  /** Shows one part while it works. */
  run(info: StageInfo, work: (stage: Stage) => Promise<Result>): Promise<Result>;
}

/** Where progress is written to. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Bars in a terminal; elsewhere one line for each part that is done. */
export function createProgress(stream: ProgressStream): Progress {
  return stream.isTTY === true && process.env.TERM !== 'dumb' ? new Bars(stream) : new Lines(stream);
}

function titleOf({ split, way }: StageInfo): string {
  return `${(split ?? '').padEnd(7)} ${wayTitles[way].padEnd(22)}`;
}

/** One line for each part that is done: for pipes and logs. */
class Lines implements Progress {
  readonly #stream: ProgressStream;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  async run(info: StageInfo, work: (stage: Stage) => Promise<Result>): Promise<Result> {
    const result = await work({ advance() {} });
    const { accuracy, seconds } = result;
    this.#stream.write(
      `${titleOf(info)}  ${percent(accuracy)}  ${info.total} ${info.unit}, ${seconds.toFixed(1)} s\n`,
    );
    return result;
  }
}

const barColumnsMax = 24;
/** Columns of a line without its bar. */
const textColumns = 57;

/** A bar for each part, which stays when it is done. */
class Bars implements Progress {
  readonly #stream: ProgressStream;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  async run(info: StageInfo, work: (stage: Stage) => Promise<Result>): Promise<Result> {
    const { total, unit } = info;
    const columns = (this.#stream.columns ?? 80) - textColumns;
    const bar = new SingleBar({
      format: `${titleOf(info)} {bar} {count} ${unit.padEnd(8)} {accuracy}`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: Math.max(4, Math.min(barColumnsMax, columns)),
      hideCursor: true,
      // Ctrl-C is for whoever started the work: it ends, and the bar stops with it.
      gracefulExit: false,
      stream: this.#stream,
    });
    const show = (done: number, accuracy?: number): object => ({
      count: `${String(done).padStart(3)}/${String(total).padEnd(3)}`,
      accuracy: (accuracy === undefined ? '' : percent(accuracy)).padStart(7),
    });
    bar.start(total, 0, show(0));
    try {
      const result = await work({
        advance: (done, accuracy) => bar.update(done, show(done, accuracy)),
      });
      bar.update(total, show(total, result.accuracy));
      return result;
    } finally {
      bar.stop();
    }
  }
}
