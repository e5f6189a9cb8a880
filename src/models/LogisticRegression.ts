import { InvalidDataError, LayoutMismatchError } from '../errors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import { show } from '../show.ts';
import { activationNamed } from './activations.ts';
import { architectureClasses, labelsOf, probabilityRows } from './classification.ts';
import { lossNamed } from './createLoss.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { planNetwork } from './DenseNetwork.ts';
import type { Features, Matrix } from './features.ts';
import type { Label, Labels } from './labels.ts';
import { checkClasses, encodeLabels, readClassLabels, sortClasses } from './labels.ts';
import type { Targets } from './losses.ts';
import type { ModelJson } from './modelJson.ts';
import { optionsFromJson } from './modelJson.ts';
import type { TrainingOptions } from './options.ts';
import { checkOptions, expecting, trainingChecks } from './options.ts';
import { columnsOfRegression, refuseShapeChange } from './regression.ts';
import { TrainableModel } from './TrainableModel.ts';

/** Options of LogisticRegression. */
export interface LogisticRegressionOptions extends TrainingOptions {
  /** Whether the model has an intercept of its own, `bias`; true unless given. */
  fitIntercept?: boolean;
  /** All labels there can be. Those of the first training unless given, so give them where a child may not see all. */
  classes?: readonly Label[];
}

const checks = {
  ...trainingChecks,
  fitIntercept: expecting('true or false', (value) => typeof value === 'boolean'),
  classes: (value: unknown) => {
    checkClasses(value as readonly Label[]);
  },
};

/**
 * Logistic regression. Cost: mean log loss over rows. Two classes: sigmoid, one column of weights, the
 * probability of the second class; more: softmax, a column for each class. Tensors: `weights`
 * [features × columns] and `bias` [columns]. Predicts labels.
 */
export class LogisticRegression extends TrainableModel<LogisticRegressionOptions, Label[]> {
  protected readonly modelName = 'LogisticRegression';
  protected readonly startsAtRandom = false;

  constructor(options: LogisticRegressionOptions = {}) {
    super({
      maximumNumberOfIterations: 500,
      optimizer: 'gradientDescent',
      dtype: 'float64',
      seed: 0,
      ...checkOptions<LogisticRegressionOptions>(options, checks),
    });
  }

  /** Reads what `toJSON` wrote, parsed. An optimizer or schedule of your own must be given again. */
  static fromJSON(
    json: ModelJson,
    options: Pick<LogisticRegressionOptions, 'optimizer' | 'learningRateSchedule'> = {},
  ): LogisticRegression {
    const model = new LogisticRegression({
      ...optionsFromJson<LogisticRegressionOptions>(json, 'LogisticRegression'),
      ...options,
    });
    model.restoreJson(json);
    return model;
  }

  clone(): LogisticRegression {
    const twin = new LogisticRegression(this.options);
    twin.copyFrom(this);
    return twin;
  }

  /** The classes in the order of `predictProbabilities`, or undefined before they are known. */
  get classes(): readonly Label[] | undefined {
    if (this.state !== undefined) return architectureClasses(this.state.network.layout.architecture)?.slice();
    return this.options.classes && checkClasses(this.options.classes);
  }

  /** Rows × classes; each row sums to 1. */
  predictProbabilities(features: Features): number[][] {
    const { outputs, rows } = this.predictOutputs(features);
    return probabilityRows(outputs, rows, this.#knownClasses().length);
  }

  protected networkForData(features: Matrix, labels: Labels): DenseNetwork {
    const classes = this.classes ?? sortClasses(readClassLabels(labels, features.rows));
    if (classes.length < 2) {
      throw new InvalidDataError(
        `labels hold one class only, ${show(classes[0])}; name all of them with the option classes`,
      );
    }
    return this.#plan(features.columns, classes);
  }

  protected networkFor(layout: ParameterLayout): DenseNetwork {
    const { inputs, outputs } = columnsOfRegression(layout, this.modelName);
    const classes = this.classes ?? architectureClasses(layout.architecture);
    if (classes === undefined) {
      throw new LayoutMismatchError(
        `these parameters do not name their ${outputs === 1 ? 2 : outputs} classes; give the model the option classes`,
      );
    }
    return this.#plan(inputs, classes);
  }

  protected readLabels(_network: DenseNetwork, labels: Labels, rows: number): Targets {
    const classes = architectureClasses(_network.layout.architecture) ?? [];
    return { kind: 'classes', indices: encodeLabels(readClassLabels(labels, rows), classes) };
  }

  protected decode(outputs: Values, rows: number): Label[] {
    return labelsOf(outputs, rows, this.#knownClasses());
  }

  protected checkChange(options: Partial<LogisticRegressionOptions>): Partial<LogisticRegressionOptions> {
    const checked = checkOptions<LogisticRegressionOptions>(options, checks);
    const current = { ...this.options, classes: this.classes };
    const wanted =
      checked.classes === undefined ? checked : { ...checked, classes: checkClasses(checked.classes) };
    refuseShapeChange<object>(
      wanted,
      current,
      ['fitIntercept', 'dtype', 'classes'] as never[],
      this.state !== undefined,
    );
    return checked;
  }

  #knownClasses(): readonly Label[] {
    return architectureClasses(this.requireState().network.layout.architecture) ?? [];
  }

  #plan(inputs: number, classes: readonly Label[]): DenseNetwork {
    const isBinary = classes.length === 2;
    const layer = {
      inputs,
      outputs: isBinary ? 1 : classes.length,
      activation: activationNamed(isBinary ? 'sigmoid' : 'softmax'),
      hasBias: this.options.fitIntercept !== false,
      prefix: '',
    };
    const loss = lossNamed(isBinary ? 'binaryCrossEntropy' : 'crossEntropy');
    return planNetwork([layer], loss, { model: this.modelName, classes });
  }
}
