import { InvalidDataError, InvalidOptionError, NotTrainedError } from '../errors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { show } from '../show.ts';
import { architectureClasses, isClassifierLoss, labelsOf, probabilityRows } from './classification.ts';
import { createLoss } from './createLoss.ts';
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
import type { LayerOption } from './layerOptions.ts';
import { checkLayer, dropoutShares, layerShape, layerToJson } from './layerOptions.ts';
import type { Loss, LossOption, Targets } from './losses.ts';
import { checkTargetValues } from './losses.ts';
import type { ModelJson } from './modelJson.ts';
import { optionsFromJson } from './modelJson.ts';
import { inferLayers, networkFromArchitecture, planLayers, unitsForClasses } from './networkLayers.ts';
import type { TrainingOptions } from './options.ts';
import { checkOptions, trainingChecks } from './options.ts';
import { trainableRanges } from './ParameterisedModel.ts';
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
   * strings, else meanSquaredError. `'huber'` bends for outliers beyond 1, or `{ name: 'huber', delta }`;
   * `'hinge'` takes rows of −1 and 1, or class labels.
   */
  loss?: LossOption;
  /**
   * The labels of a classifier, one for each output (hinge: one output for two classes). With crossEntropy 0, 1,
   * 2 … unless given.
   */
  classes?: readonly Label[];
}

const checks = {
  ...trainingChecks,
  layers: (value: unknown) => {
    if (!Array.isArray(value))
      throw new InvalidOptionError('layers must be a list: [inputs, { units, activation }, …]');
    value.forEach(checkLayer);
  },
  loss: (value: unknown) => {
    createLoss(value as LossOption);
  },
  classes: (value: unknown) => {
    checkClasses(value as readonly Label[]);
  },
};

/**
 * A fully connected network. Cost: its loss, a mean over rows. With softmax and crossEntropy it is a classifier:
 * `predict` gives labels, `predictProbabilities` rows. With hinge and classes it is one too, whose outputs are
 * margins. Other networks predict rows of numbers. Tensors: `layers.0.weights` [in × out], `layers.0.bias` [out],
 * and so on.
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
    if (checked.layers === undefined || checked.layers.length < 2) return;
    const { layout } = planLayers(checked.layers, checked.loss, checked.classes);
    trainableRanges(layout, checked.frozen);
  }

  /**
   * Reads what `toJSON` wrote, parsed. What is your own must be given again: optimizer, learning-rate schedule, and
   * the layers where an activation is.
   */
  static fromJSON(
    json: ModelJson,
    options: Pick<NeuralNetworkOptions, 'optimizer' | 'learningRateSchedule' | 'layers'> = {},
  ): NeuralNetwork {
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
    return this.#knownClasses()?.slice();
  }

  /** Rows × classes; each row sums to 1. Throws InvalidOptionError where the network has no probabilities. */
  predictProbabilities(features: Features): number[][] {
    const { outputs, rows } = this.predictOutputs(features);
    if (this.requireState().network.loss.name === 'hinge') {
      throw new InvalidOptionError('a network with loss hinge gives margins, which are no probabilities');
    }
    const classes = this.#knownClasses();
    if (classes === undefined) {
      throw new InvalidOptionError(
        'predictProbabilities needs a classifier: softmax as last activation with crossEntropy',
      );
    }
    return probabilityRows(outputs, rows, classes.length);
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
        isClassifierLoss(fixed.loss.name) && this.options.classes === undefined && isStringLabels(labels);
      if (!namesClasses) return fixed;
      return this.networkFromOptions(sortClasses(readClassLabels(labels, features.rows))) ?? fixed;
    }
    const { classes, loss } = this.options;
    const name = loss === undefined ? undefined : createLoss(loss).name;
    const hasNames = classes !== undefined || isStringLabels(labels);
    const isClassifier = name === 'crossEntropy' || (hasNames && (name === undefined || name === 'hinge'));
    if (!isClassifier) {
      const { columns } = readTargets(labels, features.rows, this.options.dtype);
      return planLayers(inferLayers(features.columns, columns), loss ?? 'meanSquaredError', classes);
    }
    const known = classes ?? sortClasses(readClassLabels(labels, features.rows));
    if (known.length < 2) {
      throw new InvalidDataError(
        `labels hold one class only, ${show(known[0])}; name all of them with the option classes`,
      );
    }
    const units = unitsForClasses(name ?? 'crossEntropy', known.length);
    return planLayers(inferLayers(features.columns, units), name ?? 'crossEntropy', known);
  }

  protected networkFor(layout: ParameterLayout): DenseNetwork {
    const own = this.networkFromOptions();
    if (own === undefined) return networkFromArchitecture(layout, this.options.loss, this.options.classes);
    const classes = architectureClasses(layout.architecture);
    const mayTakeOver =
      isClassifierLoss(own.loss.name) &&
      this.options.classes === undefined &&
      classes !== undefined &&
      unitsForClasses(own.loss.name, classes.length) === outputsOf(own);
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
    checkTargetValues(network.loss.name, targets.data);
    return { kind: 'rows', values: targets.data, columns: targets.columns };
  }

  protected decode(outputs: Values, rows: number): number[][] | Label[] {
    const classes = this.#knownClasses();
    if (classes !== undefined) return this.#labelsOf(outputs, rows, classes);
    return toRows(outputs, rows, outputs.length / rows);
  }

  #knownClasses(): readonly Label[] | undefined {
    return this.state && architectureClasses(this.state.network.layout.architecture);
  }

  /** A margin tells its class by its sign, a probability by which half it is in. */
  #labelsOf(outputs: Values, rows: number, classes: readonly Label[]): Label[] {
    const { name } = this.requireState().network.loss;
    return labelsOf(outputs, rows, classes, name === 'hinge' ? 0 : 0.5);
  }

  protected checkChange(options: Partial<NeuralNetworkOptions>): Partial<NeuralNetworkOptions> {
    const checked = checkOptions<NeuralNetworkOptions>(options, checks);
    refuseShapeChange(
      shapeOf(checked),
      shapeOf(this.options),
      ['layers', 'loss', 'classes', 'dtype'],
      this.state !== undefined,
    );
    const { layers, loss, classes } = { ...this.options, ...checked };
    refuseClassesOfRegression({ ...this.options, ...checked });
    if (layers !== undefined && layers.length > 1) planLayers(layers, loss, classes);
    return checked;
  }

  protected override get dropoutShares(): readonly number[] {
    return dropoutShares(this.options.layers ?? []);
  }

  protected override optionsToJson(): object {
    const { layers, ...others } = this.options;
    return layers === undefined ? others : { ...others, layers: layers.map(layerToJson) };
  }
}

/** The options that shape the parameters, in a form that tells equal ones from others. */
function shapeOf({ layers, loss, classes, dtype }: Partial<NeuralNetworkOptions>): {
  layers: readonly object[] | undefined;
  loss: Loss['description'] | undefined;
  classes: readonly Label[] | undefined;
  dtype: DataType | undefined;
} {
  return {
    layers: layers?.map(layerShape),
    loss: loss === undefined ? undefined : createLoss(loss).description,
    classes,
    dtype,
  };
}

function refuseClassesOfRegression({ loss, classes }: Partial<NeuralNetworkOptions>): void {
  if (classes === undefined || loss === undefined) return;
  const { name } = createLoss(loss);
  if (isClassifierLoss(name)) return;
  throw new InvalidOptionError(`classes are for losses crossEntropy and hinge, got loss ${name}`);
}
