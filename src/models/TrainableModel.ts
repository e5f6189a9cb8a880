import { systemClock } from '../clock.ts';
import { InvalidDataError } from '../errors.ts';
import type { Evaluation } from '../evaluation/Evaluation.ts';
import type { MetricName } from '../evaluation/metricNames.ts';
import type { PassSession, TrainingSession } from '../kernels/TrainingSession.ts';
import { Gradients } from '../parameters/Gradients.ts';
import type { Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import type { Preprocessing } from '../preprocessing/Preprocessing.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { inputsOf, withPreprocessing } from './DenseNetwork.ts';
import { EarlyStopping } from './earlyStopping.ts';
import { evaluateOutputs } from './evaluateOutputs.ts';
import type { Features, Matrix } from './features.ts';
import { readMatrix, readUncheckedMatrix } from './features.ts';
import { createGradientTerm } from './GradientTerm.ts';
import type { Labels } from './labels.ts';
import type { Targets } from './losses.ts';
import type { Cloneable, Evaluable, GradientModel, Predictions, Scorable } from './Model.ts';
import type { ModelState } from './ModelState.ts';
import type { CostTask } from './meanCost.ts';
import { meanCostInSteps, meanGradient } from './meanCost.ts';
import type { TrainingOptions } from './options.ts';
import { ParameterisedModel, trainableRanges } from './ParameterisedModel.ts';
import { Predictor } from './Predictor.ts';
import type { SessionPlan } from './sessions.ts';
import { createEvaluator, createTraining } from './sessions.ts';
import type { TrainingThreads } from './TrainingThreads.ts';
import { trainInSteps } from './training.ts';
import type { TrainAsyncOptions, TrainingStep, TrainOptions, ValidationData } from './trainOptions.ts';
import { checkTrainOptions } from './trainOptions.ts';
import { drainInTurns } from './turns.ts';

/** Features and labels that were read and fit each other. */
export interface LabelledData {
  readonly features: Matrix;
  readonly targets: Targets;
}

/** What one call of `train` is to do. */
export interface TrainingTask {
  readonly data: LabelledData;
  readonly validation: LabelledData | undefined;
  readonly options: TrainOptions;
  /** Where the gradient of the last iteration is kept, if it is. */
  readonly savedGradient: Float64Array<ArrayBuffer> | undefined;
  /** Whether it pauses within its passes. */
  readonly isSliced: boolean;
  /** Threads that it may run on. */
  readonly threads: TrainingThreads | undefined;
}

/**
 * What LinearRegression, LogisticRegression and NeuralNetwork share: data in, steps of an optimizer, gradients and
 * predictions out. A subclass says which network its options mean and what its labels are.
 */
export abstract class TrainableModel<Options extends TrainingOptions, Output extends Predictions>
  extends ParameterisedModel<Options>
  implements GradientModel, Scorable, Evaluable, Cloneable<TrainableModel<Options, Output>>
{
  #predictor: Predictor | undefined;

  /** Trains from the current parameters and returns the cost of each iteration: one pass over the rows. */
  train(features: Features, labels: Labels, options: TrainOptions = {}): number[] {
    return drain(this.#start(features, labels, options, { isSliced: false, threads: undefined }));
  }

  /**
   * `train` that lets the event loop have a turn at least every 5 ms (a single row of a network with more than
   * half a million parameters may take longer). Rejects with an AbortedError when `signal` aborts. With `threads` the
   * event loop is free, where the training is large enough to gain from them.
   */
  async trainAsync(features: Features, labels: Labels, options: TrainAsyncOptions = {}): Promise<number[]> {
    const { signal, clock = systemClock, threads, ...rest } = options;
    const steps = this.#start(features, labels, rest, { isSliced: true, threads });
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
    return this.#start(features, labels, options, { isSliced: true, threads: undefined });
  }

  #start(
    features: Features,
    labels: Labels,
    options: TrainOptions,
    mode: Pick<TrainingTask, 'isSliced' | 'threads'>,
  ): Generator<TrainingStep, number[]> {
    this.memory.assertIdle('train');
    const checked = checkTrainOptions(options);
    const { state, data, validation } = this.#prepare(features, labels, checked.validation);
    return this.memory.run(state, () => {
      const savedGradient = this.memory.createGradientSum(state.values.length);
      return this.#runTraining(state, { data, validation, options: checked, savedGradient, ...mode });
    });
  }

  /** Predicts one entry or row for each row of features. Throws NotTrainedError before there are parameters. */
  predict(features: Features): Output {
    const { outputs, rows } = this.predictOutputs(features);
    const predictions = this.decode(outputs, rows);
    this.#predictor?.giveBack(outputs);
    return predictions;
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
    const { state, data } = this.#prepare(features, labels);
    const task = this.#costTask(state, data, false);
    try {
      return this.#gradientsOf(state, meanGradient(task, state.values), data.features.rows);
    } finally {
      task.evaluator.release();
    }
  }

  /** The mean cost (penalty included) over all these rows at the current parameters. */
  computeCost(features: Features, labels: Labels): number {
    const { state, data } = this.#prepare(features, labels);
    return this.costOf(state, data);
  }

  /** How well the model predicts these rows, as sums that add up exactly over children. Throws NotTrainedError. */
  evaluate(features: Features, labels: Labels): Evaluation {
    const { outputs, rows } = this.predictOutputs(features);
    const { network } = this.requireState();
    return evaluateOutputs(network, outputs, this.readLabels(network, labels, rows), rows);
  }

  /**
   * One metric of `evaluate`. Unless named, the higher the better: accuracy of classifiers, and R², averaged over
   * outputs, of models that predict numbers. Throws InvalidOptionError where the metric does not apply.
   */
  score(features: Features, labels: Labels, metric?: MetricName): number {
    const evaluation = this.evaluate(features, labels);
    return evaluation.metric(metric ?? (evaluation.classes === undefined ? 'rSquared' : 'accuracy'));
  }

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
    const state = this.requireState();
    if (this.#predictor?.state !== state) this.#predictor = new Predictor(state);
    const { network } = state;
    const { preprocessing } = network;
    // The kernels see on their way whether all features are finite; which one is not, a second look says.
    const seen =
      preprocessing === undefined
        ? readUncheckedMatrix(features, this.options.dtype)
        : this.#readFeatures(features, preprocessing);
    const outputs = seen.columns === inputsOf(network) ? this.#predictor.predict(seen) : undefined;
    if (outputs !== undefined) return { outputs, rows: seen.rows };
    checkColumns(this.#readFeatures(features, preprocessing), network);
    throw new InvalidDataError('features changed while they were read');
  }

  /** The mean cost (penalty included) over data that was read. */
  protected costOf(state: ModelState, data: LabelledData): number {
    const task = this.#costTask(state, data, false);
    try {
      return drain(meanCostInSteps(task, state.values));
    } finally {
      task.evaluator.release();
    }
  }

  /** The share of units that a training leaves out of each layer; none unless a subclass says so. */
  protected get dropoutShares(): readonly number[] {
    return [];
  }

  /** One whole training as a generator; a subclass may replace it. Changes `state` in place. */
  protected *runIterations(state: ModelState, task: TrainingTask): Generator<TrainingStep, number[]> {
    const { data, validation, options, isSliced } = task;
    const { maximumNumberOfIterations, tolerance = 0 } = this.options;
    const { features } = data;
    const batchSize = Math.min(this.options.batchSize ?? features.rows, features.rows);
    const held = validation && this.#costTask(state, validation, isSliced);
    try {
      return yield* trainInSteps({
        session: this.#session(state, task, batchSize),
        rows: features.rows,
        values: state.values,
        slots: state.optimizerState.slots,
        batchSize,
        iterations: options.maximumNumberOfIterations ?? maximumNumberOfIterations,
        tolerance,
        random: this.memory.shuffling,
        validation: held,
        earlyStopping: options.earlyStopping && new EarlyStopping(options.earlyStopping),
        onIteration: options.onIteration,
        isSliced,
      });
    } finally {
      held?.evaluator.release();
    }
  }

  #session(state: ModelState, task: TrainingTask, batchSize: number): TrainingSession | PassSession {
    const { data, savedGradient, isSliced, threads, options } = task;
    const { dtype, frozen, learningRate, gradientClipping: clipping, proximal } = this.options;
    const { optimizer, schedule, dropout } = this.memory;
    const { network, values, optimizerState, baseVersion = 0 } = state;
    const plan: SessionPlan = {
      network,
      ...data,
      dtype,
      values,
      rule: {
        optimizer,
        state: optimizerState,
        learningRate: learningRate ?? optimizer.defaultLearningRate,
        schedule,
        round: baseVersion,
        clipping,
        term: createGradientTerm(network.layout, values, { proximal: proximal ?? 0, ...options }),
        trainable: trainableRanges(network.layout, frozen),
      },
      penalty: this.penalty,
      dropout: { shares: this.dropoutShares, random: dropout },
      batchSize,
      savedGradient,
      isSliced,
    };
    return threads?.createTraining(plan) ?? createTraining(plan);
  }

  *#runTraining(state: ModelState, task: TrainingTask): Generator<TrainingStep, number[]> {
    const { isFresh } = state;
    const { rows } = task.data.features;
    try {
      state.sampleCount = rows;
      const costs = yield* this.runIterations(state, task);
      if (task.savedGradient !== undefined && costs.length > 0) {
        this.memory.saveGradients(this.#gradientsOf(state, task.savedGradient, rows));
      }
      return costs;
    } catch (error) {
      if (isFresh) this.state = undefined;
      throw error;
    } finally {
      state.isFresh = false;
    }
  }

  #costTask(state: ModelState, { features, targets }: LabelledData, isSliced: boolean): CostTask {
    const { network } = state;
    const { dtype } = this.options;
    const evaluator = createEvaluator({ network, features, targets, dtype }, isSliced);
    return { evaluator, network, rows: features.rows, penalty: this.penalty };
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

  /** Checks data, also that of a validation, against the network, made here where there is none. */
  #prepare(
    features: Features,
    labels: Labels,
    validation?: ValidationData,
  ): { state: ModelState; data: LabelledData; validation: LabelledData | undefined } {
    const preprocessing = this.state === undefined ? this.#fit(features) : this.state.network.preprocessing;
    const matrix = this.#readFeatures(features, preprocessing);
    const network =
      this.state?.network ?? withPreprocessing(this.networkForData(matrix, labels), preprocessing);
    const data = this.#readData(network, matrix, labels);
    const held =
      validation &&
      this.#readData(network, this.#readFeatures(validation.features, preprocessing), validation.labels);
    trainableRanges(network.layout, this.options.frozen);
    const state = this.state ?? this.createState(network);
    this.state = state;
    return { state, data, validation: held };
  }

  #readData(network: DenseNetwork, features: Matrix, labels: Labels): LabelledData {
    checkColumns(features, network);
    return { features, targets: this.readLabels(network, labels, features.rows) };
  }

  /** The model's preprocessing, fitted on these rows where it is not fitted yet. Changes nothing. */
  #fit(features: Features): Preprocessing | undefined {
    if (this.preprocessing === undefined || this.preprocessing.isFitted) return this.preprocessing;
    return this.preprocessing.clone().fit(features);
  }

  #readFeatures(features: Features, preprocessing: Preprocessing | undefined): Matrix {
    const { dtype } = this.options;
    return preprocessing === undefined
      ? readMatrix(features, dtype)
      : preprocessing.transform(features, { dtype });
  }
}

function drain<Result>(steps: Generator<unknown, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function checkColumns(features: Matrix, network: DenseNetwork): void {
  const expected = inputsOf(network);
  if (features.columns !== expected) {
    const { preprocessing } = network;
    throw new InvalidDataError(
      preprocessing === undefined
        ? `features have ${features.columns} columns, the model has ${expected}`
        : `preprocessing makes ${features.columns} columns of ${preprocessing.columns}, the first layer has ${expected} inputs`,
    );
  }
}
