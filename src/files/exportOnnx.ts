import { MalformedDataError, UnsupportedModelError } from '../errors.ts';
import { architectureClasses } from '../models/classification.ts';
import type { Label } from '../models/labels.ts';
import type { JsonValue } from '../parameters/architecture.ts';
import { canonicalJson } from '../parameters/architecture.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout, TensorSlot } from '../parameters/ParameterLayout.ts';
import { formatTensor } from '../parameters/ParameterLayout.ts';
import { show } from '../show.ts';
import { OnnxGraph } from './OnnxGraph.ts';
import { emitActivation } from './onnxActivations.ts';
import { emitPreprocessing } from './onnxPreprocessing.ts';
import type { ParametersSource } from './parametersOf.ts';
import { parametersOf } from './parametersOf.ts';

/** A model as ONNX. Input and output are float32, rows × columns; the rows are the dimension `batch`. */
export interface OnnxModel {
  /** What an .onnx file holds. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The input: raw features, before any preprocessing. */
  readonly input: { readonly name: 'features'; readonly columns: number };
  /** The output: one column a class for a classifier, also for two classes; margins for one with loss hinge. */
  readonly output: { readonly name: 'predictions' | 'probabilities' | 'margins'; readonly columns: number };
  /** The labels of the columns of a classifier; in the file as JSON, in `metadata_props` under `classes`. */
  readonly classes: readonly Label[] | undefined;
  /** The largest absolute difference between a parameter and its float32; 0 for a float32 model. */
  readonly largestRounding: number;
}

/**
 * A LinearRegression, LogisticRegression or NeuralNetwork, or its parameters, as an ONNX model (operator set 15, file
 * version 8) with its preprocessing in front. Throws UnsupportedModelError where ONNX cannot say what the model
 * computes, or the parameters do not (those made by hand have no architecture), or where inputs in float32 would lose
 * what a scaler looks at, as with timestamps; NonFiniteError for numbers that float32 does not have.
 */
export function exportOnnx(source: ParametersSource): OnnxModel {
  const parameters = parametersOf(source);
  const largestRounding = roundingOf(parameters);
  const { architecture } = parameters.layout;
  const layers = layersOf(parameters.layout);
  const [first, last] = [layers[0] as Layer, layers[layers.length - 1] as Layer];
  const graph = new OnnxGraph();
  const start = emitPreprocessing(graph, architecture?.preprocessing, 'features', first.inputs);
  if (start.outputs !== first.inputs) {
    throw new MalformedDataError(
      `preprocessing makes ${start.outputs} columns, the first layer has ${first.inputs} inputs`,
    );
  }
  let value = start.value;
  for (const layer of layers) value = emitLayer(graph, parameters, layer, value);
  const classes = architectureClasses(architecture);
  const input = { name: 'features', columns: start.inputs } as const;
  const metadata = new Map([['architecture', canonicalJson(architecture ?? {})]]);
  if (classes === undefined) {
    const output = { name: 'predictions', columns: last.outputs } as const;
    return { bytes: graph.toBytes(input, output, metadata), input, output, classes, largestRounding };
  }
  const isMargin = architecture?.loss === 'hinge';
  emitClasses(graph, value, last.outputs, classes.length, isMargin);
  metadata.set('classes', JSON.stringify(classes));
  const output = { name: isMargin ? 'margins' : 'probabilities', columns: classes.length } as const;
  return { bytes: graph.toBytes(input, output, metadata), input, output, classes, largestRounding };
}

/** One column p is the probability of the second class: 1 − p and p. One margin m is its lead: −m and m. */
function emitClasses(
  graph: OnnxGraph,
  value: string,
  columns: number,
  classes: number,
  isMargin: boolean,
): void {
  if (columns === classes) return;
  if (columns !== 1 || classes !== 2) {
    throw new MalformedDataError(`the last layer has ${columns} outputs for ${classes} classes`);
  }
  const other = isMargin ? graph.node('Neg', [value]) : graph.node('Sub', [graph.constant(1), value]);
  graph.node('Concat', [other, value], { axis: { int: 1 } });
}

/** activation(x W + b). */
function emitLayer(graph: OnnxGraph, parameters: ModelParameters, layer: Layer, x: string): string {
  const constant = ({ name, shape }: TensorSlot): string => graph.floats(name, shape, parameters.get(name));
  const inputs = [x, constant(layer.weights)];
  if (layer.bias !== undefined) inputs.push(constant(layer.bias));
  return emitActivation(graph, layer.activation, graph.node('Gemm', inputs));
}

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: TensorSlot;
  readonly bias: TensorSlot | undefined;
  readonly activation: JsonValue;
}

/** The dense layers that an architecture names. All three models are chains of them. */
function layersOf(layout: ParameterLayout): readonly Layer[] {
  const { architecture } = layout;
  if (architecture === undefined) {
    throw new UnsupportedModelError(
      'the parameters have no architecture: what was made by hand does not say what it computes; export a model',
    );
  }
  const { model, activations } = architecture;
  switch (model) {
    case 'LinearRegression':
      return chain(layout, ['identity'], () => '');
    case 'LogisticRegression':
      return chain(
        layout,
        [architectureClasses(architecture)?.length === 2 ? 'sigmoid' : 'softmax'],
        () => '',
      );
    case 'NeuralNetwork':
      if (Array.isArray(activations) && activations.length > 0) {
        return chain(layout, activations as readonly JsonValue[], (index) => `layers.${index}.`);
      }
      throw new MalformedDataError(`activations are ${show(activations)}, expected one for each layer`);
    default:
      throw new UnsupportedModelError(
        `a ${show(model)} cannot be written as ONNX; LinearRegression, LogisticRegression and NeuralNetwork can`,
      );
  }
}

function chain(
  layout: ParameterLayout,
  activations: readonly JsonValue[],
  prefix: (index: number) => string,
): readonly Layer[] {
  let known: number | undefined;
  const layers = activations.map((activation, index) => {
    const weights = layout.find(`${prefix(index)}weights`);
    const bias = layout.find(`${prefix(index)}bias`);
    const [inputs = 0, outputs = 0] = weights?.shape ?? [];
    const isBiasRight = bias === undefined || (bias.shape.length === 1 && bias.shape[0] === outputs);
    if (weights?.shape.length !== 2 || outputs === 0 || inputs !== (known ?? inputs) || !isBiasRight) {
      const got = [weights, bias].map((slot) => (slot === undefined ? 'nothing' : formatTensor(slot)));
      throw new MalformedDataError(
        `layer ${index} has ${got.join(' and ')}, expected weights [${known ?? 'inputs'}×outputs] and bias [outputs]`,
      );
    }
    known = outputs;
    return { inputs, outputs, weights, bias, activation };
  });
  const used = layers.reduce((count, { bias }) => count + (bias === undefined ? 1 : 2), 0);
  if (used !== layout.tensors.length) {
    throw new UnsupportedModelError(
      `there are ${layout.tensors.length} tensors, the layers use ${used} of them`,
    );
  }
  return layers;
}

function roundingOf(parameters: ModelParameters): number {
  parameters.assertFinite('parameters to export');
  let largest = 0;
  for (const value of parameters.values) {
    largest = Math.max(largest, Math.abs(value - Math.fround(value)));
  }
  return largest;
}
