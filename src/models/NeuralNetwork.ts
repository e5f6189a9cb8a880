import { InvalidDataError, InvalidOptionError, NotTrainedError } from '../errors.ts';
import { accuracy, rSquared } from '../evaluation/metrics.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import { show } from '../show.ts';
import { architectureClasses, labelsOf, probabilityRows } from './classification.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { outputsOf } from './DenseNetwork.ts';
import type { Features, Matrix } from './features.ts';
import { toRows } from './features.ts';
import type { Label, Labels } from './labels.ts';
import {
  checkClasses,
  encodeLabels,
  isStringLabels,
  readClassLabels,
  readTargets,
  sortClasses,
} from './labels.ts';
import type { LossName, Targets } from './losses.ts';
import type { ModelJson } from './modelJson.ts';
import { optionsFromJson } from './modelJson.ts';
import type { LayerOption } from './networkLayers.ts';
import { checkLayer, inferLayers, networkFromArchitecture, planLayers } from './networkLayers.ts';
import type { TrainingOptions } from './options.ts';
import { checkOptions, expecting, trainingChecks } from './options.ts';
import { refuseShapeChange } from './regression.ts';
import { TrainableModel } from './TrainableModel.ts';

/** Options of NeuralNetwork. */
export interface NeuralNetworkOptions extends TrainingOptions {
  /**
   * The inputs, then each layer: `[64, { units: 32, activation: 'relu' }, { units: 10, activation: 'softmax' }]`.
   * Activations unless given: relu; for the last layer, what the loss needs. Without layers, one hidden layer is
   * inferred at the first training.
   */
  layers?: readonly (number | LayerOption)[];
  /**
   * What is minimised. Unless given, what the last activation suggests: softmax: crossEntropy; sigmoid:
   * binaryCrossEntropy; others: meanSquaredError. Without layers: crossEntropy for `classes` or labels that are
   * strings, else meanSquaredError.
   */
  loss?: LossName;
  /** The labels of a classifier, one for each output. 0, 1, 2 … unless given. */
  classes?: readonly Label[];
}

const checks = {
  ...trainingChecks,
  layers: (value: unknown) => {
    if (!Array.isArray(value))
      throw new InvalidOptionError('layers must be a list: [inputs, { units, activation }, …]');
    value.forEach(checkLayer);
  },
  loss: expecting(
    "'crossEntropy', 'meanSquaredError' or 'binaryCrossEntropy'",
    (value) => value === 'crossEntropy' || value === 'meanSquaredError' || value === 'binaryCrossEntropy',
  ),
  classes: (value: unknown) => {
    checkClasses(value as readonly Label[]);
  },
};

/**
 * A fully connected network. Cost: its loss, a mean over rows. With softmax and crossEntropy it is a classifier:
 * `predict` gives labels, `predictProbabilities` rows; other networks predict rows of numbers. Tensors:
 * `layers.0.weights` [in × out], `layers.0.bias` [out], and so on.
 */
export class NeuralNetwork extends TrainableModel<NeuralNetworkOptions, number[][] | Label[]> {
  protected readonly modelName = 'NeuralNetwork';
  protected readonly startsAtRandom = true;

  constructor(options: NeuralNetworkOptions = {}) {
    const checked = checkOptions<NeuralNetworkOptions>(options, checks);
    super({
      maximumNumberOfIterations: 100,
      optimizer: 'adam',
      dtype: 'float32',
      seed: 0,
      batchSize: 32,
      ...checked,
    });
    refuseClassesOfRegression(checked);
    // Illegal pairs are refused here, not at the first training.
    if (checked.layers !== undefined && checked.layers.length > 1) this.networkFromOptions();
  }

  /** Reads what `toJSON` wrote, parsed. An optimizer of your own must be given again. */
  static fromJSON(json: ModelJson, options: Pick<NeuralNetworkOptions, 'optimizer'> = {}): NeuralNetwork {
    const model = new NeuralNetwork({
      ...optionsFromJson<NeuralNetworkOptions>(json, 'NeuralNetwork'),
      ...options,
    });
    model.restoreJson(json);
    return model;
  }

  clone(): NeuralNetwork {
    const twin = new NeuralNetwork(this.options);
    twin.copyFrom(this);
    return twin;
  }

  /** Adds a layer; the first is the inputs: `addLayer({ units: 64 })`. Returns the network, for chaining. */
  addLayer(layer: number | LayerOption): this {
    if (this.state !== undefined)
      throw new InvalidOptionError('layers cannot be added once there are parameters; make a new network');
    const layers = [...(this.options.layers ?? []), layer];
    layers.forEach(checkLayer);
    this.options = { ...this.options, layers };
    return this;
  }

  /** The classes in the order of `predictProbabilities`; undefined where the network is no classifier. */
  get classes(): readonly Label[] | undefined {
    return this.state && architectureClasses(this.state.network.layout.architecture)?.slice();
  }

  /** Rows × classes; each row sums to 1. Throws InvalidOptionError where the network is no classifier. */
  predictProbabilities(features: Features): number[][] {
    const { outputs, rows } = this.predictOutputs(features);
    if (this.classes === undefined) {
      throw new InvalidOptionError(
        'predictProbabilities needs a classifier: softmax as last activation with crossEntropy',
      );
    }
    return probabilityRows(outputs, rows, this.classes.length);
  }

  /** Classifiers: the share of rows whose label is predicted. Others: R², averaged over outputs. */
  score(features: Features, labels: Labels): number {
    const { outputs, rows } = this.predictOutputs(features);
    const targets = this.readLabels(this.requireState().network, labels, rows);
    if (targets.kind === 'rows') return rSquared(outputs, targets.values, rows, targets.columns);
    return accuracy(labelsOf(outputs, rows, this.classes ?? []), readClassLabels(labels, rows));
  }

  protected override networkFromOptions(classes?: readonly Label[]): DenseNetwork | undefined {
    const { layers } = this.options;
    if (layers === undefined || layers.length === 0) return undefined;
    if (layers.length === 1) throw new NotTrainedError('the network has inputs only; add at least one layer');
    return planLayers(layers, this.options.loss, classes ?? this.options.classes);
  }

  protected networkForData(features: Matrix, labels: Labels): DenseNetwork {
    const fixed = this.networkFromOptions();
    if (fixed !== undefined) {
      const namesClasses =
        fixed.loss.name === 'crossEntropy' && this.options.classes === undefined && isStringLabels(labels);
      if (!namesClasses) return fixed;
      return this.networkFromOptions(sortClasses(readClassLabels(labels, features.rows))) ?? fixed;
    }
    const isClassifier =
      this.options.loss === undefined
        ? this.options.classes !== undefined || isStringLabels(labels)
        : this.options.loss === 'crossEntropy';
    if (!isClassifier) {
      const { columns } = readTargets(labels, features.rows, this.options.dtype);
      const loss = this.options.loss ?? 'meanSquaredError';
      return planLayers(inferLayers(features.columns, columns), loss, this.options.classes);
    }
    const classes = this.options.classes ?? sortClasses(readClassLabels(labels, features.rows));
    if (classes.length < 2) {
      throw new InvalidDataError(
        `labels hold one class only, ${show(classes[0])}; name all of them with the option classes`,
      );
    }
    return planLayers(inferLayers(features.columns, classes.length), 'crossEntropy', classes);
  }

  protected networkFor(layout: ParameterLayout): DenseNetwork {
    const own = this.networkFromOptions();
    if (own === undefined) return networkFromArchitecture(layout, this.options.loss, this.options.classes);
    const classes = architectureClasses(layout.architecture);
    const mayTakeOver =
      own.loss.name === 'crossEntropy' &&
      this.options.classes === undefined &&
      classes?.length === outputsOf(own);
    return mayTakeOver ? (this.networkFromOptions(classes) ?? own) : own;
  }

  protected readLabels(network: DenseNetwork, labels: Labels, rows: number): Targets {
    const classes = architectureClasses(network.layout.architecture);
    if (classes !== undefined)
      return { kind: 'classes', indices: encodeLabels(readClassLabels(labels, rows), classes) };
    const targets = readTargets(labels, rows, this.options.dtype);
    if (targets.columns !== outputsOf(network)) {
      throw new InvalidDataError(
        `labels have ${targets.columns} columns, the network has ${outputsOf(network)} outputs`,
      );
    }
    if (network.loss.name === 'binaryCrossEntropy' && targets.data.some((value) => value < 0 || value > 1)) {
      throw new InvalidDataError('labels of binaryCrossEntropy must lie between 0 and 1');
    }
    return { kind: 'rows', values: targets.data, columns: targets.columns };
  }

  protected decode(outputs: Values, rows: number): number[][] | Label[] {
    if (this.classes !== undefined) return labelsOf(outputs, rows, this.classes);
    return toRows(outputs, rows, outputs.length / rows);
  }

  protected checkChange(options: Partial<NeuralNetworkOptions>): Partial<NeuralNetworkOptions> {
    const checked = checkOptions<NeuralNetworkOptions>(options, checks);
    refuseShapeChange(
      checked,
      this.options,
      ['layers', 'loss', 'classes', 'dtype'],
      this.state !== undefined,
    );
    const { layers, loss, classes } = { ...this.options, ...checked };
    refuseClassesOfRegression({ loss, classes });
    if (layers !== undefined && layers.length > 1) planLayers(layers, loss, classes);
    return checked;
  }
}

function refuseClassesOfRegression({
  loss,
  classes,
}: {
  loss?: LossName | undefined;
  classes?: readonly Label[] | undefined;
}): void {
  if (classes === undefined || loss === undefined || loss === 'crossEntropy') return;
  throw new InvalidOptionError(`classes are for loss crossEntropy, got loss ${loss}`);
}
