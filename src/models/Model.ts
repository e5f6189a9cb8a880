import type { Evaluation } from '../evaluation/Evaluation.ts';
import type { MetricName } from '../evaluation/metricNames.ts';
import type { OptimizerStateJson } from '../optimizers/Optimizer.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { Features } from './features.ts';
import type { Label, Labels } from './labels.ts';
import type { TrainOptions } from './trainOptions.ts';

/** A value, or a promise of it: a model may work asynchronously. */
export type Awaitable<T> = T | Promise<T>;

/** What a model predicts: rows × outputs of numbers, or one class label a row. */
export type Predictions = number[][] | Label[];

/**
 * What every model can do. Features are rows × columns; labels have one entry or row for each row of features.
 * `modelContract` of mainstem/testing says whether a class of your own keeps it.
 */
export interface Model {
  /** Trains from the current parameters; returns the cost of each iteration. */
  train(features: Features, labels: Labels, options?: TrainOptions): Awaitable<number[]>;
  /** Predicts one entry or row for each row of features. */
  predict(features: Features): Awaitable<Predictions>;
  /** A copy of the parameters. */
  getModelParameters(): Awaitable<ModelParameters>;
  /** Takes the numbers over. Refuses parameters of another layout or architecture and is then unchanged. */
  setModelParameters(parameters: ModelParameters, options?: SetModelParametersOptions): Awaitable<void>;
}

/** Options of `setModelParameters`. */
export interface SetModelParametersOptions {
  /** Forget the optimizer's state (momentum and the like); false unless given. */
  resetOptimizer?: boolean;
}

/** A model that can give gradients. */
export interface GradientModel extends Model {
  /** Whether `train` keeps the gradients of its last iteration for `getGradients`. */
  setAreGradientsSaved(areGradientsSaved: boolean): void;
  /** The row-weighted mean of the gradients of the last iteration of the last training. */
  getGradients(): Awaitable<Gradients>;
  /** The gradient of the mean cost over all these rows at the current parameters. Trains nothing. */
  computeGradients(features: Features, labels: Labels): Awaitable<Gradients>;
}

/** A model that can judge itself. */
export interface Scorable {
  /** A metric by name, where the model knows it; without a name, one of which higher is better. */
  score(features: Features, labels: Labels, metric?: MetricName): Awaitable<number>;
}

/** A model that can be evaluated over children: the sums of each add up. */
export interface Evaluable {
  evaluate(features: Features, labels: Labels): Awaitable<Evaluation>;
}

/** A model whose options can be changed. */
export interface Configurable<Options> {
  setParameters(options: Partial<Options>): void;
}

/** A model whose training can be continued elsewhere. */
export interface Resumable {
  getOptimizerState(): OptimizerStateJson | undefined;
  setOptimizerState(state: OptimizerStateJson): void;
}

/** A model that can make an independent copy of itself. */
export interface Cloneable<T> {
  clone(): T;
}

/** True where the model can give gradients. */
export function isGradientModel(model: Model): model is GradientModel {
  const candidate = model as Partial<GradientModel>;
  return typeof candidate.getGradients === 'function' && typeof candidate.setAreGradientsSaved === 'function';
}

/** True where the model can score itself. */
export function isScorable(model: Model): model is Model & Scorable {
  return typeof (model as Partial<Scorable>).score === 'function';
}

/** True where the model can be evaluated in sums. */
export function isEvaluable(model: Model): model is Model & Evaluable {
  return typeof (model as Partial<Evaluable>).evaluate === 'function';
}

/** True where the model can copy itself. */
export function isCloneable(model: Model): model is Model & Cloneable<Model> {
  return typeof (model as Partial<Cloneable<Model>>).clone === 'function';
}
