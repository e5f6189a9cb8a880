import { InvalidDataError, InvalidOptionError } from '../errors.ts';
import { solveLeastSquares } from '../kernels/leastSquares.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import { activationNamed } from './activations.ts';
import { lossNamed } from './createLoss.ts';
import type { DenseLayer, DenseNetwork } from './DenseNetwork.ts';
import { outputsOf, planNetwork } from './DenseNetwork.ts';
import type { Matrix } from './features.ts';
import { toRows } from './features.ts';
import type { Labels } from './labels.ts';
import { readTargets } from './labels.ts';
import type { Targets } from './losses.ts';
import type { ModelState } from './ModelState.ts';
import type { ModelJson } from './modelJson.ts';
import { optionsFromJson } from './modelJson.ts';
import type { TrainingOptions } from './options.ts';
import { checkOptions, expecting, trainingChecks } from './options.ts';
import { columnsOfRegression, refuseShapeChange } from './regression.ts';
import type { TrainingTask } from './TrainableModel.ts';
import { TrainableModel } from './TrainableModel.ts';
import type { TrainingStep } from './trainOptions.ts';
import { reportOf } from './trainOptions.ts';

/** Options of LinearRegression. */
export interface LinearRegressionOptions extends TrainingOptions {
  /** Whether the model has an intercept of its own, `bias`; true unless given. */
  fitIntercept?: boolean;
  /** `'gradientDescent'` unless given; `'exact'` solves least squares in one go. */
  solver?: 'gradientDescent' | 'exact';
}

const checks = {
  ...trainingChecks,
  fitIntercept: expecting('true or false', (value) => typeof value === 'boolean'),
  solver: expecting(
    "'gradientDescent' or 'exact'",
    (value) => value === 'gradientDescent' || value === 'exact',
  ),
};

/**
 * Linear regression. Cost: mean squared error over rows and outputs, without ½. Tensors: `weights`
 * [features × outputs] and `bias` [outputs]. Labels: one number a row, or rows × outputs. Predicts rows × outputs.
 */
export class LinearRegression extends TrainableModel<LinearRegressionOptions, number[][]> {
  protected readonly modelName = 'LinearRegression';
  protected readonly startsAtRandom = false;

  constructor(options: LinearRegressionOptions = {}) {
    const checked = checkOptions<LinearRegressionOptions>(options, checks);
    super({
      maximumNumberOfIterations: 500,
      optimizer: 'gradientDescent',
      dtype: 'float64',
      seed: 0,
      ...checked,
    });
    checkSolver(checked);
  }

  /** Reads what `toJSON` wrote, parsed. An optimizer or schedule of your own must be given again. */
  static fromJSON(
    json: ModelJson,
    options: Pick<LinearRegressionOptions, 'optimizer' | 'learningRateSchedule'> = {},
  ): LinearRegression {
    const model = new LinearRegression({
      ...optionsFromJson<LinearRegressionOptions>(json, 'LinearRegression'),
      ...options,
    });
    model.restoreJson(json);
    return model;
  }

  clone(): LinearRegression {
    const twin = new LinearRegression(this.options);
    twin.copyFrom(this);
    return twin;
  }

  protected networkForData(features: Matrix, labels: Labels): DenseNetwork {
    const targets = readTargets(labels, features.rows, this.options.dtype);
    return this.#plan(features.columns, targets.columns);
  }

  protected networkFor(layout: ParameterLayout): DenseNetwork {
    const { inputs, outputs } = columnsOfRegression(layout, this.modelName);
    return this.#plan(inputs, outputs);
  }

  protected readLabels(network: DenseNetwork, labels: Labels, rows: number): Targets {
    const targets = readTargets(labels, rows, this.options.dtype);
    const expected = outputsOf(network);
    if (targets.columns !== expected) {
      throw new InvalidDataError(`labels have ${targets.columns} columns, the model has ${expected} outputs`);
    }
    return { kind: 'rows', values: targets.data, columns: targets.columns };
  }

  protected decode(outputs: Values, rows: number): number[][] {
    return toRows(outputs, rows, outputs.length / rows);
  }

  protected checkChange(options: Partial<LinearRegressionOptions>): Partial<LinearRegressionOptions> {
    const checked = checkOptions<LinearRegressionOptions>(options, checks);
    refuseShapeChange(checked, this.options, ['fitIntercept', 'dtype'], this.state !== undefined);
    checkSolver({ ...this.options, ...checked });
    return checked;
  }

  protected override *runIterations(
    state: ModelState,
    task: TrainingTask,
  ): Generator<TrainingStep, number[]> {
    const { data, validation, options } = task;
    const iterations = options.maximumNumberOfIterations ?? this.options.maximumNumberOfIterations;
    if (this.options.solver !== 'exact' || iterations === 0) return yield* super.runIterations(state, task);
    if (task.savedGradient !== undefined || options.gradientCorrection !== undefined) {
      throw new InvalidOptionError(
        "solver 'exact' takes no gradient steps; use computeGradients, or solver 'gradientDescent'",
      );
    }
    if (data.targets.kind !== 'rows') throw new InvalidOptionError('labels of a regression are numbers');
    const cost = solveExactly(state, data.features, data.targets.values, this.penalty.l2);
    options.onIteration?.(reportOf(1, cost, validation && this.costOf(state, validation)));
    return [cost];
  }

  #plan(inputs: number, outputs: number): DenseNetwork {
    const hasBias = this.options.fitIntercept !== false;
    const layer = { inputs, outputs, activation: activationNamed('identity'), hasBias, prefix: '' };
    return planNetwork([layer], lossNamed('meanSquaredError'), { model: this.modelName });
  }
}

/** Throws InvalidOptionError where the exact solver is asked for what has no closed form. */
function checkSolver({ solver, penalty, frozen, proximal }: LinearRegressionOptions): void {
  if (solver !== 'exact') return;
  if ((proximal ?? 0) > 0)
    throw new InvalidOptionError("solver 'exact' takes no proximal term; use solver 'gradientDescent'");
  if ((penalty?.l1 ?? 0) > 0) {
    throw new InvalidOptionError("solver 'exact' takes no l1 penalty; use solver 'gradientDescent'");
  }
  if (frozen !== undefined && frozen.length > 0) {
    throw new InvalidOptionError(
      "solver 'exact' solves for all parameters and takes no frozen ones; use solver 'gradientDescent'",
    );
  }
}

/**
 * Least squares by QR of [X 1], with √(λ·rows·outputs/2) below it for a penalty: the cost is a mean over rows and
 * outputs, the penalty λ/2 ‖weights‖² is not. Returns the cost at the solution.
 */
function solveExactly(state: ModelState, features: Matrix, targets: Values, l2: number): number {
  const { inputs, outputs, weights, bias } = state.network.layers[0] as DenseLayer;
  const { rows } = features;
  const columns = inputs + (bias >= 0 ? 1 : 0);
  const extra = l2 > 0 ? inputs : 0;
  const a = new Float64Array((rows + extra) * columns);
  const b = new Float64Array((rows + extra) * outputs);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < inputs; j++) a[i * columns + j] = features.data[i * inputs + j] as number;
    if (bias >= 0) a[i * columns + inputs] = 1;
  }
  for (let j = 0; j < extra; j++) a[(rows + j) * columns + j] = Math.sqrt((l2 * rows * outputs) / 2);
  b.set(targets);
  const solution = solveLeastSquares(a, b, rows + extra, columns, outputs);
  state.values.set(solution.subarray(0, inputs * outputs), weights);
  if (bias >= 0) state.values.set(solution.subarray(inputs * outputs), bias);
  return costAt(solution, features, targets, columns, outputs, l2);
}

function costAt(
  solution: Float64Array,
  features: Matrix,
  targets: Values,
  columns: number,
  outputs: number,
  l2: number,
): number {
  const { data, rows, columns: inputs } = features;
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    for (let o = 0; o < outputs; o++) {
      let predicted = columns > inputs ? (solution[inputs * outputs + o] as number) : 0;
      for (let j = 0; j < inputs; j++)
        predicted += (data[i * inputs + j] as number) * (solution[j * outputs + o] as number);
      sum += (predicted - (targets[i * outputs + o] as number)) ** 2;
    }
  }
  let square = 0;
  for (let j = 0; j < inputs * outputs; j++) square += (solution[j] as number) ** 2;
  return sum / (rows * outputs) + (l2 / 2) * square;
}
