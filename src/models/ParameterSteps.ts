import type { KernelRule } from '../kernels/TrainingSession.ts';
import { kernelRule } from '../optimizers/kernelRule.ts';
import type { LearningRateSchedule } from '../optimizers/LearningRateSchedule.ts';
import { scheduledRate } from '../optimizers/LearningRateSchedule.ts';
import type { Optimizer, OptimizerState } from '../optimizers/Optimizer.ts';
import type { ValueRange } from '../parameters/tensorPatterns.ts';
import type { DataType, Values } from '../parameters/values.ts';
import type { GradientTerm } from './GradientTerm.ts';
import { addTerm, termOf } from './GradientTerm.ts';
import type { GradientClipping } from './gradientClipping.ts';
import { clipGradient } from './gradientClipping.ts';

/** How a training turns a mean gradient into a step. */
export interface StepRule {
  readonly optimizer: Optimizer;
  /** Changed in place. */
  readonly state: OptimizerState;
  readonly learningRate: number;
  readonly schedule: LearningRateSchedule | undefined;
  /** Version of main that the parameters started from, for the schedule. */
  readonly round: number;
  readonly clipping: GradientClipping | undefined;
  /** Added to the gradient before it is clipped. */
  readonly term: GradientTerm | undefined;
  /** What is not frozen; everything unless given. */
  readonly trainable: readonly ValueRange[] | undefined;
}

/** A piece of the flat array that is stepped over in one go. */
interface Piece {
  readonly state: OptimizerState;
  readonly values: Values;
  readonly gradient: Float64Array<ArrayBuffer>;
  readonly term: GradientTerm | undefined;
}

/** The numbers of a rule that the kernels can step by; undefined for one that steps in JavaScript. */
export function kernelRuleOf({ optimizer, term }: StepRule, dtype: DataType): KernelRule | undefined {
  return term === undefined ? kernelRule(optimizer, dtype) : undefined;
}

/**
 * The steps of one training on `values` against `gradient`, whose numbers change between steps and are clipped in
 * place. What is frozen has no part in a step: neither its numbers nor its optimizer state change, and its gradient
 * does not count for the norm that is clipped.
 */
export class ParameterSteps {
  readonly #rule: StepRule;
  readonly #pieces: readonly Piece[];

  constructor(rule: StepRule, values: Values, gradient: Float64Array<ArrayBuffer>) {
    this.#rule = rule;
    const { state, trainable, term } = rule;
    this.#pieces = trainable?.map(([start, end]) => ({
      state: { steps: state.steps, slots: state.slots.map((slot) => slot.subarray(start, end)) },
      values: values.subarray(start, end),
      gradient: gradient.subarray(start, end),
      term: term && termOf(term, start, end),
    })) ?? [{ state, values, gradient, term }];
  }

  /** Takes one step. Throws InvalidOptionError where the schedule gives an illegal rate. */
  take(): void {
    const { optimizer, state, learningRate, schedule, round, clipping } = this.#rule;
    const rate =
      schedule === undefined
        ? learningRate
        : scheduledRate(schedule, { base: learningRate, step: state.steps, round });
    const pieces = this.#pieces;
    for (const piece of pieces)
      if (piece.term !== undefined) addTerm(piece.gradient, piece.values, piece.term);
    if (clipping !== undefined) {
      clipGradient(
        pieces.map(({ gradient }) => gradient),
        clipping,
      );
    }
    state.steps++;
    for (const piece of pieces) {
      piece.state.steps = state.steps;
      optimizer.step(piece.state, piece.values, piece.gradient, rate);
    }
  }
}
