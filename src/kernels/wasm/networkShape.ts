import type { DataType, Values } from '../../parameters/values.ts';
import type { NetworkPlan, PlannedLayer } from '../NetworkPlan.ts';
import { activationCodes, lossCodes } from './codes.ts';

/** One tensor in the flat array and in a workspace, where rows are padded with zeros to whole vectors. */
export interface Segment {
  /** First number in the flat array. */
  readonly flat: number;
  /** First number in the workspace. */
  readonly place: number;
  readonly rows: number;
  readonly columns: number;
  /** Numbers from one row to the next in the workspace. */
  readonly stride: number;
}

/** A layer with the places of its tensors in the workspace. */
export interface ShapedLayer extends PlannedLayer {
  readonly stride: number;
  /** −1 where the activation is done in JavaScript. */
  readonly code: number;
  readonly weightSegment: Segment;
  readonly biasSegment: Segment | undefined;
}

/** How a network lies in a workspace. */
export interface NetworkShape {
  readonly plan: NetworkPlan;
  readonly dtype: DataType;
  readonly bytesPerNumber: number;
  readonly layers: readonly ShapedLayer[];
  readonly segments: readonly Segment[];
  /** Numbers of all tensors with their padding. */
  readonly length: number;
  readonly featureStride: number;
  /** One layer with one output: it has kernels of its own, which read each row once. */
  readonly isRegression: boolean;
  readonly lossCode: number;
  readonly isFused: boolean;
}

/** Lays a network out for predictions: they read their features number by number, which asks for no padding. */
export function shapeForPredictions(plan: NetworkPlan, dtype: DataType): NetworkShape | undefined {
  const shape = shapeNetwork(plan, dtype, false);
  return shape && { ...shape, featureStride: (plan.layers[0] as PlannedLayer).inputs };
}

/**
 * Lays a network out, or gives undefined where its loss has no kernel. `mayRegress`: whether one layer with one output
 * is laid out for the kernels that it has of its own.
 */
export function shapeNetwork(
  plan: NetworkPlan,
  dtype: DataType,
  mayRegress = true,
): NetworkShape | undefined {
  const lossCode = lossCodes.get(plan.loss.name);
  if (lossCode === undefined) return undefined;
  const bytesPerNumber = dtype === 'float32' ? 4 : 8;
  const lanes = 16 / bytesPerNumber;
  const first = plan.layers[0] as PlannedLayer;
  const isFused = plan.loss.fusesWith !== undefined;
  const isRegression =
    mayRegress &&
    plan.layers.length === 1 &&
    first.outputs === 1 &&
    (plan.loss.name === 'binaryCrossEntropy' ||
      (plan.loss.name === 'meanSquaredError' && first.activation.description === 'identity'));
  let length = 0;
  const layers = plan.layers.map((layer): ShapedLayer => {
    const { inputs, outputs, weights, bias, activation } = layer;
    const stride = isRegression ? 1 : strideOf(outputs, bytesPerNumber);
    const place = length;
    length += Math.ceil((inputs * stride) / lanes) * lanes;
    const weightSegment = { flat: weights, place, rows: inputs, columns: outputs, stride };
    const code = activationCodes.get(activation.description) ?? -1;
    if (bias < 0) return { ...layer, stride, code, weightSegment, biasSegment: undefined };
    const biasSegment = { flat: bias, place: length, rows: 1, columns: outputs, stride: outputs };
    length += Math.max(lanes, Math.ceil(stride / lanes) * lanes);
    return { ...layer, stride, code, weightSegment, biasSegment };
  });
  return {
    plan,
    dtype,
    bytesPerNumber,
    layers,
    segments: layers.flatMap((layer) => [layer.weightSegment, layer.biasSegment ?? []].flat()),
    length,
    featureStride: isRegression
      ? Math.ceil(first.inputs / lanes) * lanes
      : strideOf(first.inputs, bytesPerNumber),
    isRegression,
    lossCode,
    isFused,
  };
}

/**
 * Numbers from one row of a matrix to the next: whole vectors, and never a multiple of 256 bytes from 512 on, since
 * rows a power of two apart fall on the same few sets of the cache and drive each other out.
 */
function strideOf(columns: number, bytesPerNumber: number): number {
  const lanes = 16 / bytesPerNumber;
  const whole = Math.ceil(columns / lanes) * lanes;
  const bytes = whole * bytesPerNumber;
  return bytes >= 512 && bytes % 256 === 0 ? whole + 64 / bytesPerNumber : whole;
}

/** Copies tensors from the flat array into a workspace. Padding is left alone. */
export function padInto(target: Values, source: ArrayLike<number>, segments: readonly Segment[]): void {
  for (const { flat, place, rows, columns, stride } of segments) {
    if (stride === columns || rows === 1) {
      copy(target, place, source, flat, rows * columns);
      continue;
    }
    for (let row = 0; row < rows; row++) {
      const to = place + row * stride;
      const from = flat + row * columns;
      for (let column = 0; column < columns; column++) target[to + column] = source[from + column] as number;
    }
  }
}

/** Copies tensors from a workspace into the flat array. */
export function unpadInto(target: Values, source: Values, segments: readonly Segment[]): void {
  for (const { flat, place, rows, columns, stride } of segments) {
    if (stride === columns || rows === 1) {
      copy(target, flat, source, place, rows * columns);
      continue;
    }
    for (let row = 0; row < rows; row++) {
      const from = place + row * stride;
      const to = flat + row * columns;
      for (let column = 0; column < columns; column++) target[to + column] = source[from + column] as number;
    }
  }
}

/** Copies a stretch of numbers; a short one without the cost of a view. */
function copy(target: Values, to: number, source: ArrayLike<number>, from: number, count: number): void {
  if (count > 64 && ArrayBuffer.isView(source)) {
    target.set((source as Values).subarray(from, from + count), to);
    return;
  }
  for (let i = 0; i < count; i++) target[to + i] = source[from + i] as number;
}
