import type { Values } from '../parameters/values.ts';

/**
 * One training of a network on its rows, batch by batch. It owns what the steps work on; the model's own arrays are
 * brought up to date by `sync`.
 */
export interface TrainingSession {
  /** Most rows that one call takes. */
  readonly chunkRows: number;
  /** Starts a pass over the rows: those of `order`, or as they come. */
  begin(order: Int32Array | undefined): void;
  /** Takes rows into the batch that is open. */
  add(first: number, count: number): void;
  /** Takes the last rows of a batch in and makes the step; returns the batch's mean cost, penalty included. */
  complete(first: number, count: number): number;
  /** Writes parameters, optimizer state and saved gradient into the arrays of the model. */
  sync(): void;
  /** Gives the memory back. Nothing may be called after it. */
  release(): void;
}

/** A pass over the rows that is under way elsewhere, while this thread does something else. */
export interface Pass {
  /** Resolves when it has ended, in whatever way. */
  readonly ended: Promise<void>;
  /** Lets it end after the batch under way. */
  stop(): void;
  /** The row-weighted mean of its batches' costs, once it has ended. Throws what it failed from. */
  cost(): number;
}

/** A training whose passes run elsewhere; between them it is as a TrainingSession. */
export interface PassSession {
  /** Starts a pass over the rows: those of `order`, or as they come. */
  startPass(order: Int32Array | undefined): Pass;
  /** Writes parameters, optimizer state and saved gradient into the arrays of the model. */
  sync(): void;
  /** Gives the memory back. Nothing may be called after it. */
  release(): void;
}

/** Cost and gradient of a network on its rows, a chunk at a time. */
export interface NetworkEvaluator {
  /** Most rows that one call takes. */
  readonly chunkRows: number;
  /** Starts from nothing at these parameters. */
  begin(values: Values): void;
  /** Takes rows in, for their cost or for the gradient too. */
  add(first: number, count: number, withGradient: boolean): void;
  /** The summed cost of the rows so far, without penalty. */
  readonly cost: number;
  /** Writes the summed gradient, without penalty. */
  readGradient(target: Float64Array): void;
  /** Gives the memory back. Nothing may be called after it. */
  release(): void;
}

/** A built-in update rule as the kernels know it. */
export interface KernelRule {
  readonly name: string;
  /** momentum: μ; rmsProp: the decay; adam: β₁. */
  readonly first: number;
  /** rmsProp: the momentum; adam: β₂. */
  readonly second: number;
  readonly epsilon: number;
  /** adamW: λ. */
  readonly weightDecay: number;
  readonly slotCount: number;
}
