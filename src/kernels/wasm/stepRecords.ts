import type { KernelRule } from '../TrainingSession.ts';
import { optimizerCodes } from './codes.ts';
import type { Segment } from './networkShape.ts';

/** A start and an end in the flat array. */
export type FlatRange = readonly [start: number, end: number];

/** The numbers of an optimizer between steps; they belong to the model. */
export interface StepState {
  steps: number;
  readonly slots: readonly Float64Array<ArrayBuffer>[];
}

/** What a step takes besides the settings of its rule. */
export interface StepNumbers {
  readonly rate: number;
  readonly firstCorrection: number;
  readonly secondCorrection: number;
  readonly weightDecay: number;
}

/** A stretch of the workspace that is stepped over, in numbers. */
export interface Stretch {
  readonly start: number;
  readonly length: number;
}

/** What the record of a rule says from beginning to end. */
export function ruleFields(rule: KernelRule): Record<string, number> {
  return {
    code: optimizerCodes.get(rule.name) as number,
    hasVelocity: rule.name === 'rmsProp' && rule.slotCount > 1 ? 1 : 0,
    first: rule.first,
    second: rule.second,
    epsilon: rule.epsilon,
  };
}

/** The numbers of step `step`, from 1. */
export function stepNumbers(rule: KernelRule, rate: number, step: number): StepNumbers {
  const isAdam = rule.slotCount === 2 && rule.name !== 'rmsProp';
  return {
    rate,
    firstCorrection: isAdam ? 1 / (1 - rule.first ** step) : 1,
    secondCorrection: isAdam ? 1 / (1 - rule.second ** step) : 1,
    weightDecay: rate * rule.weightDecay,
  };
}

/** The tensors that are not frozen; all in one piece where none is. */
export function stretchesOf(
  segments: readonly Segment[],
  trainable: readonly FlatRange[] | undefined,
  length: number,
): Stretch[] {
  if (trainable === undefined) return [{ start: 0, length }];
  return segments.flatMap(({ flat, place }, index) => {
    if (!trainable.some(([start, end]) => flat >= start && flat < end)) return [];
    return [{ start: place, length: (segments[index + 1]?.place ?? length) - place }];
  });
}
