import { MalformedDataError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';

/** What an optimizer remembers between steps. It belongs to the model or coordinator, not to the optimizer. */
export interface OptimizerState {
  /** Steps taken; during a step, this one included. */
  steps: number;
  /** One array per slot, as long as the parameters, zero at first. */
  readonly slots: readonly Float64Array<ArrayBuffer>[];
}

/**
 * An update rule. It is a pure rule without memory, so that one object may serve any number of models and
 * coordinators, and it works value by value: a step over two halves is a step over the whole, which lets a
 * coordinator spread it over several ticks.
 */
export interface Optimizer {
  /** An OptimizerName, or a name of your own. */
  readonly name: string;
  /** The learning rate of a model that was given none. */
  readonly defaultLearningRate: number;
  /** How many arrays of state it needs. */
  readonly slotCount: number;
  /** Moves `values` against `gradient`, in place. All arrays are equally long. */
  step(state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void;
}

/** The state before the first step, for `length` parameters. */
export function createOptimizerState(optimizer: Optimizer, length: number): OptimizerState {
  return { steps: 0, slots: Array.from({ length: optimizer.slotCount }, () => new Float64Array(length)) };
}

/** The JSON form of an optimizer's state. */
export interface OptimizerStateJson {
  readonly optimizer: string;
  readonly steps: number;
  readonly slots: readonly (readonly number[])[];
}

/** Writes a state as JSON, with the optimizer's name, so that it is never read by another rule. */
export function optimizerStateToJson(optimizer: Optimizer, state: OptimizerState): OptimizerStateJson {
  return {
    optimizer: optimizer.name,
    steps: state.steps,
    slots: state.slots.map((slot) => Array.from(slot)),
  };
}

/** Reads a state for this optimizer and this many parameters; throws MalformedDataError where it does not fit. */
export function optimizerStateFromJson(
  optimizer: Optimizer,
  json: OptimizerStateJson,
  length: number,
): OptimizerState {
  if (json?.optimizer !== optimizer.name) {
    throw new MalformedDataError(`optimizer state is of ${json?.optimizer}, expected ${optimizer.name}`);
  }
  const fits =
    Number.isSafeInteger(json.steps) &&
    json.steps >= 0 &&
    Array.isArray(json.slots) &&
    json.slots.length === optimizer.slotCount &&
    json.slots.every(
      (slot) => Array.isArray(slot) && slot.length === length && slot.every((n) => Number.isFinite(n)),
    );
  if (!fits) {
    throw new MalformedDataError(
      `optimizer state of ${optimizer.name} must have ${optimizer.slotCount} arrays of ${length} finite numbers`,
    );
  }
  return { steps: json.steps, slots: json.slots.map((slot) => Float64Array.from(slot)) };
}
