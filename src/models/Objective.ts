import { addProduct, rowMajor, transposed } from '../kernels/multiply.ts';
import { addColumnSums } from '../kernels/rows.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import type { DenseLayer, DenseNetwork } from './DenseNetwork.ts';
import { layerForward, rowsPerChunk } from './DenseNetwork.ts';
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

  constructor(network: DenseNetwork, features: Matrix, targets: Targets, dtype: DataType) {
    this.network = network;
    this.rows = features.rows;
    this.chunkRows = Math.min(rowsPerChunk(network), features.rows);
    this.#features = features;
    this.#targets = targets;
    this.#gathered = createValues(dtype, this.chunkRows * features.columns);
    this.#outputs = network.layers.map(({ outputs }) => createValues(dtype, this.chunkRows * outputs));
    this.#inputs = network.layers.map(({ outputs, activation }, index) =>
      activation.needsInputs
        ? createValues(dtype, this.chunkRows * outputs)
        : (this.#outputs[index] as Values),
    );
    this.#deltas = network.layers.map(({ outputs }) => createValues(dtype, this.chunkRows * outputs));
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
    const isFused = loss.fusesWith !== undefined;
    const [input, inputOffset] = this.#gather(order, first, count);
    layers.forEach((layer, index) => {
      const source = index === 0 ? input : (this.#outputs[index - 1] as Values);
      const target = this.#outputs[index] as Values;
      layerForward(layer, values, source, index === 0 ? inputOffset : 0, target, count);
      if (index < last || !isFused) this.#activate(index, count);
    });
    const outputs = this.#outputs[last] as Values;
    const delta = this.#deltas[last] as Values;
    const { outputs: columns, activation } = layers[last] as DenseLayer;
    const cost = loss.evaluate({
      outputs,
      delta,
      targets: this.#targets,
      rows: count,
      columns,
      order,
      first,
    });
    if (!isFused) activation.backward(delta, outputs, this.#inputs[last] as Values, count, columns);
    for (let index = last; index >= 0; index--) {
      const source = index === 0 ? input : (this.#outputs[index - 1] as Values);
      this.#backward(index, values, source, index === 0 ? inputOffset : 0, count, gradient);
    }
    return cost;
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
    input: Values,
    inputOffset: number,
    rows: number,
    gradient: Float64Array,
  ): void {
    const { inputs, outputs, weights, bias } = this.network.layers[index] as DenseLayer;
    const delta = this.#deltas[index] as Values;
    const d = rowMajor(delta, 0, outputs);
    addProduct(gradient, weights, transposed(input, inputOffset, inputs), d, inputs, outputs, rows);
    if (bias >= 0) addColumnSums(gradient, bias, delta, rows, outputs);
    if (index === 0) return;
    const before = this.#deltas[index - 1] as Values;
    before.fill(0, 0, rows * inputs);
    addProduct(before, 0, d, transposed(values, weights, outputs), rows, inputs, outputs);
    const { activation } = this.network.layers[index - 1] as DenseLayer;
    activation.backward(before, input, this.#inputs[index - 1] as Values, rows, inputs);
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
