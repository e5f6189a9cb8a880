import type { Values } from '../../parameters/values.ts';
import type { ShapedLayer } from './networkShape.ts';
import { gather, scatter } from './stridedRows.ts';
import { createRows, type WasmNetwork } from './WasmNetwork.ts';

/** Fills a mask of dropout for `count` units of a layer. */
export type DrawMask = (layer: number, mask: Values, count: number) => void;

/** Ordinary arrays for a layer whose activation is done in JavaScript: rows × outputs, without padding. */
interface Scratch {
  readonly values: Values;
  readonly inputs: Values;
  readonly deltas: Values;
}

/**
 * Costs and gradients of a WasmNetwork. A network that the kernels have whole takes one call; where an activation is
 * written in JavaScript, or units are left out, the layers are called one by one with that in between.
 */
export class WasmPass {
  readonly #network: WasmNetwork;
  readonly #drawMask: DrawMask | undefined;
  readonly #dropsOut: readonly boolean[];
  readonly #scratch: readonly (Scratch | undefined)[];
  /** Whether one call does everything. */
  readonly isWhole: boolean;

  constructor(network: WasmNetwork, dropout: readonly number[], drawMask: DrawMask | undefined) {
    this.#network = network;
    this.#drawMask = drawMask;
    const { layers, isFused } = network.shape;
    this.#dropsOut = layers.map((_, index) => (dropout[index] ?? 0) > 0);
    this.#scratch = layers.map(({ code, activation }, index) => {
      const isLeftToLoss = isFused && index === layers.length - 1;
      if (code >= 0 || isLeftToLoss || network.shape.isRegression) return undefined;
      const values = createRows(network.shape, index, network.chunkRows);
      const inputs = activation.needsInputs ? values.slice() : values;
      return { values, inputs, deltas: values.slice() };
    });
    this.isWhole = !this.#dropsOut.includes(true) && this.#scratch.every((scratch) => scratch === undefined);
  }

  /** `sum` and the cost of rows, whose gradient is added to the workspace's, or begun afresh there. */
  accumulate(first: number, count: number, isFresh: boolean, sum: number): number {
    const network = this.#network;
    const start = network.stage(first, count, false);
    const fresh = isFresh ? 1 : 0;
    if (this.isWhole) return network.code.accumulate(network.training, start, count, fresh, sum);
    const input = network.code.gatherRows(network.network, network.orderAddress, start, count);
    this.#forward(input, count, true);
    const cost = network.code.loss(network.network, network.orderAddress, start, count, sum);
    this.#backward(input, count, fresh);
    return cost;
  }

  /** `sum` and the cost of rows in the order of the data, all units kept. */
  cost(first: number, count: number, sum: number): number {
    const network = this.#network;
    const start = network.stage(first, count, true);
    if (this.isWhole) return network.code.cost(network.training, start, count, sum);
    this.#forward(network.code.gatherRows(network.network, 0, start, count), count, false);
    return network.code.loss(network.network, 0, start, count, sum);
  }

  #forward(input: number, rows: number, dropsOut: boolean): void {
    const { code, network: address, shape } = this.#network;
    const last = shape.layers.length - 1;
    for (let index = 0; index <= last; index++) {
      code.forwardLayer(address, index, input, rows);
      if (index < last || !shape.isFused) this.#activate(index, rows);
      if (!(this.#dropsOut[index] as boolean)) continue;
      if (dropsOut) this.#dropUnits(index, rows);
      else this.#network.layerView(index, 'kept', rows).set(this.#network.layerView(index, 'values', rows));
    }
  }

  #backward(input: number, rows: number, fresh: number): void {
    const { code, network: address, shape } = this.#network;
    const last = shape.layers.length - 1;
    if (!shape.isFused) this.#multiplyBySlope(last, rows);
    for (let index = last; index >= 0; index--) {
      code.layerGradient(address, index, input, rows, fresh);
      if (index === 0) return;
      code.passBack(address, index, rows);
      this.#multiplyBySlope(index - 1, rows);
    }
  }

  #activate(index: number, rows: number): void {
    const network = this.#network;
    const scratch = this.#scratch[index];
    if (scratch === undefined) {
      network.code.activateLayer(network.network, index, rows);
      return;
    }
    const { activation, outputs, stride } = network.shape.layers[index] as ShapedLayer;
    gather(scratch.values, network.layerView(index, 'values', rows), rows, outputs, stride);
    if (activation.needsInputs) scratch.inputs.set(scratch.values);
    activation.forward(scratch.values, rows, outputs);
    // A new view: a function of the user's own may have trained another model, for which the memory grew.
    scatter(network.layerView(index, 'values', rows), scratch.values, rows, outputs, stride);
  }

  #multiplyBySlope(index: number, rows: number): void {
    const network = this.#network;
    const scratch = this.#scratch[index];
    if (scratch === undefined) {
      network.code.activationBackward(network.network, index, rows);
      return;
    }
    const { activation, outputs, stride } = network.shape.layers[index] as ShapedLayer;
    gather(scratch.deltas, network.layerView(index, 'deltas', rows), rows, outputs, stride);
    activation.backward(scratch.deltas, scratch.values, scratch.inputs, rows, outputs);
    scatter(network.layerView(index, 'deltas', rows), scratch.deltas, rows, outputs, stride);
  }

  /** Masks are drawn without padding, in the order in which the reference kernels draw them. */
  #dropUnits(index: number, rows: number): void {
    const network = this.#network;
    const { outputs, stride } = network.shape.layers[index] as ShapedLayer;
    const drawn = createRows(network.shape, index, rows);
    this.#drawMask?.(index, drawn, rows * outputs);
    scatter(network.layerView(index, 'mask', rows), drawn, rows, outputs, stride);
    network.code.dropUnits(network.network, index, rows);
  }
}
