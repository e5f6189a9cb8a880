import { InvalidOptionError } from '../errors.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import { show } from '../show.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { Features } from './features.ts';
import type { BuiltInModel, LocalStart } from './LocalRule.ts';
import { LocalRule } from './LocalRule.ts';
import type { Labels } from './labels.ts';
import type { SetModelParametersOptions } from './Model.ts';
import type { TrainAsyncOptions, TrainOptions } from './trainOptions.ts';

/** Options of FedNovaModel. */
export interface FedNovaOptions {
  /** Steps that every child's training counts as, above 0, the same for all of them: τ_eff. */
  steps: number;
}

/**
 * FedNova (Wang and others 2020, equation 7): children that take more steps than others do not pull main further their
 * way. What a child sends is how far it came in a step, times `steps`: w₀ + steps / τᵢ · (w − w₀), τᵢ being the steps
 * that it took from w₀. The model itself goes on from w. For synchronous rounds, and descent without momentum on the
 * children.
 */
export class FedNovaModel extends LocalRule {
  readonly #steps: number;
  /** What the trainings since the last main started from, and the steps that were made before them. */
  #start: LocalStart | undefined;

  /** Throws InvalidOptionError for illegal steps. */
  constructor(model: BuiltInModel, options: FedNovaOptions) {
    super(model);
    refuseUnknownOptions(options, ['steps'], 'FedNovaModel');
    const { steps } = options;
    if (!(Number.isFinite(steps) && steps > 0))
      throw new InvalidOptionError(`steps is ${show(steps)}, expected a number above 0`);
    this.#steps = steps;
  }

  train(features: Features, labels: Labels, options: TrainOptions = {}): number[] {
    this.#start ??= this.startOf(features, labels);
    return this.model.train(features, labels, options);
  }

  async trainAsync(features: Features, labels: Labels, options: TrainAsyncOptions = {}): Promise<number[]> {
    this.#start ??= this.startOf(features, labels);
    return this.model.trainAsync(features, labels, options);
  }

  /** As they are to be averaged; those of the model where it has not trained since it got them. */
  getModelParameters(): ModelParameters {
    const trained = this.model.getModelParameters();
    const taken = this.#start === undefined ? 0 : this.model.stepCount - this.#start.steps;
    if (this.#start === undefined || taken === 0) return trained;
    const { values } = this.#start.parameters;
    const factor = this.#steps / taken;
    for (let i = 0; i < values.length; i++) {
      const start = values[i] as number;
      trained.values[i] = start + factor * ((trained.values[i] as number) - start);
    }
    return trained;
  }

  setModelParameters(parameters: ModelParameters, options: SetModelParametersOptions = {}): void {
    this.model.setModelParameters(parameters, options);
    this.#start = undefined;
  }

  clone(): FedNovaModel {
    const copy = new FedNovaModel(this.model.clone(), { steps: this.#steps });
    copy.#start = this.#start;
    return copy;
  }
}
