import { InvalidOptionError } from '../errors.ts';
import { Gradients } from '../parameters/Gradients.ts';
import { ModelParameters, requireModelParameters } from '../parameters/ModelParameters.ts';
import type { TensorShape } from '../parameters/ParameterLayout.ts';
import { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import { show } from '../show.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { Features } from './features.ts';
import type { BuiltInModel, LocalStart } from './LocalRule.ts';
import { LocalRule } from './LocalRule.ts';
import type { Labels } from './labels.ts';
import type { SetModelParametersOptions } from './Model.ts';
import type { TrainAsyncOptions, TrainOptions } from './trainOptions.ts';

/** Options of ScaffoldModel. */
export interface ScaffoldOptions {
  /** The part of all children that takes part in a round, above 0 and at most 1. 1. */
  participation?: number;
}

const prefix = 'control.';

/** A training that is under way. */
interface Start extends LocalStart {
  readonly correction: Gradients;
}

/**
 * SCAFFOLD (Karimireddy and others 2020, algorithm 1, option II): every step of a child is corrected by c − cᵢ, the
 * difference of the mean gradient of all children and its own, so that children with different rows do not drift apart.
 *
 * The parameters that it exchanges have each tensor twice: as such, and as `control.…`, its part of c. A child sends
 * c + participation · (its new cᵢ − its old one), and so a coordinator that does nothing but average also averages c.
 * For synchronous rounds without a `serverOptimizer`, and plain gradient descent on the children. What a refused update would
 * have added to c is missing in it.
 */
export class ScaffoldModel extends LocalRule {
  readonly #participation: number;
  #doubled: { readonly single: ParameterLayout; readonly layout: ParameterLayout } | undefined;
  /** c, and the child's own; undefined stands for zeros. */
  #control: Values | undefined;
  #own: Values | undefined;
  /** c as the child would have it, once it has trained. */
  #toSend: Values | undefined;

  /** Throws InvalidOptionError for an illegal participation. */
  constructor(model: BuiltInModel, options: ScaffoldOptions = {}) {
    super(model);
    refuseUnknownOptions(options, ['participation'], 'ScaffoldModel');
    const { participation = 1 } = options;
    if (!(participation > 0 && participation <= 1))
      throw new InvalidOptionError(
        `participation is ${show(participation)}, expected a number above 0 and at most 1`,
      );
    this.#participation = participation;
  }

  /**
   * Trains from the current parameters. Costs are those of the model's own objective. Throws InvalidOptionError for any
   * optimizer but gradientDescent.
   */
  train(features: Features, labels: Labels, options: TrainOptions = {}): number[] {
    const start = this.#begin(features, labels, options);
    const costs = this.model.train(features, labels, { ...options, gradientCorrection: start.correction });
    this.#trained(start);
    return costs;
  }

  /** The same with turns for the event loop. */
  async trainAsync(features: Features, labels: Labels, options: TrainAsyncOptions = {}): Promise<number[]> {
    const start = this.#begin(features, labels, options);
    const costs = await this.model.trainAsync(features, labels, {
      ...options,
      gradientCorrection: start.correction,
    });
    this.#trained(start);
    return costs;
  }

  /** The parameters, and what is to be c. */
  getModelParameters(): ModelParameters {
    const parameters = this.model.getModelParameters();
    const { length } = parameters.layout;
    const values = createValues(parameters.dtype, 2 * length);
    values.set(parameters.values);
    const control = this.#toSend ?? this.#control;
    if (control !== undefined) values.set(control, length);
    return new ModelParameters(this.#double(parameters.layout), values, parameters);
  }

  /** Takes over what `getModelParameters` gives, or parameters of the model alone: c is 0 then. */
  setModelParameters(parameters: ModelParameters, options: SetModelParametersOptions = {}): void {
    const { layout, values, baseVersion } = requireModelParameters(parameters);
    parameters.assertFinite('parameters');
    const single = singleTensors(layout);
    if (single === undefined) {
      this.model.setModelParameters(parameters, options);
      this.#control = undefined;
    } else {
      const { length } = single;
      const own = new ModelParameters(single, values.slice(0, length), { baseVersion });
      this.model.setModelParameters(own, options);
      this.#control = values.slice(length);
    }
    this.#toSend = undefined;
  }

  clone(): ScaffoldModel {
    const copy = new ScaffoldModel(this.model.clone(), { participation: this.#participation });
    copy.#control = this.#control?.slice();
    copy.#own = this.#own?.slice();
    copy.#toSend = this.#toSend?.slice();
    return copy;
  }

  /** Where the training begins, and c − cᵢ. */
  #begin(features: Features, labels: Labels, { gradientCorrection }: TrainOptions): Start {
    if (gradientCorrection !== undefined)
      throw new InvalidOptionError(
        'ScaffoldModel corrects gradients by itself; leave gradientCorrection out',
      );
    this.model.descentLength(0, 0);
    const start = this.startOf(features, labels);
    const { layout } = start.parameters;
    const values = new Float64Array(layout.length);
    for (let i = 0; i < values.length; i++) values[i] = (this.#control?.[i] ?? 0) - (this.#own?.[i] ?? 0);
    return { ...start, correction: new Gradients(layout, values, { sampleCount: 0 }) };
  }

  /** The mean gradient of the steps is the new cᵢ: (w₀ − w) / Σ η, without what they were corrected by. */
  #trained({ parameters, steps, correction }: Start): void {
    const length = this.model.descentLength(steps, this.model.stepCount);
    if (length === 0) return;
    const { values } = this.model.getModelParameters();
    const before = this.#toSend ?? this.#control;
    const [own, toSend] = [new Float64Array(values.length), new Float64Array(values.length)];
    for (let i = 0; i < own.length; i++) {
      const moved = (parameters.values[i] as number) - (values[i] as number);
      const mean = moved / length - (correction.values[i] as number);
      own[i] = mean;
      toSend[i] = (before?.[i] ?? 0) + this.#participation * (mean - (this.#own?.[i] ?? 0));
    }
    this.#own = own;
    this.#toSend = toSend;
  }

  #double(single: ParameterLayout): ParameterLayout {
    if (this.#doubled?.single !== single) {
      const controls = single.tensors.map(({ name, shape }) => ({ name: prefix + name, shape }));
      const layout = new ParameterLayout([...shapesOf(single), ...controls], single.architecture);
      this.#doubled = { single, layout };
    }
    return this.#doubled.layout;
  }
}

/** The layout without its controls; undefined where it has none. */
function singleTensors(layout: ParameterLayout): ParameterLayout | undefined {
  const tensors = shapesOf(layout).filter(({ name }) => !name.startsWith(prefix));
  if (tensors.length * 2 !== layout.tensors.length) return undefined;
  return new ParameterLayout(tensors, layout.architecture);
}

function shapesOf({ tensors }: ParameterLayout): TensorShape[] {
  return tensors.map(({ name, shape }) => ({ name, shape }));
}
