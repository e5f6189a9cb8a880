import type { Values } from '../../parameters/values.ts';
import type { KernelRule, TrainingSession } from '../TrainingSession.ts';
import type { FlatRange, StepState, Stretch } from './stepRecords.ts';
import { ruleFields, stepNumbers, stretchesOf } from './stepRecords.ts';
import { ruleStruct, trainingStruct } from './structs.ts';
import type { WasmNetwork } from './WasmNetwork.ts';
import type { WasmPass } from './WasmPass.ts';

/** What the steps of a training are. */
export interface WasmStepPlan {
  /** The model's parameters: read at the start, written by `sync`. */
  readonly values: Values;
  readonly state: StepState;
  /** A built-in rule, or a function that makes the step in JavaScript: it changes `values` by `gradient`. */
  readonly rule: KernelRule | ((gradient: Float64Array<ArrayBuffer>) => void);
  /** The learning rate of a step, given how many were made before it. */
  readonly rate: (steps: number) => number;
  readonly clipping: { readonly norm: number } | { readonly value: number } | undefined;
  /** What is not frozen; everything unless given. */
  readonly trainable: readonly FlatRange[] | undefined;
  readonly penalty: { readonly l1: number; readonly l2: number };
  /** Where the gradient of the last pass is kept, if it is. */
  readonly savedGradient: Float64Array<ArrayBuffer> | undefined;
}

/** A training by the kernels in WebAssembly. */
export class WasmTraining implements TrainingSession {
  readonly chunkRows: number;
  readonly #network: WasmNetwork;
  readonly #pass: WasmPass;
  readonly #plan: WasmStepPlan;
  readonly #rule: KernelRule | undefined;
  readonly #ruleAddress: number;
  readonly #stretches: readonly Stretch[];
  /** Whether a batch in one chunk is one call. */
  readonly #isOneCall: boolean;
  /** For a rule in JavaScript. */
  readonly #gradient: Float64Array<ArrayBuffer> | undefined;
  /** Steps so far; those of the state are of the moment of its slots. */
  #steps: number;
  #sum = 0;
  #batchRows = 0;

  /** `ruleAddress` is room for the record of the rule. */
  constructor(network: WasmNetwork, pass: WasmPass, plan: WasmStepPlan) {
    this.chunkRows = network.chunkRows;
    this.#network = network;
    this.#pass = pass;
    this.#plan = plan;
    this.#rule = typeof plan.rule === 'function' ? undefined : plan.rule;
    this.#gradient = this.#rule === undefined ? new Float64Array(plan.values.length) : undefined;
    this.#ruleAddress = network.ruleAddress;
    this.#steps = plan.state.steps;
    this.#stretches = stretchesOf(network.shape.segments, plan.trainable, network.shape.length);
    const { clipping, trainable, savedGradient } = plan;
    this.#isOneCall =
      pass.isWhole &&
      this.#rule !== undefined &&
      clipping === undefined &&
      trainable === undefined &&
      savedGradient === undefined;
    network.load(plan.values);
    plan.state.slots.forEach((slot, index) => {
      if (this.#rule !== undefined) network.load(slot, network.extraAddress(index + 1));
    });
    const { l1, l2 } = plan.penalty;
    network.writeRecord(network.training, trainingStruct, { rule: this.#ruleAddress, l1, l2 });
    if (this.#rule !== undefined) this.#writeRule(this.#rule);
  }

  begin(order: Int32Array | undefined): void {
    this.#network.setOrder(order);
    const { savedGradient } = this.#plan;
    if (savedGradient === undefined) return;
    this.#network.viewOfDoubles(this.#network.savedAddress, this.#network.shape.length).fill(0);
  }

  add(first: number, count: number): void {
    this.#sum = this.#pass.accumulate(first, count, this.#batchRows === 0, this.#sum);
    this.#batchRows += count;
  }

  complete(first: number, count: number): number {
    const network = this.#network;
    if (this.#isOneCall && this.#batchRows === 0) {
      this.#prepareStep();
      const start = network.stage(first, count, false);
      return network.code.trainBatch(network.training, start, count);
    }
    this.add(first, count);
    const rows = this.#batchRows;
    const cost = network.code.finishMean(network.training, this.#sum, rows);
    this.#sum = 0;
    this.#batchRows = 0;
    this.#save(rows);
    if (this.#gradient === undefined) this.#step();
    else this.#stepInJavaScript(this.#gradient);
    return cost;
  }

  sync(): void {
    const network = this.#network;
    const { values, state, savedGradient } = this.#plan;
    network.unload(values);
    if (this.#rule !== undefined) {
      state.steps = this.#steps;
      state.slots.forEach((slot, index) => {
        network.unload(slot, network.extraAddress(index + 1));
      });
    }
    if (savedGradient === undefined) return;
    network.unloadDoubles(savedGradient, network.savedAddress);
  }

  release(): void {
    this.#network.release();
  }

  #writeRule(rule: KernelRule): void {
    this.#network.writeRecord(this.#ruleAddress, ruleStruct, ruleFields(rule));
  }

  /** Counts the step and writes what changes from one to the next. */
  #prepareStep(): void {
    const rule = this.#rule as KernelRule;
    const rate = this.#plan.rate(this.#steps);
    this.#steps++;
    this.#network.writeStep(this.#ruleAddress, stepNumbers(rule, rate, this.#steps));
  }

  /** Before the step, which clips the gradient in place: what is saved is the gradient of the cost. */
  #save(rows: number): void {
    if (this.#plan.savedGradient === undefined) return;
    const network = this.#network;
    const { savedAddress, shape } = network;
    network.code.addShare(savedAddress, network.extraAddress(0), shape.length, rows / network.rows);
  }

  #step(): void {
    const network = this.#network;
    const { bytesPerNumber } = network.shape;
    const { state } = this.#plan;
    this.#prepareStep();
    this.#clip();
    for (const { start, length } of this.#stretches) {
      const at = start * bytesPerNumber;
      const [first, second] = state.slots.map((_, index) => network.extraAddress(index + 1) + at);
      network.code.takeStep(
        this.#ruleAddress,
        network.valuesAddress + at,
        network.extraAddress(0) + at,
        first ?? 0,
        second ?? 0,
        length,
      );
    }
  }

  #clip(): void {
    const { clipping } = this.#plan;
    if (clipping === undefined) return;
    const network = this.#network;
    const { code } = network;
    const gradient = network.extraAddress(0);
    const pieces = this.#stretches.map(({ start, length }) => ({
      at: gradient + start * network.shape.bytesPerNumber,
      length,
    }));
    if ('value' in clipping) {
      for (const { at, length } of pieces) code.clipValues(at, length, clipping.value);
      return;
    }
    const largest = Math.max(...pieces.map(({ at, length }) => code.measure(at, length, 0)));
    if (!(largest > 0)) return;
    const squares = pieces.map(({ at, length }) => code.measure(at, length, largest));
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    if (!(largest * norm > clipping.norm)) return;
    // By the largest number first: the norm itself may be too large for a float.
    for (const { at, length } of pieces) code.rescale(at, length, largest, clipping.norm / norm);
  }

  #stepInJavaScript(gradient: Float64Array<ArrayBuffer>): void {
    const network = this.#network;
    network.unload(this.#plan.values);
    network.unload(gradient, network.extraAddress(0));
    (this.#plan.rule as (gradient: Float64Array<ArrayBuffer>) => void)(gradient);
    network.load(this.#plan.values);
  }
}
