import type { Evaluation } from '../evaluation/Evaluation.ts';
import type { MetricName } from '../evaluation/metricNames.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { Features } from './features.ts';
import type { Labels } from './labels.ts';
import type {
  Cloneable,
  Evaluable,
  Model,
  Predictions,
  Scorable,
  SetModelParametersOptions,
} from './Model.ts';
import type { TrainingOptions } from './options.ts';
import type { TrainableModel } from './TrainableModel.ts';
import type { TrainAsyncOptions, TrainOptions } from './trainOptions.ts';

/** One of the models that mainstem comes with, and those made from them. */
export type BuiltInModel = TrainableModel<TrainingOptions, Predictions>;

/** The parameters that a training begins with, and the steps that were made before. */
export interface LocalStart {
  readonly parameters: ModelParameters;
  readonly steps: number;
}

/**
 * A model that trains as another one does, but for what a rule of federated training adds: what it does around a
 * training, and what it exchanges as its parameters. Predictions are the other model's.
 */
export abstract class LocalRule implements Model, Scorable, Evaluable, Cloneable<LocalRule> {
  protected readonly model: BuiltInModel;

  constructor(model: BuiltInModel) {
    this.model = model;
  }

  abstract train(features: Features, labels: Labels, options?: TrainOptions): number[];
  abstract trainAsync(features: Features, labels: Labels, options?: TrainAsyncOptions): Promise<number[]>;
  abstract getModelParameters(): ModelParameters;
  abstract setModelParameters(parameters: ModelParameters, options?: SetModelParametersOptions): void;
  /** An independent copy. */
  abstract clone(): LocalRule;

  /** Where a training begins: an untrained model gets its first parameters from its data. */
  protected startOf(features: Features, labels: Labels): LocalStart {
    if (this.model.stepCount === 0) this.model.train(features, labels, { maximumNumberOfIterations: 0 });
    return { parameters: this.model.getModelParameters(), steps: this.model.stepCount };
  }

  predict(features: Features): Predictions {
    return this.model.predict(features);
  }

  score(features: Features, labels: Labels, metric?: MetricName): number {
    return this.model.score(features, labels, metric);
  }

  evaluate(features: Features, labels: Labels): Evaluation {
    return this.model.evaluate(features, labels);
  }
}
