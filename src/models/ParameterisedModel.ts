import { ArchitectureMismatchError, InvalidOptionError, NotTrainedError } from '../errors.ts';
import { createOptimizer } from '../optimizers/createOptimizer.ts';
import { createSchedule } from '../optimizers/createSchedule.ts';
import { kernelRule } from '../optimizers/kernelRule.ts';
import { scheduledRate } from '../optimizers/LearningRateSchedule.ts';
import type { OptimizerStateJson } from '../optimizers/Optimizer.ts';
import {
  createOptimizerState,
  optimizerStateFromJson,
  optimizerStateToJson,
} from '../optimizers/Optimizer.ts';
import { ModelParameters, requireModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { ValueRange } from '../parameters/tensorPatterns.ts';
import { matchTensors, rangesOutside } from '../parameters/tensorPatterns.ts';
import { createValues } from '../parameters/values.ts';
import { createPreprocessing } from '../preprocessing/createPreprocessing.ts';
import { Preprocessing } from '../preprocessing/Preprocessing.ts';
import type { PreprocessingStep } from '../preprocessing/steps.ts';
import { seededRandom } from '../random.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { withPreprocessing } from './DenseNetwork.ts';
import type { Configurable, Resumable, SetModelParametersOptions } from './Model.ts';
import type { ModelState } from './ModelState.ts';
import { createModelState, valuesChanged } from './ModelState.ts';
import type { ModelJson } from './modelJson.ts';
import { modelFromJson, modelToJson } from './modelJson.ts';
import type { TrainingOptions } from './options.ts';
import type { Penalty } from './penalty.ts';
import { TrainingMemory } from './TrainingMemory.ts';

/** Options as a model keeps them. */
export type Resolved<Options extends TrainingOptions> = Options &
  Required<Pick<TrainingOptions, 'maximumNumberOfIterations' | 'optimizer' | 'dtype' | 'seed'>>;

/**
 * What a model is between two trainings: options, parameters, the optimizer's memory, and the JSON of all of them.
 * It reads no data; what is trained and predicted is TrainableModel's.
 */
export abstract class ParameterisedModel<Options extends TrainingOptions>
  implements Configurable<Options>, Resumable
{
  protected options: Resolved<Options>;
  protected state: ModelState | undefined;
  protected readonly memory: TrainingMemory;
  /** As it was given, fitted or not; what is in force is the network's. */
  protected preprocessing: Preprocessing | undefined;
  /** Identity of this instance for coordinators in the same process. */
  protected readonly origin: object = Object.freeze({});

  constructor(options: Resolved<Options>) {
    this.options = options;
    this.memory = new TrainingMemory(options);
    this.preprocessing = options.preprocessing && createPreprocessing(options.preprocessing);
  }

  /** A copy of the parameters. Throws NotTrainedError while their shape is unknown. */
  getModelParameters(): ModelParameters {
    const { network, values, sampleCount, baseVersion } = this.requireState();
    return new ModelParameters(network.layout, values.slice(), {
      sampleCount,
      baseVersion,
      origin: this.origin,
    });
  }

  /**
   * Takes the numbers over, converted to the model's own dtype. The optimizer's state is kept unless
   * `resetOptimizer` is set. Throws LayoutMismatchError, ArchitectureMismatchError or NonFiniteError, and is then
   * unchanged. An untrained model takes its shape from the parameters.
   */
  setModelParameters(parameters: ModelParameters, options: SetModelParametersOptions = {}): void {
    this.memory.assertIdle('setModelParameters');
    refuseUnknownOptions(options, ['resetOptimizer'], 'setModelParameters');
    const { layout, values, baseVersion } = requireModelParameters(parameters);
    parameters.assertFinite('parameters');
    const converted = createValues(this.options.dtype, values.length);
    converted.set(values);
    const state = this.state ?? this.createState(this.#networkWith(layout));
    state.network.layout.assertFits(layout, 'parameters', 'the model');
    new ModelParameters(state.network.layout, converted).assertFinite(`parameters as ${this.options.dtype}`);
    state.values.set(converted);
    valuesChanged(state);
    state.isFresh = false;
    state.baseVersion = baseVersion;
    state.sampleCount = undefined;
    if (options.resetOptimizer === true)
      state.optimizerState = createOptimizerState(this.memory.optimizer, values.length);
    this.state = state;
  }

  /**
   * Changes options. What shapes the parameters cannot change once there are any; a new optimizer starts with
   * empty state. Throws InvalidOptionError, and then nothing has changed.
   */
  setParameters(options: Partial<Options>): void {
    this.memory.assertIdle('setParameters');
    const checked = this.checkChange(options);
    const optimizer = checked.optimizer && createOptimizer(checked.optimizer);
    const schedule = checked.learningRateSchedule && createSchedule(checked.learningRateSchedule);
    const preprocessing = checked.preprocessing && createPreprocessing(checked.preprocessing);
    if (this.state !== undefined) {
      trainableRanges(this.state.network.layout, checked.frozen);
      if (preprocessing !== undefined) {
        throw new InvalidOptionError(
          'preprocessing shapes the parameters and cannot change now; make a new model',
        );
      }
    }
    this.options = { ...this.options, ...checked };
    if (checked.seed !== undefined) this.memory.seed(checked.seed);
    if (schedule !== undefined) this.memory.schedule = schedule;
    if (preprocessing !== undefined) this.preprocessing = preprocessing;
    if (optimizer === undefined) return;
    this.memory.optimizer = optimizer;
    if (this.state !== undefined) {
      this.state.optimizerState = createOptimizerState(optimizer, this.state.values.length);
    }
  }

  /** Steps that the optimizer has made, over all trainings since its state began; 0 before there are parameters. */
  get stepCount(): number {
    return this.state?.optimizerState.steps ?? 0;
  }

  /**
   * The learning rates of the steps from `from` to before `to`, added up: plain descent has moved the parameters by so much
   * times the mean of its gradients. Throws InvalidOptionError for any other optimizer.
   */
  descentLength(from: number, to: number): number {
    const { optimizer, schedule } = this.memory;
    if (kernelRule(optimizer, this.options.dtype)?.name !== 'gradientDescent')
      throw new InvalidOptionError(`the optimizer is ${optimizer.name}, expected gradientDescent`);
    const base = this.options.learningRate ?? optimizer.defaultLearningRate;
    if (schedule === undefined) return base * (to - from);
    const round = this.state?.baseVersion ?? 0;
    let length = 0;
    for (let step = from; step < to; step++) length += scheduledRate(schedule, { base, step, round });
    return length;
  }

  /** The optimizer's memory as JSON, or undefined before there are parameters. */
  getOptimizerState(): OptimizerStateJson | undefined {
    return this.state && optimizerStateToJson(this.memory.optimizer, this.state.optimizerState);
  }

  /** Continues with a saved memory. Throws MalformedDataError where it does not fit. */
  setOptimizerState(json: OptimizerStateJson): void {
    this.memory.assertIdle('setOptimizerState');
    const state = this.requireState();
    state.optimizerState = optimizerStateFromJson(this.memory.optimizer, json, state.values.length);
  }

  /** Everything that training or predicting needs, as JSON. */
  toJSON(): ModelJson {
    return modelToJson({
      model: this.modelName,
      options: { ...this.optionsToJson(), ...this.#preprocessingToJson() },
      optimizer: this.memory.optimizer,
      schedule: this.memory.schedule,
      parameters: this.state === undefined ? undefined : this.getModelParameters(),
      optimizerState: this.getOptimizerState(),
      random: this.memory.shuffling.getState(),
      dropoutRandom: this.memory.dropout.getState(),
    });
  }

  /** The options as plain JSON; the optimizer and the schedule are described by whoever asks. */
  protected optionsToJson(): object {
    return this.options;
  }

  /** Restores the parts of the JSON form that are not options. */
  protected restoreJson(json: ModelJson): void {
    const { parameters, optimizerState, random, dropoutRandom } = modelFromJson(json);
    if (parameters !== undefined) {
      this.setModelParameters(parameters);
      this.requireState().sampleCount = parameters.sampleCount;
    }
    if (optimizerState !== undefined) this.setOptimizerState(optimizerState);
    this.memory.shuffling.setState(random);
    this.memory.dropout.setState(dropoutRandom);
  }

  /** Makes this model a twin of another of its class. */
  protected copyFrom(other: ParameterisedModel<Options>): void {
    this.memory.copyFrom(other.memory);
    const from = other.state;
    if (from === undefined) return;
    const { steps, slots } = from.optimizerState;
    const optimizerState = { steps, slots: slots.map((slot) => slot.slice()) };
    this.state = { ...from, values: from.values.slice(), isChanging: false, optimizerState };
  }

  /** Name of the class in JSON and in the architecture. */
  protected abstract readonly modelName: string;
  /** Whether parameters start at random (networks) or at zero. */
  protected abstract readonly startsAtRandom: boolean;
  /** The network that parameters of this layout belong to; called where there is none yet. */
  protected abstract networkFor(layout: ParameterLayout): DenseNetwork;
  /** Checks a change of options. */
  protected abstract checkChange(options: Partial<Options>): Partial<Options>;
  /** The shape, where the options alone fix it. */
  protected networkFromOptions(): DenseNetwork | undefined {
    return undefined;
  }

  protected get penalty(): Required<Penalty> {
    const { l1 = 0, l2 = 0 } = this.options.penalty ?? {};
    return { l1, l2 };
  }

  /** The state, made from the options where they suffice. Throws NotTrainedError. */
  protected requireState(): ModelState {
    if (this.state !== undefined) return this.state;
    const isReady = this.preprocessing === undefined || this.preprocessing.isFitted;
    const network = isReady ? this.networkFromOptions() : undefined;
    if (network === undefined) {
      throw new NotTrainedError(
        `this ${this.modelName} has no parameters yet; train it (maximumNumberOfIterations: 0 suffices) or give it some with setModelParameters`,
      );
    }
    this.state = this.createState(withPreprocessing(network, this.preprocessing));
    return this.state;
  }

  /** Fitted steps as their description, others as their options. */
  #preprocessingToJson(): { preprocessing?: object } {
    const { preprocessing } = this;
    if (preprocessing === undefined) return {};
    return { preprocessing: preprocessing.isFitted ? preprocessing.describe() : preprocessing.steps };
  }

  /**
   * The network of a layout that came with parameters, behind the preprocessing that they name. Throws
   * ArchitectureMismatchError where the model was given other steps.
   */
  #networkWith(layout: ParameterLayout): DenseNetwork {
    const named = layout.architecture?.preprocessing;
    const preprocessing = named === undefined ? undefined : Preprocessing.fromDescription(named);
    if (this.preprocessing !== undefined) requireSameSteps(preprocessing, this.preprocessing);
    return withPreprocessing(this.networkFor(layout), preprocessing);
  }

  protected createState(network: DenseNetwork): ModelState {
    const { dtype, seed } = this.options;
    const random = this.startsAtRandom ? seededRandom(seed) : undefined;
    return createModelState(network, dtype, this.memory.optimizer, random);
  }
}

/** What is not frozen, or undefined where nothing is. Throws InvalidOptionError for a pattern without a tensor. */
export function trainableRanges(
  layout: ParameterLayout,
  frozen: readonly string[] = [],
): ValueRange[] | undefined {
  if (frozen.length === 0) return undefined;
  return rangesOutside(layout, matchTensors(layout, frozen, 'frozen'));
}

/**
 * Steps without a fit take over whatever was fitted elsewhere, so long as they are the same steps; steps that are fitted
 * have to be fitted alike.
 */
function requireSameSteps(got: Preprocessing | undefined, own: Preprocessing): void {
  const isSame =
    got !== undefined &&
    (own.isFitted
      ? JSON.stringify(got.describe()) === JSON.stringify(own.describe())
      : got.steps.length === own.steps.length && own.steps.every((step, i) => agrees(got.steps[i], step)));
  if (isSame) return;
  const names = got === undefined ? 'none' : got.steps.map(({ name }) => name).join(', ');
  throw new ArchitectureMismatchError(
    `the parameters come with preprocessing ${names}, the model has ${own.steps.map(({ name }) => name).join(', ')}${own.isFitted ? ', fitted to other rows' : ' of its own'}`,
  );
}

/** Whether a fitted step is what an option asks for; columns that the option leaves open may be any. */
function agrees(got: PreprocessingStep | undefined, option: PreprocessingStep): boolean {
  return Object.entries(option).every(
    ([key, value]) =>
      JSON.stringify((got as Record<string, unknown> | undefined)?.[key]) === JSON.stringify(value),
  );
}
