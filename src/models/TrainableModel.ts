import { systemClock } from '../clock.ts';
import { InvalidDataError, NotTrainedError } from '../errors.ts';
import { createOptimizer } from '../optimizers/createOptimizer.ts';
import type { OptimizerStateJson } from '../optimizers/Optimizer.ts';
import {
  createOptimizerState,
  optimizerStateFromJson,
  optimizerStateToJson,
} from '../optimizers/Optimizer.ts';
import { Gradients } from '../parameters/Gradients.ts';
import { ModelParameters, requireModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import { seededRandom } from '../random.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { forward, inputsOf } from './DenseNetwork.ts';
import type { Features, Matrix } from './features.ts';
import { readMatrix } from './features.ts';
import type { Labels } from './labels.ts';
import type { Targets } from './losses.ts';
import type {
  Cloneable,
  Configurable,
  GradientModel,
  Predictions,
  Resumable,
  Scorable,
  SetModelParametersOptions,
} from './Model.ts';
import type { ModelState } from './ModelState.ts';
import { createModelState } from './ModelState.ts';
import type { ModelJson } from './modelJson.ts';
import { modelFromJson, modelToJson } from './modelJson.ts';
import { Objective } from './Objective.ts';
import type { TrainingOptions } from './options.ts';
import { checkTrainOptions } from './options.ts';
import { TrainingMemory } from './TrainingMemory.ts';
import type { Penalty } from './training.ts';
import { finishMean, trainInSteps } from './training.ts';
import type { TrainAsyncOptions, TrainingStep, TrainOptions } from './trainOptions.ts';
import { drainInTurns } from './turns.ts';

/** Options as a model keeps them. */
export type Resolved<Options extends TrainingOptions> = Options &
  Required<Pick<TrainingOptions, 'maximumNumberOfIterations' | 'optimizer' | 'dtype' | 'seed'>>;

/**
 * What LinearRegression, LogisticRegression and NeuralNetwork share: data in, steps of an optimizer, parameters
 * and gradients out. A subclass says which network its options mean and what its labels are.
 */
export abstract class TrainableModel<Options extends TrainingOptions, Output extends Predictions>
  implements
    GradientModel,
    Scorable,
    Configurable<Options>,
    Resumable,
    Cloneable<TrainableModel<Options, Output>>
{
  protected options: Resolved<Options>;
  protected state: ModelState | undefined;
  readonly #memory: TrainingMemory;
  /** Identity of this instance for coordinators in the same process. */
  readonly #origin: object = Object.freeze({});

  constructor(options: Resolved<Options>) {
    this.options = options;
    this.#memory = new TrainingMemory(options.optimizer, options.seed);
  }

  /** Trains from the current parameters and returns the cost of each iteration: one pass over the rows. */
  train(features: Features, labels: Labels, options: TrainOptions = {}): number[] {
    const steps = this.trainIterator(features, labels, options);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /**
   * `train` that lets the event loop have a turn at least every 5 ms (a single row of a network with more than
   * half a million parameters may take longer). Rejects with an AbortedError when `signal` aborts.
   */
  async trainAsync(features: Features, labels: Labels, options: TrainAsyncOptions = {}): Promise<number[]> {
    const { signal, clock = systemClock, ...rest } = options;
    const steps = this.trainIterator(features, labels, rest);
    try {
      return await drainInTurns(steps, clock, signal);
    } finally {
      steps.return([]);
    }
  }

  /**
   * `train` in small steps for a loop that has other work: each `next()` works through one chunk of rows. The
   * model is busy until the iterator is done or its `return()` is called.
   */
  trainIterator(
    features: Features,
    labels: Labels,
    options: TrainOptions = {},
  ): Generator<TrainingStep, number[]> {
    this.#memory.assertIdle('train');
    const checked = checkTrainOptions(options);
    const matrix = this.#readFeatures(features);
    const { state, targets } = this.#prepare(matrix, labels);
    return this.#memory.run(state, () => this.#runTraining(state, matrix, targets, checked));
  }

  /** Predicts one entry or row for each row of features. Throws NotTrainedError before there are parameters. */
  predict(features: Features): Output {
    const { outputs, rows } = this.predictOutputs(features);
    return this.decode(outputs, rows);
  }

  /** A copy of the parameters. Throws NotTrainedError while their shape is unknown. */
  getModelParameters(): ModelParameters {
    const { network, values, sampleCount, baseVersion } = this.requireState();
    return new ModelParameters(network.layout, values.slice(), {
      sampleCount,
      baseVersion,
      origin: this.#origin,
    });
  }

  /**
   * Takes the numbers over, converted to the model's own dtype. The optimizer's state is kept unless
   * `resetOptimizer` is set. Throws LayoutMismatchError, ArchitectureMismatchError or NonFiniteError, and is then
   * unchanged. An untrained model takes its shape from the parameters.
   */
  setModelParameters(parameters: ModelParameters, options: SetModelParametersOptions = {}): void {
    this.#memory.assertIdle('setModelParameters');
    const { layout, values, baseVersion } = requireModelParameters(parameters);
    parameters.assertFinite('parameters');
    const converted = createValues(this.options.dtype, values.length);
    converted.set(values);
    const state = this.state ?? this.#createState(this.networkFor(layout));
    state.network.layout.assertFits(layout, 'parameters', 'the model');
    new ModelParameters(state.network.layout, converted).assertFinite(`parameters as ${this.options.dtype}`);
    state.values.set(converted);
    state.isFresh = false;
    state.baseVersion = baseVersion;
    state.sampleCount = undefined;
    if (options.resetOptimizer === true)
      state.optimizerState = createOptimizerState(this.#memory.optimizer, values.length);
    this.state = state;
  }

  /** Whether `train` keeps the gradients of its last iteration for `getGradients`; false at first. */
  setAreGradientsSaved(areGradientsSaved: boolean): void {
    this.#memory.setAreGradientsSaved(areGradientsSaved);
  }

  /** The row-weighted mean of the gradients of the last training's last iteration. Throws NoGradientsError. */
  getGradients(): Gradients {
    return this.#memory.getGradients();
  }

  /** The gradient of the mean cost (penalty included) over all these rows at the current parameters. */
  computeGradients(features: Features, labels: Labels): Gradients {
    this.#memory.assertIdle('computeGradients');
    const matrix = this.#readFeatures(features);
    const { state, targets } = this.#prepare(matrix, labels);
    return this.#meanGradient(state, matrix, targets).gradients;
  }

  /** The mean cost (penalty included) over all these rows at the current parameters. */
  computeCost(features: Features, labels: Labels): number {
    const matrix = this.#readFeatures(features);
    const { state, targets } = this.#prepare(matrix, labels);
    return this.#meanGradient(state, matrix, targets).cost;
  }

  /** How well the model predicts these rows; higher is better. */
  abstract score(features: Features, labels: Labels): number;

  /** An independent copy: same options, parameters, optimizer state and random state. */
  abstract clone(): TrainableModel<Options, Output>;

  /**
   * Changes options. What shapes the parameters cannot change once there are any; a new optimizer starts with
   * empty state. Throws InvalidOptionError, and then nothing has changed.
   */
  setParameters(options: Partial<Options>): void {
    this.#memory.assertIdle('setParameters');
    const checked = this.checkChange(options);
    const optimizer = checked.optimizer === undefined ? undefined : createOptimizer(checked.optimizer);
    this.options = { ...this.options, ...checked };
    if (checked.seed !== undefined) this.#memory.shuffling = seededRandom(checked.seed, 1);
    if (optimizer === undefined) return;
    this.#memory.optimizer = optimizer;
    if (this.state !== undefined) {
      this.state.optimizerState = createOptimizerState(optimizer, this.state.values.length);
    }
  }

  /** The optimizer's memory as JSON, or undefined before there are parameters. */
  getOptimizerState(): OptimizerStateJson | undefined {
    return this.state && optimizerStateToJson(this.#memory.optimizer, this.state.optimizerState);
  }

  /** Continues with a saved memory. Throws MalformedDataError where it does not fit. */
  setOptimizerState(json: OptimizerStateJson): void {
    this.#memory.assertIdle('setOptimizerState');
    const state = this.requireState();
    state.optimizerState = optimizerStateFromJson(this.#memory.optimizer, json, state.values.length);
  }

  /** Everything that training or predicting needs, as JSON. */
  toJSON(): ModelJson {
    return modelToJson({
      model: this.modelName,
      options: this.options,
      optimizer: this.#memory.optimizer,
      parameters: this.state === undefined ? undefined : this.getModelParameters(),
      optimizerState: this.getOptimizerState(),
      random: this.#memory.shuffling.getState(),
    });
  }

  /** Restores the parts of the JSON form that are not options. */
  protected restoreJson(json: ModelJson): void {
    const { parameters, optimizerState, random } = modelFromJson(json);
    if (parameters !== undefined) {
      this.setModelParameters(parameters);
      this.requireState().sampleCount = parameters.sampleCount;
    }
    if (optimizerState !== undefined) this.setOptimizerState(optimizerState);
    this.#memory.shuffling.setState(random);
  }

  /** Makes this model a twin of another of its class. */
  protected copyFrom(other: TrainableModel<Options, Output>): void {
    this.#memory.copyFrom(other.#memory);
    const from = other.state;
    if (from === undefined) return;
    const { steps, slots } = from.optimizerState;
    const optimizerState = { steps, slots: slots.map((slot) => slot.slice()) };
    this.state = { ...from, values: from.values.slice(), optimizerState };
  }

  /** Name of the class in JSON and in the architecture. */
  protected abstract readonly modelName: string;
  /** Whether parameters start at random (networks) or at zero. */
  protected abstract readonly startsAtRandom: boolean;
  /** The network that data of this shape needs; called once, at the first training. Must change nothing. */
  protected abstract networkForData(features: Matrix, labels: Labels): DenseNetwork;
  /** The network that parameters of this layout belong to; called where there is none yet. */
  protected abstract networkFor(layout: ParameterLayout): DenseNetwork;
  /** Checks labels and turns them into what the loss compares with. */
  protected abstract readLabels(network: DenseNetwork, labels: Labels, rows: number): Targets;
  /** Turns the last layer's activations, rows × outputs, into predictions. */
  protected abstract decode(outputs: Values, rows: number): Output;
  /** Checks a change of options. */
  protected abstract checkChange(options: Partial<Options>): Partial<Options>;
  /** The shape, where the options alone fix it. */
  protected networkFromOptions(): DenseNetwork | undefined {
    return undefined;
  }

  /** The last layer's activations for features, rows × outputs. */
  protected predictOutputs(features: Features): { outputs: Values; rows: number } {
    const { network, values } = this.requireState();
    const matrix = this.#readFeatures(features);
    checkColumns(matrix, network);
    return { outputs: forward(network, values, matrix, this.options.dtype), rows: matrix.rows };
  }

  /** The state, made from the options where they suffice. Throws NotTrainedError. */
  protected requireState(): ModelState {
    if (this.state !== undefined) return this.state;
    const network = this.networkFromOptions();
    if (network === undefined) {
      throw new NotTrainedError(
        `this ${this.modelName} has no parameters yet; train it (maximumNumberOfIterations: 0 suffices) or give it some with setModelParameters`,
      );
    }
    this.state = this.#createState(network);
    return this.state;
  }

  /** One whole training as a generator; a subclass may replace it. Changes `state` in place. */
  protected *runIterations(
    state: ModelState,
    features: Matrix,
    targets: Targets,
    options: TrainOptions,
    savedGradient: Float64Array | undefined,
  ): Generator<TrainingStep, number[]> {
    const {
      maximumNumberOfIterations,
      learningRate,
      tolerance = 0,
      batchSize = features.rows,
    } = this.options;
    return yield* trainInSteps({
      objective: new Objective(state.network, features, targets, this.options.dtype),
      values: state.values,
      optimizer: this.#memory.optimizer,
      state: state.optimizerState,
      learningRate: learningRate ?? this.#memory.optimizer.defaultLearningRate,
      penalty: this.penalty,
      batchSize,
      iterations: options.maximumNumberOfIterations ?? maximumNumberOfIterations,
      tolerance,
      random: this.#memory.shuffling,
      savedGradient,
      onIteration: options.onIteration,
    });
  }

  protected get penalty(): Penalty {
    return this.options.penalty ?? { l2: 0 };
  }

  *#runTraining(
    state: ModelState,
    features: Matrix,
    targets: Targets,
    options: TrainOptions,
  ): Generator<TrainingStep, number[]> {
    const saved = this.#memory.createGradientSum(state.values.length);
    const { isFresh } = state;
    try {
      state.sampleCount = features.rows;
      const costs = yield* this.runIterations(state, features, targets, options, saved);
      if (saved !== undefined && costs.length > 0) {
        this.#memory.saveGradients(this.#gradientsOf(state, saved, features.rows));
      }
      return costs;
    } catch (error) {
      if (isFresh) this.state = undefined;
      throw error;
    } finally {
      state.isFresh = false;
    }
  }

  #meanGradient(
    state: ModelState,
    features: Matrix,
    targets: Targets,
  ): { gradients: Gradients; cost: number } {
    const objective = new Objective(state.network, features, targets, this.options.dtype);
    const gradient = new Float64Array(state.values.length);
    let sum = 0;
    for (let first = 0; first < features.rows; first += objective.chunkRows) {
      const count = Math.min(objective.chunkRows, features.rows - first);
      sum += objective.accumulate(state.values, undefined, first, count, gradient);
    }
    const cost = finishMean(objective, state.values, this.penalty, gradient, sum, features.rows);
    return { gradients: this.#gradientsOf(state, gradient, features.rows), cost };
  }

  #gradientsOf(state: ModelState, gradient: Float64Array, rows: number): Gradients {
    const values = createValues(this.options.dtype, gradient.length);
    values.set(gradient);
    const { baseVersion } = state;
    return new Gradients(state.network.layout, values, {
      sampleCount: rows,
      baseVersion,
      origin: this.#origin,
    });
  }

  /** Checks the data against the network, made here where there is none; changes nothing. */
  #prepare(features: Matrix, labels: Labels): { state: ModelState; targets: Targets } {
    const network = this.state?.network ?? this.networkForData(features, labels);
    checkColumns(features, network);
    const targets = this.readLabels(network, labels, features.rows);
    const state = this.state ?? this.#createState(network);
    this.state = state;
    return { state, targets };
  }

  #createState(network: DenseNetwork): ModelState {
    const { dtype, seed } = this.options;
    const random = this.startsAtRandom ? seededRandom(seed) : undefined;
    return createModelState(network, dtype, this.#memory.optimizer, random);
  }

  #readFeatures(features: Features): Matrix {
    return readMatrix(features, this.options.dtype);
  }
}

function checkColumns(features: Matrix, network: DenseNetwork): void {
  const expected = inputsOf(network);
  if (features.columns !== expected) {
    throw new InvalidDataError(`features have ${features.columns} columns, the model has ${expected}`);
  }
}
