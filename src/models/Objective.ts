import { addProduct, rowMajor, transposed } from '../kernels/multiply.ts';
import { addColumnSums } from '../kernels/rows.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import type { DenseLayer, DenseNetwork } from './DenseNetwork.ts';
import { layerForward, rowsPerChunk } from './DenseNetwork.ts';
import type { Dropout } from './dropout.ts';
import { applyMask, drawMask } from './dropout.ts';
import type { Matrix } from './features.ts';
import type { Targets } from './losses.ts';

/**
 * The cost of a network on its data and its gradient, for a chunk of rows at a time. Owns the buffers of a
 * training, sized once.
 */
export class Objective {
  readonly network: DenseNetwork;
  readonly rows: number;
  readonly chunkRows: number;
  readonly #features: Matrix;
  readonly #targets: Targets;
  readonly #gathered: Values;
  readonly #outputs: readonly Values[];
  readonly #deltas: readonly Values[];
  /** z of the layers whose activation needs it; elsewhere the outputs. */
  readonly #inputs: readonly Values[];
  readonly #dropout: Dropout | undefined;
  /** Where a layer has dropout: the mask of its units, and what it leaves of them. */
  readonly #masks: readonly (Values | undefined)[];
  readonly #kept: readonly (Values | undefined)[];

  /** Without `dropout` no unit is left out. */
  constructor(network: DenseNetwork, features: Matrix, targets: Targets, dtype: DataType, dropout?: Dropout) {
    this.network = network;
    this.rows = features.rows;
    this.chunkRows = Math.min(rowsPerChunk(network), features.rows);
    this.#features = features;
    this.#targets = targets;
    this.#dropout = dropout;
    const buffersOf = (isNeeded: (layer: DenseLayer, index: number) => boolean): (Values | undefined)[] =>
      network.layers.map((layer, index) =>
        isNeeded(layer, index) ? createValues(dtype, this.chunkRows * layer.outputs) : undefined,
      );
    const dropsOut = (_layer: DenseLayer, index: number): boolean => (dropout?.shares[index] ?? 0) > 0;
    this.#gathered = createValues(dtype, this.chunkRows * features.columns);
    this.#outputs = buffersOf(() => true) as Values[];
    this.#deltas = buffersOf(() => true) as Values[];
    this.#inputs = buffersOf(({ activation }) => activation.needsInputs).map(
      (buffer, index) => buffer ?? (this.#outputs[index] as Values),
    );
    this.#masks = buffersOf(dropsOut);
    this.#kept = buffersOf(dropsOut);
  }

  /**
   * Adds the gradient of the summed cost of `count` rows to `gradient`, and returns that cost. Rows are those at
   * order[first …], or first … of the data. `count` is at most `chunkRows`.
   */
  accumulate(
    values: Values,
    order: Int32Array | undefined,
    first: number,
    count: number,
    gradient: Float64Array,
  ): number {
    const { layers, loss } = this.network;
    const last = layers.length - 1;
    const [input, inputOffset] = this.#gather(order, first, count);
    const cost = this.#forward(values, input, inputOffset, order, first, count);
    if (loss.fusesWith === undefined) {
      const { activation, outputs: columns } = layers[last] as DenseLayer;
      const outputs = this.#outputs[last] as Values;
      activation.backward(
        this.#deltas[last] as Values,
        outputs,
        this.#inputs[last] as Values,
        count,
        columns,
      );
    }
    for (let index = last; index >= 0; index--) {
      this.#backward(index, values, input, inputOffset, count, gradient);
    }
    return cost;
  }

  /** The summed cost of `count` rows from `first`; at most `chunkRows`. */
  cost(values: Values, first: number, count: number): number {
    const [input, inputOffset] = this.#gather(undefined, first, count);
    return this.#forward(values, input, inputOffset, undefined, first, count);
  }

  /** Activations of every layer, the delta of the last, and the summed cost. */
  #forward(
    values: Values,
    input: Values,
    inputOffset: number,
    order: Int32Array | undefined,
    first: number,
    rows: number,
  ): number {
    const { layers, loss } = this.network;
    const last = layers.length - 1;
    const isFused = loss.fusesWith !== undefined;
    layers.forEach((layer, index) => {
      const source = index === 0 ? input : this.#passedOn(index - 1);
      layerForward(
        layer,
        values,
        source,
        index === 0 ? inputOffset : 0,
        this.#outputs[index] as Values,
        rows,
      );
      if (index < last || !isFused) this.#activate(index, rows);
      this.#dropOut(index, rows);
    });
    const outputs = this.#outputs[last] as Values;
    const delta = this.#deltas[last] as Values;
    const { outputs: columns } = layers[last] as DenseLayer;
    return loss.evaluate({ outputs, delta, targets: this.#targets, rows, columns, order, first });
  }

  /** What the next layer reads of a layer. */
  #passedOn(index: number): Values {
    return this.#kept[index] ?? (this.#outputs[index] as Values);
  }

  #dropOut(index: number, rows: number): void {
    const mask = this.#masks[index];
    if (mask === undefined || this.#dropout === undefined) return;
    const count = rows * (this.network.layers[index] as DenseLayer).outputs;
    drawMask(mask, count, this.#dropout.shares[index] as number, this.#dropout.random);
    applyMask(this.#kept[index] as Values, this.#outputs[index] as Values, mask, count);
  }

  /** z → a, keeping z where the way back needs it. */
  #activate(index: number, rows: number): void {
    const { activation, outputs: columns } = this.network.layers[index] as DenseLayer;
    const values = this.#outputs[index] as Values;
    if (activation.needsInputs) (this.#inputs[index] as Values).set(values.subarray(0, rows * columns));
    activation.forward(values, rows, columns);
  }

  /** Gradient of one layer, and the delta of the layer before it. */
  #backward(
    index: number,
    values: Values,
    features: Values,
    featuresOffset: number,
    rows: number,
    gradient: Float64Array,
  ): void {
    const { inputs, outputs, weights, bias } = this.network.layers[index] as DenseLayer;
    const delta = this.#deltas[index] as Values;
    const d = rowMajor(delta, 0, outputs);
    const input = index === 0 ? features : this.#passedOn(index - 1);
    const x = transposed(input, index === 0 ? featuresOffset : 0, inputs);
    addProduct(gradient, weights, x, d, inputs, outputs, rows);
    if (bias >= 0) addColumnSums(gradient, bias, delta, rows, outputs);
    if (index === 0) return;
    const before = this.#deltas[index - 1] as Values;
    before.fill(0, 0, rows * inputs);
    addProduct(before, 0, d, transposed(values, weights, outputs), rows, inputs, outputs);
    const mask = this.#masks[index - 1];
    if (mask !== undefined) applyMask(before, before, mask, rows * inputs);
    const { activation } = this.network.layers[index - 1] as DenseLayer;
    const activated = this.#outputs[index - 1] as Values;
    activation.backward(before, activated, this.#inputs[index - 1] as Values, rows, inputs);
  }

  /** The rows side by side: those of the data where they are in order, copied together where they are shuffled. */
  #gather(order: Int32Array | undefined, first: number, count: number): [Values, number] {
    const { data, columns } = this.#features;
    if (order === undefined) return [data, first * columns];
    for (let i = 0; i < count; i++) {
      const from = (order[first + i] as number) * columns;
      const to = i * columns;
      for (let j = 0; j < columns; j++) this.#gathered[to + j] = data[from + j] as number;
    }
    return [this.#gathered, 0];
  }
}
