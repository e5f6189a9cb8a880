import { InvalidOptionError, InvalidWeightError, MalformedDataError } from '../errors.ts';
import type { Features } from '../models/features.ts';
import type { Labels } from '../models/labels.ts';
import type { Model } from '../models/Model.ts';
import { ModelParameters, requireModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import { show } from '../show.ts';
import type { Steps } from '../steps.ts';
import { inSteps, runSteps } from '../steps.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import { Best } from './Best.ts';
import type { MergeFunction } from './CustomMerge.ts';
import { CustomMerge } from './CustomMerge.ts';
import type { MergeChild, MergeContext, Merger, MergerNeeds } from './Merger.ts';
import { ModelScorer } from './ModelScorer.ts';
import type { WeightTally } from './WeightedMean.ts';
import { WeightedMean } from './WeightedMean.ts';

/** How children are brought together. */
export type MergeMode =
  | 'average'
  | 'sampleWeightedAverage'
  | 'weightedAverage'
  | 'scoreRatio'
  | 'best'
  | 'custom';

/** What is done to each merged number. `nearest` rounds halves up. */
export type Rounding = 'none' | 'floor' | 'ceiling' | 'nearest';

/** Weights by place (the order in which children first came), by child id, or by a function. */
export type MergeWeights =
  | readonly number[]
  | Readonly<Record<string, number>>
  | ((child: MergeChild) => number);

/** Options of ModelParametersMerger. */
export interface ModelParametersMergerOptions {
  /**
   * - `sampleWeightedAverage` (default): by the rows that each child trained on; equal where none says.
   * - `average`: all alike.
   * - `weightedAverage`: by `weights`.
   * - `scoreRatio`: by each child's score on the rows of `setData`; scores below 0 count 0.
   * - `best`: the child with the highest score, the first of equals.
   * - `custom`: what `merge` returns.
   */
  mode?: MergeMode;
  weights?: MergeWeights;
  merge?: MergeFunction;
  /** `none` unless given. */
  rounding?: Rounding;
}

const roundings: Readonly<Record<Rounding, ((value: number) => number) | undefined>> = {
  none: undefined,
  floor: Math.floor,
  ceiling: Math.ceil,
  nearest: Math.round,
};

/** A set of parameters for `merge`, with what is known of the child. */
export interface ChildParameters {
  readonly parameters: ModelParameters;
  readonly id?: string;
  readonly sampleCount?: number;
  /** Versions of main that have passed since its training started; weights by a formula may ask for it. */
  readonly staleness?: number;
}

/** What merged parameters are like. */
interface MergedInfo {
  readonly layout: ParameterLayout;
  readonly dtype: DataType;
}

/** The merger of a parameters coordinator. Works by itself too: `merger.merge([a, b, c])`. */
export class ModelParametersMerger implements Merger {
  readonly mode: MergeMode;
  readonly #inner: Merger;
  readonly #round: ((value: number) => number) | undefined;
  /** Whether a weight comes from a function or a model of the user. */
  readonly #asksUsers: boolean;
  #scorer: ModelScorer | undefined;

  /** Throws InvalidOptionError for an unknown mode or rounding, or where a mode lacks what it needs. */
  constructor(options: ModelParametersMergerOptions = {}) {
    refuseUnknownOptions(options, ['mode', 'weights', 'merge', 'rounding'], 'ModelParametersMerger');
    const { mode = 'sampleWeightedAverage', weights, merge, rounding = 'none' } = options;
    if (!Object.hasOwn(roundings, rounding)) {
      throw new InvalidOptionError(
        `rounding is ${show(rounding)}, expected ${Object.keys(roundings).join(', ')}`,
      );
    }
    for (const [name, value, meant] of [
      ['weights', weights, 'weightedAverage'],
      ['merge', merge, 'custom'],
    ] as const) {
      if (value !== undefined && mode !== meant)
        throw new InvalidOptionError(`${name} is for mode ${meant}, got mode ${mode}`);
    }
    this.mode = mode;
    this.#round = roundings[rounding];
    this.#asksUsers = mode === 'scoreRatio' || typeof weights === 'function';
    this.#inner = this.#innerFor(mode, weights, merge);
  }

  /** The model and the rows that `scoreRatio` and `best` judge with. The model is copied or put back: it never changes. */
  setData(model: Model, features: Features, labels: Labels): void {
    this.#scorer = new ModelScorer(model, features, labels);
  }

  get needs(): MergerNeeds {
    return this.#inner.needs;
  }

  begin(context: MergeContext): unknown {
    return this.#inner.begin(context);
  }

  add(state: unknown, child: MergeChild): Steps<void> {
    return this.#inner.add(state, child);
  }

  *finish(state: unknown): Generator<undefined, Values> {
    const merged = yield* inSteps(this.#inner.finish(state));
    this.#roundAll(merged);
    return merged;
  }

  *mergeAll(
    children: readonly MergeChild[],
    { layout, main }: MergeContext,
    target: Values,
  ): Generator<undefined, void> {
    const inner = this.#inner;
    if (inner.mergeAll !== undefined) {
      yield* inSteps(inner.mergeAll(children, { layout, main }, target));
      this.#roundAll(target);
      return;
    }
    const state = this.begin({ layout, main });
    for (const child of children) yield* inSteps(this.add(state, child));
    target.set(yield* this.finish(state));
  }

  /**
   * Merges at once. Takes parameters, or parameters with id and sample count; ids are places unless given. Throws
   * where there is nothing to merge, where layouts differ, or where the mode has no sensible result.
   */
  merge(children: readonly (ModelParameters | ChildParameters)[]): ModelParameters {
    const all = children.map(describeChild);
    const first = all[0];
    if (first === undefined)
      throw new MalformedDataError('there are no parameters to merge, expected at least one set');
    const { layout, dtype } = first.parameters;
    const info = { layout, dtype };
    return this.#mergeOptimistically(all, info) ?? this.#mergeChecked(all, info);
  }

  /**
   * A mean that is finite proves that its children are: they are read once. Undefined where it is not, where anything
   * else is wrong, or where a function of the user would meet numbers that nobody has checked.
   */
  #mergeOptimistically(
    all: readonly MergeChild[],
    { layout, dtype }: MergedInfo,
  ): ModelParameters | undefined {
    const inner = this.#inner;
    if (!(inner instanceof WeightedMean) || this.#asksUsers || this.#round !== undefined) return undefined;
    const values = createValues(dtype, layout.length);
    try {
      for (const { parameters } of all) layout.assertFits(parameters.layout);
      if (!inner.prepareMean(all, values)(0, values.length)) return undefined;
    } catch {
      // The checks of the other way say it in their order.
      return undefined;
    }
    return new ModelParameters(layout, values);
  }

  #mergeChecked(all: readonly MergeChild[], { layout, dtype }: MergedInfo): ModelParameters {
    for (const { parameters, id } of all) {
      layout.assertFits(parameters.layout, `parameters of child ${id}`, 'the first child');
      parameters.assertFinite(`parameters of child ${id}`);
    }
    const merged = new ModelParameters(layout, createValues('float64', layout.length));
    runSteps(this.mergeAll(all, { layout, main: undefined }, merged.values));
    merged.assertFinite('merged parameters');
    return merged.toDataType(dtype);
  }

  #roundAll(merged: Values): void {
    const round = this.#round;
    if (round !== undefined) for (let i = 0; i < merged.length; i++) merged[i] = round(merged[i] as number);
  }

  #innerFor(mode: MergeMode, weights: MergeWeights | undefined, merge: MergeFunction | undefined): Merger {
    switch (mode) {
      case 'average':
        return new WeightedMean(() => 1);
      case 'sampleWeightedAverage':
        return new SampleWeightedMean();
      case 'weightedAverage':
        if (weights === undefined)
          throw new InvalidOptionError('mode weightedAverage needs the option weights');
        return new WeightedMean((child) => lookUpWeight(weights, child));
      case 'scoreRatio':
        return new WeightedMean((child) => Math.max(0, this.#score(child)));
      case 'best':
        return new Best((child) => this.#score(child));
      case 'custom':
        if (typeof merge !== 'function')
          throw new InvalidOptionError('mode custom needs the option merge, a function');
        return new CustomMerge(merge);
      default:
        throw new InvalidOptionError(
          `mode is ${show(mode)}, expected average, sampleWeightedAverage, weightedAverage, scoreRatio, best or custom`,
        );
    }
  }

  #score(child: MergeChild): number {
    if (this.#scorer === undefined) {
      throw new InvalidOptionError(
        `mode ${this.mode} needs validation rows; call setData(model, features, labels)`,
      );
    }
    return this.#scorer.score(child.parameters);
  }
}

/** By sample count; equal weights where no child names one. Some with and some without is an error. */
class SampleWeightedMean extends WeightedMean {
  constructor() {
    super((child) => child.sampleCount ?? 1);
  }

  protected override weigh(tally: WeightTally, child: MergeChild): number {
    const names = child.sampleCount !== undefined;
    const expected = tally.namesCounts ?? names;
    if (names !== expected) {
      throw new InvalidWeightError(
        `${child.id} ${names ? 'names' : 'does not name'} its sample count, the children before it ${expected ? 'do' : 'do not'}; give all a sampleCount, or use mode average`,
      );
    }
    const weight = super.weigh(tally, child);
    tally.namesCounts = expected;
    return weight;
  }
}

function lookUpWeight(weights: MergeWeights, child: MergeChild): number {
  if (typeof weights === 'function') return weights(child);
  const weight = Array.isArray(weights)
    ? weights[child.index]
    : Object.hasOwn(weights, child.id)
      ? (weights as Readonly<Record<string, number>>)[child.id]
      : undefined;
  if (weight === undefined)
    throw new InvalidWeightError(`there is no weight for child ${child.id} (place ${child.index})`);
  return weight;
}

function describeChild(child: ModelParameters | ChildParameters, index: number): MergeChild {
  if (ModelParameters.isModelParameters(child)) {
    return {
      id: String(index),
      index,
      parameters: child,
      sampleCount: child.sampleCount,
      staleness: undefined,
    };
  }
  const parameters = requireModelParameters(child?.parameters);
  return {
    id: child.id ?? String(index),
    index,
    parameters,
    sampleCount: child.sampleCount ?? parameters.sampleCount,
    staleness: child.staleness,
  };
}
