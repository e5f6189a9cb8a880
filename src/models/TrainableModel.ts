import { systemClock } from '../clock.ts';
import { InvalidDataError } from '../errors.ts';
import { Gradients } from '../parameters/Gradients.ts';
import type { Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { forward, inputsOf } from './DenseNetwork.ts';
import type { Features, Matrix } from './features.ts';
import { readMatrix } from './features.ts';
import type { Labels } from './labels.ts';
import type { Targets } from './losses.ts';
import type { Cloneable, GradientModel, Predictions, Scorable } from './Model.ts';
import type { ModelState } from './ModelState.ts';
import { meanGradient } from './meanCost.ts';
import { Objective } from './Objective.ts';
import type { TrainingOptions } from './options.ts';
import { checkTrainOptions } from './options.ts';
import { ParameterisedModel } from './ParameterisedModel.ts';
import { trainInSteps } from './training.ts';
import type { TrainAsyncOptions, TrainingStep, TrainOptions } from './trainOptions.ts';
import { drainInTurns } from './turns.ts';

/**
 * What LinearRegression, LogisticRegression and NeuralNetwork share: data in, steps of an optimizer, gradients and
 * predictions out. A subclass says which network its options mean and what its labels are.
 */
export abstract class TrainableModel<Options extends TrainingOptions, Output extends Predictions>
  extends ParameterisedModel<Options>
  implements GradientModel, Scorable, Cloneable<TrainableModel<Options, Output>>
{
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
    this.memory.assertIdle('train');
    const checked = checkTrainOptions(options);
    const matrix = this.#readFeatures(features);
    const { state, targets } = this.#prepare(matrix, labels);
    return this.memory.run(state, () => this.#runTraining(state, matrix, targets, checked));
  }

  /** Predicts one entry or row for each row of features. Throws NotTrainedError before there are parameters. */
  predict(features: Features): Output {
    const { outputs, rows } = this.predictOutputs(features);
    return this.decode(outputs, rows);
  }

  /** Whether `train` keeps the gradients of its last iteration for `getGradients`; false at first. */
  setAreGradientsSaved(areGradientsSaved: boolean): void {
    this.memory.setAreGradientsSaved(areGradientsSaved);
  }

  /** The row-weighted mean of the gradients of the last training's last iteration. Throws NoGradientsError. */
  getGradients(): Gradients {
    return this.memory.getGradients();
  }

  /** The gradient of the mean cost (penalty included) over all these rows at the current parameters. */
  computeGradients(features: Features, labels: Labels): Gradients {
    this.memory.assertIdle('computeGradients');
    const matrix = this.#readFeatures(features);
    const { state, targets } = this.#prepare(matrix, labels);
    const { gradient } = meanGradient(this.#objective(state, matrix, targets), state.values, this.penalty);
    return this.#gradientsOf(state, gradient, matrix.rows);
  }

  /** The mean cost (penalty included) over all these rows at the current parameters. */
  computeCost(features: Features, labels: Labels): number {
    const matrix = this.#readFeatures(features);
    const { state, targets } = this.#prepare(matrix, labels);
    return meanGradient(this.#objective(state, matrix, targets), state.values, this.penalty).cost;
  }

  /** How well the model predicts these rows; higher is better. */
  abstract score(features: Features, labels: Labels): number;

  /** An independent copy: same options, parameters, optimizer state and random state. */
  abstract clone(): TrainableModel<Options, Output>;

  /** The network that data of this shape needs; called once, at the first training. Must change nothing. */
  protected abstract networkForData(features: Matrix, labels: Labels): DenseNetwork;
  /** Checks labels and turns them into what the loss compares with. */
  protected abstract readLabels(network: DenseNetwork, labels: Labels, rows: number): Targets;
  /** Turns the last layer's activations, rows × outputs, into predictions. */
  protected abstract decode(outputs: Values, rows: number): Output;

  /** The last layer's activations for features, rows × outputs. */
  protected predictOutputs(features: Features): { outputs: Values; rows: number } {
    const { network, values } = this.requireState();
    const matrix = this.#readFeatures(features);
    checkColumns(matrix, network);
    return { outputs: forward(network, values, matrix, this.options.dtype), rows: matrix.rows };
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
      objective: this.#objective(state, features, targets),
      values: state.values,
      optimizer: this.memory.optimizer,
      state: state.optimizerState,
      learningRate: learningRate ?? this.memory.optimizer.defaultLearningRate,
      penalty: this.penalty,
      batchSize,
      iterations: options.maximumNumberOfIterations ?? maximumNumberOfIterations,
      tolerance,
      random: this.memory.shuffling,
      savedGradient,
      onIteration: options.onIteration,
    });
  }

  *#runTraining(
    state: ModelState,
    features: Matrix,
    targets: Targets,
    options: TrainOptions,
  ): Generator<TrainingStep, number[]> {
    const saved = this.memory.createGradientSum(state.values.length);
    const { isFresh } = state;
    try {
      state.sampleCount = features.rows;
      const costs = yield* this.runIterations(state, features, targets, options, saved);
      if (saved !== undefined && costs.length > 0) {
        this.memory.saveGradients(this.#gradientsOf(state, saved, features.rows));
      }
      return costs;
    } catch (error) {
      if (isFresh) this.state = undefined;
      throw error;
    } finally {
      state.isFresh = false;
    }
  }

  #objective(state: ModelState, features: Matrix, targets: Targets): Objective {
    return new Objective(state.network, features, targets, this.options.dtype);
  }

  #gradientsOf(state: ModelState, gradient: Float64Array, rows: number): Gradients {
    const values = createValues(this.options.dtype, gradient.length);
    values.set(gradient);
    const { baseVersion } = state;
    return new Gradients(state.network.layout, values, {
      sampleCount: rows,
      baseVersion,
      origin: this.origin,
    });
  }

  /** Checks the data against the network, made here where there is none; changes nothing. */
  #prepare(features: Matrix, labels: Labels): { state: ModelState; targets: Targets } {
    const network = this.state?.network ?? this.networkForData(features, labels);
    checkColumns(features, network);
    const targets = this.readLabels(network, labels, features.rows);
    const state = this.state ?? this.createState(network);
    this.state = state;
    return { state, targets };
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
