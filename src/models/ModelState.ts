import type { Optimizer, OptimizerState } from '../optimizers/Optimizer.ts';
import { createOptimizerState } from '../optimizers/Optimizer.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import type { Random, RandomState } from '../random.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { initialiseNetwork } from './DenseNetwork.ts';

/** What a model has once its shape is known: numbers, optimizer state, and where they came from. */
export interface ModelState {
  readonly network: DenseNetwork;
  /** Whoever changes them calls `valuesChanged`. */
  readonly values: Values;
  /** Raised whenever values have changed: a copy of another version is old. */
  version: number;
  /** Whether a step of a training is under way, in which values may change at any time. */
  isChanging: boolean;
  optimizerState: OptimizerState;
  /** Made by a training that has not ended yet: if it fails, the model is without parameters again. */
  isFresh: boolean;
  /** Rows of the last training. */
  sampleCount: number | undefined;
  /** Version of main that the parameters are, or started from. */
  baseVersion: number | undefined;
}

/** The state before any training: networks start at random, regressions, whose cost is convex, at zero. */
export function createModelState(
  network: DenseNetwork,
  dtype: DataType,
  optimizer: Optimizer,
  random: Random | undefined,
): ModelState {
  const values = createValues(dtype, network.layout.length);
  if (random !== undefined) initialiseNetwork(network, values, random);
  return {
    network,
    values,
    version: 0,
    isChanging: false,
    optimizerState: createOptimizerState(optimizer, values.length),
    isFresh: true,
    sampleCount: undefined,
    baseVersion: undefined,
  };
}

/** Says that the values are others now. */
export function valuesChanged(state: ModelState): void {
  state.version++;
}

/** The steps of a training, which change the values of a state: what happens within a step is not to be relied on. */
export function* changingSteps<Step, Result>(
  state: ModelState,
  steps: Generator<Step, Result>,
): Generator<Step, Result> {
  const resume = <T>(step: () => T): T => {
    state.isChanging = true;
    try {
      return step();
    } finally {
      state.isChanging = false;
      valuesChanged(state);
    }
  };
  let isDone = false;
  try {
    for (;;) {
      const step = resume(() => steps.next());
      isDone = step.done === true;
      if (step.done === true) return step.value;
      yield step.value;
    }
  } finally {
    // Stopped between two steps: the training tidies up, and writes the values that it has come to.
    if (!isDone) resume(() => steps.return(undefined as Result));
  }
}

/** What a training can be taken back to. */
export interface Checkpoint {
  readonly values: Values;
  readonly steps: number;
  readonly slots: readonly Float64Array[];
  readonly randoms: readonly RandomState[];
  readonly sampleCount: number | undefined;
}

/** Remembers the state, so that a diverged training leaves no trace. */
export function takeCheckpoint(state: ModelState, randoms: readonly Random[]): Checkpoint {
  return {
    values: state.values.slice(),
    steps: state.optimizerState.steps,
    slots: state.optimizerState.slots.map((slot) => slot.slice()),
    randoms: randoms.map((random) => random.getState()),
    sampleCount: state.sampleCount,
  };
}

/** Puts a remembered state back. */
export function restoreCheckpoint(
  state: ModelState,
  randoms: readonly Random[],
  checkpoint: Checkpoint,
): void {
  state.values.set(checkpoint.values);
  valuesChanged(state);
  state.optimizerState.steps = checkpoint.steps;
  state.optimizerState.slots.forEach((slot, index) => {
    slot.set(checkpoint.slots[index] as Float64Array);
  });
  randoms.forEach((random, index) => {
    random.setState(checkpoint.randoms[index] as RandomState);
  });
  state.sampleCount = checkpoint.sampleCount;
}
