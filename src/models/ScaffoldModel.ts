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
import { type BuiltInModel, LocalRule } from './LocalRule.ts';
import type { Labels } from './labels.ts';
import type { SetModelParametersOptions } from './Model.ts';
import type { TrainAsyncOptions, TrainOptions } from './trainOptions.ts';

/** Options of ScaffoldModel. */
export interface ScaffoldOptions {
  /** The part of all children that takes part in a round, above 0 and at most 1. 1. */
  participation?: number;
}

const prefix = 'control.';

/**
 * SCAFFOLD (Karimireddy and others 2020, algorithm 1, option I): every step of a child is corrected by c − cᵢ, the
 * difference of the mean gradient of all children and its own, so that children with different rows do not drift apart.
 *
 * The parameters that it exchanges have each tensor twice: as such, and as `control.…`, its part of c. A child sends
 * c + participation · (its new cᵢ − its old one), and so a coordinator that does nothing but average also averages c.
 * For synchronous rounds without a `serverOptimizer`, and descent without momentum on the children. What a refused
 * update would have added to c is missing in it.
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

  /** Trains from the current parameters. Costs are those of the model's own objective. */
  train(features: Features, labels: Labels, options: TrainOptions = {}): number[] {
    refuseCorrection(options);
    const gradient = this.model.computeGradients(features, labels);
    const costs = this.model.train(features, labels, { ...options, ...this.#correction(gradient) });
    this.#trained(gradient.values);
    return costs;
  }

  /** The same with turns for the event loop. */
  async trainAsync(features: Features, labels: Labels, options: TrainAsyncOptions = {}): Promise<number[]> {
    refuseCorrection(options);
    const { signal, clock } = options;
    const turns = { ...(signal && { signal }), ...(clock && { clock }) };
    const gradient = await this.model.computeGradientsAsync(features, labels, turns);
    const costs = await this.model.trainAsync(features, labels, {
      ...options,
      ...this.#correction(gradient),
    });
    this.#trained(gradient.values);
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

  /** c − cᵢ. */
  #correction({ layout, sampleCount }: Gradients): { gradientCorrection: Gradients } {
    const values = new Float64Array(layout.length);
    for (let i = 0; i < values.length; i++) values[i] = (this.#control?.[i] ?? 0) - (this.#own?.[i] ?? 0);
    return { gradientCorrection: new Gradients(layout, values, { sampleCount }) };
  }

  /** The gradient where the training started is the new cᵢ. */
  #trained(gradient: Values): void {
    const before = this.#toSend ?? this.#control;
    const toSend = new Float64Array(gradient.length);
    for (let i = 0; i < toSend.length; i++) {
      const change = (gradient[i] as number) - (this.#own?.[i] ?? 0);
      toSend[i] = (before?.[i] ?? 0) + this.#participation * change;
    }
    this.#own = gradient.slice();
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

function refuseCorrection({ gradientCorrection }: TrainOptions): void {
  if (gradientCorrection !== undefined)
    throw new InvalidOptionError('ScaffoldModel corrects gradients by itself; leave gradientCorrection out');
}
