import type { Values } from '../../parameters/values.ts';
import { createValues } from '../../parameters/values.ts';
import type { PlannedData } from '../NetworkPlan.ts';
import type { Block } from './arena.ts';
import { allocateBlock } from './arena.ts';
import type { WasmBuild } from './compile.ts';
import type { NetworkShape, ShapedLayer } from './networkShape.ts';
import { padInto, unpadInto } from './networkShape.ts';
import { Reservation } from './Reservation.ts';
import type { StepNumbers } from './stepRecords.ts';
import type { Struct } from './structs.ts';
import {
  layerStruct,
  networkStruct,
  regressionStruct,
  targetsStruct,
  trainingStruct,
  writeStruct,
} from './structs.ts';
import type { TypedCode } from './typedCode.ts';
import { typedCode } from './typedCode.ts';
import type { LayerPlaces, WorkspaceNeeds, WorkspacePlaces } from './workspacePlaces.ts';
import { isResident, labelColumns, reservePlaces } from './workspacePlaces.ts';

/**
 * A network with its data in the memory of the kernels: parameters, activations, deltas and gradient have their place
 * once, and no call copies any of them.
 */
export class WasmNetwork {
  readonly shape: NetworkShape;
  readonly chunkRows: number;
  readonly rows: number;
  readonly code: TypedCode;
  /** Address of the record that the kernels take. */
  readonly training: number;
  readonly network: number;
  readonly #block: Block;
  readonly #places: WorkspacePlaces;
  readonly #data: PlannedData;
  readonly #isResident: boolean;
  #order: Int32Array | undefined;

  private constructor(shape: NetworkShape, needs: WorkspaceNeeds, block: Block, places: WorkspacePlaces) {
    this.shape = shape;
    this.chunkRows = needs.chunkRows;
    this.rows = needs.data.features.rows;
    this.code = typedCode(block.memory, shape.dtype);
    this.#block = block;
    this.#places = places;
    this.#data = needs.data;
    this.#isResident = isResident(shape, needs);
    this.training = block.address + places.training;
    this.network = block.address + places.network;
    this.#writeRecords(needs);
  }

  /** Undefined where there is no room for it. */
  static create(build: WasmBuild, shape: NetworkShape, needs: WorkspaceNeeds): WasmNetwork | undefined {
    const reservation = new Reservation();
    const places = reservePlaces(reservation, shape, needs);
    const block = allocateBlock(build, reservation.bytes, places.features);
    return block && WasmNetwork.#filled(shape, needs, block, places);
  }

  /**
   * The same network for each of several threads, at places that `reserveForThreads` gave in a block of a memory that
   * they share. Parameters and order are written through the first, but `setOrder` is for all.
   */
  static createForThreads(
    shape: NetworkShape,
    needs: WorkspaceNeeds,
    block: Block,
    places: readonly WorkspacePlaces[],
  ): WasmNetwork[] {
    return places.map((own, index) =>
      index === 0 ? WasmNetwork.#filled(shape, needs, block, own) : new WasmNetwork(shape, needs, block, own),
    );
  }

  static #filled(
    shape: NetworkShape,
    needs: WorkspaceNeeds,
    block: Block,
    places: WorkspacePlaces,
  ): WasmNetwork {
    const network = new WasmNetwork(shape, needs, block, places);
    if (network.#isResident) network.#copyRows(0, network.rows, undefined);
    return network;
  }

  /** The address of the values, and of the extra arrays behind them. */
  get valuesAddress(): number {
    return this.#block.address + this.#places.values;
  }

  extraAddress(index: number): number {
    return this.#block.address + (this.#places.extras[index] as number);
  }

  get savedAddress(): number {
    return this.#block.address + this.#places.saved;
  }

  /** Numbers from an address. */
  view(address: number, length: number): Values {
    return this.#block.memory.view(address, length, this.shape.dtype);
  }

  viewOfDoubles(address: number, length: number): Float64Array<ArrayBuffer> {
    return this.#block.memory.view(address, length, 'float64');
  }

  /** Takes parameters in. */
  load(values: ArrayLike<number>, address: number = this.valuesAddress): void {
    padInto(this.view(address, this.shape.length), values, this.shape.segments);
  }

  /** Room for the record of an update rule. */
  get ruleAddress(): number {
    return this.#block.address + this.#places.rule;
  }

  /** What the summed cost of the kernels is divided by to be a mean over outputs. */
  get costDivisor(): number {
    return this.shape.plan.loss.name === 'crossEntropy' ? 1 : lastOf(this.shape).outputs;
  }

  /** Gives an array of the workspace out, in the order of the flat array. */
  unload(target: Values, address: number = this.valuesAddress): void {
    unpadInto(target, this.view(address, this.shape.length), this.shape.segments);
  }

  /** The same for an array of double precision. */
  unloadDoubles(target: Float64Array<ArrayBuffer>, address: number): void {
    unpadInto(target, this.viewOfDoubles(address, this.shape.length), this.shape.segments);
  }

  /** The order of the rows from now on: as they come, unless given. */
  setOrder(order: Int32Array | undefined): void {
    this.#order = order;
    if (!this.#isResident) return;
    const address = order === undefined ? 0 : this.#block.address + this.#places.order;
    if (order !== undefined) this.#block.memory.integers.set(order, address >> 2);
    writeStruct(this.#block.memory, trainingStruct, this.training, { order: address });
  }

  /**
   * Brings rows into reach, in the order that was set or as they come; returns what the kernels have to take as the
   * first of them.
   */
  stage(first: number, count: number, inOrder: boolean): number {
    if (this.#isResident) return first;
    this.#copyRows(first, count, inOrder ? undefined : this.#order);
    return 0;
  }

  /** The address of `order` for the kernels that are called layer by layer. */
  get orderAddress(): number {
    return this.#order === undefined || !this.#isResident ? 0 : this.#block.address + this.#places.order;
  }

  /** A layer's buffer, rows × stride. */
  layerView(index: number, buffer: keyof LayerPlaces, rows: number): Values {
    const places = this.#places.buffers[index] as LayerPlaces;
    const { stride } = this.shape.layers[index] as ShapedLayer;
    return this.view(this.#block.address + places[buffer], rows * stride);
  }

  /** Changes numbers in a record. */
  writeRecord(address: number, struct: Struct, fields: Record<string, number>): void {
    writeStruct(this.#block.memory, struct, address, fields);
  }

  /** The numbers of a rule that change from step to step, which is on the way of every batch. */
  writeStep(address: number, step: StepNumbers): void {
    const { doubles } = this.#block.memory;
    const at = (address + 8) >> 3;
    doubles[at] = step.rate;
    doubles[at + 4] = step.firstCorrection;
    doubles[at + 5] = step.secondCorrection;
    doubles[at + 6] = step.weightDecay;
  }

  /** Gives the memory back. Nothing may be called after it. */
  release(): void {
    this.#block.release();
  }

  #writeRecords(needs: WorkspaceNeeds): void {
    const { memory, address } = this.#block;
    const { shape } = this;
    const places = this.#places;
    const at = (place: number): number => address + place;
    writeStruct(memory, targetsStruct, at(places.targets), {
      values: at(places.labels),
      columns: labelColumns(shape, needs.data),
    });
    shape.layers.forEach((layer, index) => {
      writeStruct(memory, layerStruct, at(places.layers) + index * layerStruct.bytes, {
        inputs: layer.inputs,
        outputs: layer.outputs,
        stride: layer.stride,
        activation: Math.max(0, layer.code),
        ...this.#tensorsOf(layer),
        ...this.#buffersOf(index),
      });
    });
    const { description } = shape.plan.loss;
    writeStruct(memory, networkStruct, at(places.network), {
      layers: at(places.layers),
      layerCount: shape.layers.length,
      loss: shape.lossCode,
      lossBound: typeof description === 'object' ? description.delta : 1,
      isFused: shape.isFused ? 1 : 0,
      features: at(places.features),
      featureStride: shape.featureStride,
      gathered: at(places.gathered),
      zeros: at(places.zeros),
      targets: at(places.targets),
    });
    this.#writeTraining();
  }

  #writeTraining(): void {
    const { memory, address } = this.#block;
    const { shape } = this;
    const places = this.#places;
    const at = (place: number): number => address + place;
    const [first] = shape.layers as [ShapedLayer];
    const gradient = places.extras.length > 0 ? this.extraAddress(0) : 0;
    if (shape.isRegression) {
      const biasAt = (first.biasSegment?.place ?? 0) * shape.bytesPerNumber;
      writeStruct(memory, regressionStruct, at(places.regression), {
        loss: shape.lossCode,
        stride: shape.featureStride,
        weights: this.valuesAddress,
        bias: first.biasSegment === undefined ? 0 : this.valuesAddress + biasAt,
        gradient,
        biasGradient: first.biasSegment === undefined || gradient === 0 ? 0 : gradient + biasAt,
        scores: at(places.scores),
        wanted: at(places.scores) + 1024,
        targets: at(places.targets),
      });
    }
    shape.layers.forEach(({ weightSegment: { place, rows, stride } }, index) => {
      const entry = (at(places.runs) >> 2) + 2 * index;
      memory.integers[entry] = place;
      memory.integers[entry + 1] = rows * stride;
    });
    writeStruct(memory, trainingStruct, this.training, {
      network: this.network,
      regression: shape.isRegression ? at(places.regression) : 0,
      order: 0,
      values: this.valuesAddress,
      gradient,
      firstSlot: places.extras.length > 1 ? this.extraAddress(1) : 0,
      secondSlot: places.extras.length > 2 ? this.extraAddress(2) : 0,
      length: shape.length,
      weightRuns: at(places.runs),
      weightRunCount: shape.layers.length,
      costDivisor: this.costDivisor,
    });
  }

  #tensorsOf({ weightSegment, biasSegment }: ShapedLayer): Record<string, number> {
    const bytes = this.shape.bytesPerNumber;
    const gradient = this.#places.extras.length > 0 ? this.extraAddress(0) : 0;
    const biasAt = (biasSegment?.place ?? 0) * bytes;
    return {
      weights: this.valuesAddress + weightSegment.place * bytes,
      bias:
        biasSegment === undefined ? this.#block.address + this.#places.zeros : this.valuesAddress + biasAt,
      weightGradient: gradient + weightSegment.place * bytes,
      biasGradient: biasSegment === undefined ? 0 : gradient + biasAt,
    };
  }

  #buffersOf(index: number): Record<keyof LayerPlaces, number> {
    const { address } = this.#block;
    const places = this.#places.buffers[index] as LayerPlaces;
    return {
      values: address + places.values,
      preactivations: address + places.preactivations,
      deltas: address + places.deltas,
      kept: address + places.kept,
      mask: places.mask < 0 ? 0 : address + places.mask,
    };
  }

  /** Copies features and labels into the workspace, from its beginning. */
  #copyRows(first: number, count: number, order: Int32Array | undefined): void {
    const { features } = this.#data;
    const { featureStride } = this.shape;
    const target = this.view(this.#block.address + this.#places.features, count * featureStride);
    const { columns, data } = features;
    if (order === undefined && featureStride === columns) {
      target.set(data.subarray(first * columns, (first + count) * columns));
    } else {
      for (let i = 0; i < count; i++) {
        const from = (order === undefined ? first + i : (order[first + i] as number)) * columns;
        const to = i * featureStride;
        for (let j = 0; j < columns; j++) target[to + j] = data[from + j] as number;
        for (let j = columns; j < featureStride; j++) target[to + j] = 0;
      }
    }
    this.#copyLabels(first, count, order);
  }

  #copyLabels(first: number, count: number, order: Int32Array | undefined): void {
    const { targets } = this.#data;
    const labels = this.#block.address + this.#places.labels;
    const rowOf = (i: number): number => order?.[first + i] ?? first + i;
    if (targets.kind === 'classes') {
      const { integers } = this.#block.memory;
      const indices = this.shape.isRegression ? this.view(labels, count) : integers.subarray(labels >> 2);
      for (let i = 0; i < count; i++) indices[i] = targets.indices[rowOf(i)] as number;
      return;
    }
    const numbers = this.view(labels, count * targets.columns);
    for (let i = 0; i < count; i++) {
      const from = rowOf(i) * targets.columns;
      for (let j = 0; j < targets.columns; j++) {
        numbers[i * targets.columns + j] = targets.values[from + j] as number;
      }
    }
  }
}

function lastOf(shape: NetworkShape): ShapedLayer {
  return shape.layers[shape.layers.length - 1] as ShapedLayer;
}

/** An ordinary array for rows of a layer without padding. */
export function createRows(shape: NetworkShape, index: number, rows: number): Values {
  return createValues(shape.dtype, rows * (shape.layers[index] as ShapedLayer).outputs);
}
