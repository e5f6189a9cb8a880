import { refuseUnknownOptions } from '../unknownOptions.ts';
import { type ModelParameters, requireModelParameters } from './ModelParameters.ts';
import type { TensorSlot } from './ParameterLayout.ts';

/** Options of `warmStart`. */
export interface WarmStartOptions {
  /**
   * Whether a tensor that has grown keeps its old numbers where both shapes overlap, counted from the first entry of
   * each axis: for features or units that were added behind the others. False unless given.
   */
  overlap?: boolean;
}

/** What `warmStart` has made. */
export interface WarmStart {
  readonly parameters: ModelParameters;
  /** Tensors that came over, whole or in part. */
  readonly taken: readonly string[];
  /** Tensors that start afresh. */
  readonly fresh: readonly string[];
}

/**
 * Parameters of a new layout that start from those of an old one: a tensor of the same name and shape comes over,
 * the others keep the numbers of `fresh`, which a new model gives (`model.getModelParameters()`). `fresh` itself is
 * not changed.
 */
export function warmStart(
  fresh: ModelParameters,
  old: ModelParameters,
  options: WarmStartOptions = {},
): WarmStart {
  refuseUnknownOptions(options, ['overlap'], 'warmStart');
  requireModelParameters(old).assertFinite('old parameters');
  const parameters = requireModelParameters(fresh).clone({ sampleCount: undefined, baseVersion: undefined });
  const taken: string[] = [];
  const kept: string[] = [];
  for (const slot of parameters.layout.tensors) {
    const from = old.layout.find(slot.name);
    const isTaken = from !== undefined && copyTensor(parameters, slot, old, from, options.overlap === true);
    (isTaken ? taken : kept).push(slot.name);
  }
  return { parameters, taken, fresh: kept };
}

/** False where the tensors do not fit, and then nothing has changed. */
function copyTensor(
  target: ModelParameters,
  to: TensorSlot,
  source: ModelParameters,
  from: TensorSlot,
  mayOverlap: boolean,
): boolean {
  const isSame =
    to.shape.length === from.shape.length && to.shape.every((length, axis) => length === from.shape[axis]);
  if (!isSame && !(mayOverlap && to.shape.length === from.shape.length)) return false;
  copyOverlap(target, to, source, from, 0, 0, 0);
  return true;
}

/** Copies the block that both tensors have, axis by axis; the last axis is one run of numbers. */
function copyOverlap(
  target: ModelParameters,
  to: TensorSlot,
  source: ModelParameters,
  from: TensorSlot,
  axis: number,
  toPlace: number,
  fromPlace: number,
): void {
  const toLength = to.shape[axis] ?? 1;
  const fromLength = from.shape[axis] ?? 1;
  const common = Math.min(toLength, fromLength);
  const toStart = toPlace * toLength;
  const fromStart = fromPlace * fromLength;
  if (axis >= to.shape.length - 1) {
    const run = source.values.subarray(from.offset + fromStart, from.offset + fromStart + common);
    target.values.set(run, to.offset + toStart);
    return;
  }
  for (let i = 0; i < common; i++)
    copyOverlap(target, to, source, from, axis + 1, toStart + i, fromStart + i);
}
