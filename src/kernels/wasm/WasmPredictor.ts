import type { Values } from '../../parameters/values.ts';
import { createValues } from '../../parameters/values.ts';
import type { Block } from './arena.ts';
import { allocateBlock } from './arena.ts';
import type { WasmBuild } from './compile.ts';
import type { KernelMemory } from './KernelMemory.ts';
import type { NetworkShape, ShapedLayer } from './networkShape.ts';
import { padInto } from './networkShape.ts';
import { Reservation } from './Reservation.ts';
import { gather, scatter } from './stridedRows.ts';
import { layerStruct, networkStruct, writeStruct } from './structs.ts';
import type { TypedCode } from './typedCode.ts';
import { typedCode } from './typedCode.ts';

/** Rows of a chunk where only few were asked for, so that a model that is asked row by row takes little room. */
const fewRows = 4;
/** Below this many numbers a loop is faster than making two views and copying between them. */
const loopNumbersMax = 128;

/** Offsets in the block. */
interface Places {
  readonly network: number;
  readonly layers: number;
  readonly zeros: number;
  readonly values: number;
  /** What is before it has to be 0 at first. */
  readonly features: number;
  /** Activations of each layer, chunkRows × stride. */
  readonly buffers: readonly number[];
}

/** A network in the memory of the kernels, ready to predict: its parameters, and buffers for a chunk of rows. */
export class WasmPredictor {
  readonly chunkRows: number;
  readonly bytes: number;
  readonly build: WasmBuild;
  /** When it was used last, in uses of all predictors; kept by who bounds their number. */
  lastUse = 0;
  #isBusy = false;
  #isReleased = false;
  readonly #shape: NetworkShape;
  readonly #memory: KernelMemory;
  readonly #block: Block;
  readonly #places: Places;
  readonly #code: TypedCode;
  readonly #network: number;
  readonly #features: number;
  /** The same address, and that of the last activations, as indices of numbers. */
  readonly #featuresAt: number;
  readonly #outputsAt: number;
  readonly #last: ShapedLayer;
  /** Whether one call does the whole way. */
  readonly #isWhole: boolean;

  private constructor(
    build: WasmBuild,
    shape: NetworkShape,
    chunkRows: number,
    block: Block,
    places: Places,
  ) {
    this.build = build;
    this.chunkRows = chunkRows;
    this.bytes = bytesOf(shape, chunkRows);
    this.#shape = shape;
    this.#memory = block.memory;
    this.#block = block;
    this.#places = places;
    this.#code = typedCode(block.memory, shape.dtype);
    this.#network = block.address + places.network;
    this.#features = block.address + places.features;
    this.#featuresAt = this.#features / shape.bytesPerNumber;
    const outputs = block.address + (places.buffers[places.buffers.length - 1] as number);
    this.#outputsAt = outputs / shape.bytesPerNumber;
    this.#last = shape.layers[shape.layers.length - 1] as ShapedLayer;
    this.#isWhole = shape.layers.every(({ code }) => code >= 0);
    this.#writeRecords();
  }

  /** Undefined where there is no room for it. Small ones live in `shared`. */
  static create(
    build: WasmBuild,
    shape: NetworkShape,
    rows: number,
    shared: KernelMemory,
  ): WasmPredictor | undefined {
    const chunkRows = chunkRowsFor(shape, rows);
    const reservation = new Reservation();
    const places = reserve(reservation, shape, chunkRows);
    const block = allocateBlock(build, reservation.bytes, places.features, shared);
    return block && new WasmPredictor(build, shape, chunkRows, block, places);
  }

  /** Whether it is in the middle of a prediction: an activation in JavaScript may ask for another one. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whether it still has its memory, and is made for these kernels and so many rows. */
  suits(build: WasmBuild, rows: number): boolean {
    return !this.#isReleased && this.build === build && (rows <= this.chunkRows || this.chunkRows > fewRows);
  }

  /** Takes parameters in. */
  load(values: Values): void {
    const { length, dtype, segments } = this.#shape;
    padInto(this.#memory.view(this.#block.address + this.#places.values, length, dtype), values, segments);
  }

  /**
   * Writes the last layer's activations, rows × outputs, of features, rows × inputs. False where a feature is not
   * finite; what is in `target` then is of no use.
   */
  predict(features: Values, rows: number, target: Values): boolean {
    this.#isBusy = true;
    try {
      for (let first = 0; first < rows; first += this.chunkRows) {
        const count = Math.min(this.chunkRows, rows - first);
        this.#put(features, first, count);
        const isGood = this.#isWhole
          ? this.#code.predict(this.#network, this.#features, count) !== 0
          : this.#predictByLayers(count);
        if (!isGood) return false;
        this.#take(target, first, count);
      }
    } finally {
      this.#isBusy = false;
    }
    return true;
  }

  /** Gives the memory back. Nothing may be called after it. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#block.release();
  }

  #put(features: Values, first: number, count: number): void {
    const columns = this.#shape.featureStride;
    const length = count * columns;
    const from = first * columns;
    const numbers = this.#numbers;
    const at = this.#featuresAt;
    if (length > loopNumbersMax) numbers.set(features.subarray(from, from + length), at);
    else for (let i = 0; i < length; i++) numbers[at + i] = features[from + i] as number;
    // Up to the end of a vector.
    for (let i = length; i % 4 !== 0; i++) numbers[at + i] = 0;
  }

  #take(target: Values, first: number, count: number): void {
    const { outputs, stride } = this.#last;
    const numbers = this.#numbers;
    const at = this.#outputsAt;
    let to = first * outputs;
    if (stride === outputs && count * outputs > loopNumbersMax) {
      target.set(numbers.subarray(at, at + count * outputs), to);
      return;
    }
    for (let row = at, end = at + count * stride; row < end; row += stride) {
      for (let j = 0; j < outputs; j++) target[to++] = numbers[row + j] as number;
    }
  }

  /** The whole memory. Good until the next allocation. */
  get #numbers(): Values {
    return this.#shape.bytesPerNumber === 4 ? this.#memory.floats : this.#memory.doubles;
  }

  /** Where an activation is written in JavaScript: on an ordinary array, since the code is not ours. */
  #predictByLayers(rows: number): boolean {
    if (this.#code.areRowsFinite(this.#network, this.#features, rows) === 0) return false;
    this.#shape.layers.forEach(({ code, activation, outputs, stride }, index) => {
      this.#code.forwardLayer(this.#network, index, this.#features, rows);
      if (code >= 0) {
        this.#code.activateLayer(this.#network, index, rows);
        return;
      }
      const values = createValues(this.#shape.dtype, rows * outputs);
      gather(values, this.#layerView(index, rows), rows, outputs, stride);
      activation.forward(values, rows, outputs);
      // A new view: the memory may have grown meanwhile.
      scatter(this.#layerView(index, rows), values, rows, outputs, stride);
    });
    return true;
  }

  #layerView(index: number, rows: number): Values {
    const address = this.#block.address + (this.#places.buffers[index] as number);
    const { stride } = this.#shape.layers[index] as ShapedLayer;
    return this.#memory.view(address, rows * stride, this.#shape.dtype);
  }

  #writeRecords(): void {
    const { address } = this.#block;
    const { shape, places } = { shape: this.#shape, places: this.#places };
    const valuesAt = (place: number): number => address + places.values + place * shape.bytesPerNumber;
    shape.layers.forEach((layer, index) => {
      const { inputs, outputs, stride, code, weightSegment, biasSegment } = layer;
      const buffer = address + (places.buffers[index] as number);
      writeStruct(this.#memory, layerStruct, address + places.layers + index * layerStruct.bytes, {
        inputs,
        outputs,
        stride,
        activation: Math.max(0, code),
        weights: valuesAt(weightSegment.place),
        bias: biasSegment === undefined ? address + places.zeros : valuesAt(biasSegment.place),
        values: buffer,
        preactivations: buffer,
        kept: buffer,
      });
    });
    writeStruct(this.#memory, networkStruct, this.#network, {
      layers: address + places.layers,
      layerCount: shape.layers.length,
      featureStride: shape.featureStride,
    });
  }
}

/** Bytes that a predictor for so many rows at once takes. */
export function predictorBytes(shape: NetworkShape, rows: number): number {
  return bytesOf(shape, chunkRowsFor(shape, rows));
}

function bytesOf(shape: NetworkShape, chunkRows: number): number {
  const reservation = new Reservation();
  reserve(reservation, shape, chunkRows);
  return reservation.bytes;
}

/** As many rows as have room in the nearer caches; the sums do not depend on it. */
function chunkRowsFor({ featureStride, layers, bytesPerNumber }: NetworkShape, rows: number): number {
  if (rows <= fewRows) return fewRows;
  const numbers = layers.reduce((sum, { stride }) => sum + stride, featureStride);
  return Math.min(256, Math.max(32, 4 * Math.floor(2 ** 14 / (numbers * bytesPerNumber))));
}

function reserve(reservation: Reservation, shape: NetworkShape, chunkRows: number): Places {
  const { bytesPerNumber, layers, length, featureStride } = shape;
  const numbers = (count: number): number => reservation.add(count * bytesPerNumber);
  return {
    network: reservation.add(networkStruct.bytes),
    layers: reservation.add(layerStruct.bytes * layers.length),
    zeros: numbers(Math.max(...layers.map(({ stride }) => stride))),
    values: numbers(length),
    features: numbers(chunkRows * featureStride),
    buffers: layers.map(({ stride }) => numbers(chunkRows * stride)),
  };
}
