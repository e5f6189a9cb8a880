import type { Clock } from '../clock.ts';

/** What is reported after each iteration: one pass over the rows. */
export interface IterationReport {
  /** From 1. */
  readonly iteration: number;
  /** Mean over the batches, each taken before its update. */
  readonly cost: number;
}

/** Options of one training. They replace the model's own for this call. */
export interface TrainOptions {
  maximumNumberOfIterations?: number;
  /** Called after each iteration; returning false ends the training. */
  onIteration?: (report: IterationReport) => boolean | undefined | void;
}

/** Options of an asynchronous training. */
export interface TrainAsyncOptions extends TrainOptions {
  /** Ends the training with an AbortedError; what was learnt is kept. */
  signal?: AbortSignal;
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
}

/** What a step of `trainIterator` has done. */
export interface TrainingStep {
  /** The iteration under way, from 1. */
  readonly iteration: number;
  /** Rows of it that are done. */
  readonly rows: number;
  /** The cost of the iteration, once it is complete. */
  readonly cost: number | undefined;
}
