import type { Values } from '../../parameters/values.ts';
import type { KernelRule } from '../TrainingSession.ts';
import type { KernelMemory } from './KernelMemory.ts';
import type { NetworkShape } from './networkShape.ts';
import { Reservation } from './Reservation.ts';
import type { FlatRange, StepState, Stretch } from './stepRecords.ts';
import { ruleFields, stepNumbers, stretchesOf } from './stepRecords.ts';
import type { Struct } from './structs.ts';
import {
  meetingStruct,
  memberStruct,
  ruleStruct,
  slipBytes,
  teamStruct,
  trainingStruct,
  writeStruct,
} from './structs.ts';
import { WasmNetwork } from './WasmNetwork.ts';
import type { WorkspaceNeeds } from './workspacePlaces.ts';
import { isResident, reserveForThreads } from './workspacePlaces.ts';

/** What a training by several threads does. */
export interface SharedPlan {
  readonly shape: NetworkShape;
  readonly data: WorkspaceNeeds['data'];
  readonly batchSize: number;
  readonly threads: number;
  /** The model's parameters: read at the start, written by `sync`. */
  readonly values: Values;
  readonly state: StepState;
  readonly rule: KernelRule;
  /** The learning rate of the step before which so many were made. */
  readonly rateAt: (stepsBefore: number) => number;
  readonly clipping: { readonly norm: number } | { readonly value: number } | undefined;
  /** What is not frozen; everything unless given. */
  readonly trainable: readonly FlatRange[] | undefined;
  readonly penalty: { readonly l1: number; readonly l2: number };
  readonly savedGradient: Float64Array<ArrayBuffer> | undefined;
}

/** Most rows that a thread works through at once. */
const chunkRowsMax = 256;
/** A cache line in bytes: no two threads write into the same. */
const lineBytes = 64;

/** Offsets of what the threads have besides their networks. */
interface TeamPlaces {
  readonly team: number;
  readonly meeting: number;
  readonly gradients: number;
  readonly slips: number;
  readonly steps: number;
  readonly members: readonly number[];
  readonly runs: readonly number[];
  readonly pieces: readonly number[];
}

/**
 * A training laid out for several threads in a memory that they share: what they work on, and the records that
 * assembly/threads.ts takes. It runs nothing itself. Between two passes it belongs to the thread that made it, during
 * a pass to the others.
 */
export class SharedTraining {
  /** Address of each thread's record, which its `runPass` takes. */
  readonly members: readonly number[];
  readonly #memory: KernelMemory;
  readonly #plan: SharedPlan;
  readonly #networks: readonly WasmNetwork[];
  readonly #places: TeamPlaces;
  readonly #address: number;
  #stepsBefore: number;

  private constructor(
    memory: KernelMemory,
    plan: SharedPlan,
    networks: readonly WasmNetwork[],
    places: TeamPlaces,
    address: number,
  ) {
    this.#memory = memory;
    this.#plan = plan;
    this.#networks = networks;
    this.#places = places;
    this.#address = address;
    this.#stepsBefore = plan.state.steps;
    this.members = places.members.map((place) => address + place);
    const network = this.#first;
    network.load(plan.values);
    plan.state.slots.forEach((slot, index) => {
      network.load(slot, network.extraAddress(index + 1));
    });
    this.#writeTeam();
    networks.forEach((_, index) => {
      this.#writeMember(index);
    });
  }

  /** Undefined where there is no room for it. */
  static create(memory: KernelMemory, plan: SharedPlan): SharedTraining | undefined {
    const needs = needsOf(plan);
    if (!isResident(plan.shape, needs)) return undefined;
    const reservation = new Reservation();
    const places = reserveTeam(reservation, plan);
    const own = reserveForThreads(reservation, plan.shape, needs, plan.threads);
    const address = memory.allocate(reservation.bytes, own[0]?.features);
    if (address === undefined) return undefined;
    const block = { memory, address, release: () => memory.free(address) };
    const networks = WasmNetwork.createForThreads(plan.shape, needs, block, own);
    return new SharedTraining(memory, plan, networks, places, address);
  }

  /** Makes a pass over the rows ready: those of `order`, or as they come. */
  begin(order: Int32Array | undefined): void {
    for (const network of this.#networks) network.setOrder(order);
    const { savedGradient, batchSize, rule, rateAt } = this.#plan;
    const network = this.#first;
    if (savedGradient !== undefined) {
      network.viewOfDoubles(network.savedAddress, network.shape.length).fill(0);
    }
    const batches = Math.ceil(network.rows / batchSize);
    const steps = network.viewOfDoubles(this.#address + this.#places.steps, 4 * batches);
    for (let batch = 0; batch < batches; batch++) {
      const before = this.#stepsBefore + batch;
      const numbers = stepNumbers(rule, rateAt(before), before + 1);
      steps[4 * batch] = numbers.rate;
      steps[4 * batch + 1] = numbers.firstCorrection;
      steps[4 * batch + 2] = numbers.secondCorrection;
      steps[4 * batch + 3] = numbers.weightDecay;
    }
    writeStruct(this.#memory, teamStruct, this.#team, { stop: 0, stepsMade: 0 });
  }

  /** Lets the pass under way end before the step of its next batch. */
  stop(): void {
    const place = (this.#team + offsetOf(teamStruct, 'stop')) >> 2;
    Atomics.store(this.#memory.integers, place, 1);
  }

  /** Takes the steps of a pass that has ended into account. */
  end(): void {
    const place = (this.#team + offsetOf(teamStruct, 'stepsMade')) >> 2;
    this.#stepsBefore += this.#memory.integers[place] as number;
  }

  /** The row-weighted mean of the costs of the last pass's batches; the cost that ended it where that is not finite. */
  get cost(): number {
    return this.#memory.doubles[(this.#team + offsetOf(teamStruct, 'cost')) >> 3] as number;
  }

  /** Writes parameters, optimizer state and saved gradient into the arrays of the model. */
  sync(): void {
    const { values, state, savedGradient } = this.#plan;
    const network = this.#first;
    network.unload(values);
    state.steps = this.#stepsBefore;
    state.slots.forEach((slot, index) => {
      network.unload(slot, network.extraAddress(index + 1));
    });
    if (savedGradient !== undefined) network.unloadDoubles(savedGradient, network.savedAddress);
  }

  /** Gives the memory back. Nothing may be called after it, and no thread may be at work. */
  release(): void {
    this.#first.release();
  }

  get #first(): WasmNetwork {
    return this.#networks[0] as WasmNetwork;
  }

  get #team(): number {
    return this.#address + this.#places.team;
  }

  #writeTeam(): void {
    const { threads, batchSize, clipping, savedGradient } = this.#plan;
    const network = this.#first;
    const at = (place: number): number => this.#address + place;
    writeStruct(this.#memory, teamStruct, this.#team, {
      threads,
      rows: network.rows,
      batchSize,
      chunkRows: network.chunkRows,
      meeting: at(this.#places.meeting),
      gradients: at(this.#places.gradients),
      slips: at(this.#places.slips),
      steps: at(this.#places.steps),
      saved: savedGradient === undefined ? 0 : network.savedAddress,
      normMax: clipping !== undefined && 'norm' in clipping ? clipping.norm : 0,
      valueMax: clipping !== undefined && 'value' in clipping ? clipping.value : 0,
    });
    const addresses = at(this.#places.gradients) >> 2;
    this.#networks.forEach((own, index) => {
      this.#memory.integers[addresses + index] = own.extraAddress(0);
    });
  }

  #writeMember(index: number): void {
    const { shape, threads, rule, trainable, penalty } = this.#plan;
    const network = this.#networks[index] as WasmNetwork;
    const stretch = stretchOfThread(shape, index, threads);
    const weights = shape.layers.map(({ weightSegment: { place, rows, stride } }) => ({
      start: place,
      length: rows * stride,
    }));
    const runs = this.#address + (this.#places.runs[index] as number);
    const pieces = this.#address + (this.#places.pieces[index] as number);
    const pieceCount = this.#writePairs(
      pieces,
      stretchesOf(shape.segments, trainable, shape.length),
      stretch,
    );
    writeStruct(this.#memory, memberStruct, this.members[index] as number, {
      team: this.#team,
      training: network.training,
      index,
      ...stretch,
      pieces,
      pieceCount,
    });
    network.writeRecord(network.ruleAddress, ruleStruct, ruleFields(rule));
    network.writeRecord(network.training, trainingStruct, {
      rule: network.ruleAddress,
      weightRuns: runs,
      weightRunCount: this.#writePairs(runs, weights, stretch),
      l1: penalty.l1,
      l2: penalty.l2,
    });
  }

  /** Writes what of some pieces is in a stretch; returns how many there are. */
  #writePairs(address: number, pieces: readonly Stretch[], stretch: Stretch): number {
    const common = pieces.flatMap(({ start, length }) => {
      const from = Math.max(start, stretch.start);
      const to = Math.min(start + length, stretch.start + stretch.length);
      return to > from ? [from, to - from] : [];
    });
    this.#memory.integers.set(common, address >> 2);
    return common.length / 2;
  }
}

function needsOf({ data, batchSize, threads, rule, savedGradient, shape }: SharedPlan): WorkspaceNeeds {
  // Parts of a batch are whole fours of rows.
  const partRows = 4 * Math.ceil(Math.ceil(batchSize / 4) / threads);
  return {
    chunkRows: Math.min(chunkRowsMax, partRows),
    data,
    residentBytesMax: undefined,
    gathers: batchSize < data.features.rows,
    extraArrays: 1 + rule.slotCount,
    savedLength: savedGradient === undefined ? 0 : shape.length,
    dropout: [],
  };
}

function reserveTeam(reservation: Reservation, { shape, data, batchSize, threads }: SharedPlan): TeamPlaces {
  const each = (bytes: number): number[] => Array.from({ length: threads }, () => reservation.add(bytes));
  return {
    team: reservation.add(teamStruct.bytes),
    meeting: reservation.add(meetingStruct.bytes),
    gradients: reservation.add(4 * threads),
    slips: reservation.add(2 * slipBytes * threads),
    steps: reservation.add(32 * Math.ceil(data.features.rows / batchSize)),
    members: each(memberStruct.bytes),
    runs: each(8 * shape.layers.length),
    pieces: each(8 * shape.segments.length),
  };
}

/** The numbers that a thread sums and steps over: whole cache lines, as many as the others have. */
function stretchOfThread({ length, bytesPerNumber }: NetworkShape, index: number, threads: number): Stretch {
  const perLine = lineBytes / bytesPerNumber;
  const lines = Math.ceil(length / perLine);
  const at = (thread: number): number => Math.min(length, Math.floor((lines * thread) / threads) * perLine);
  const start = at(index);
  return { start, length: (index + 1 === threads ? length : at(index + 1)) - start };
}

function offsetOf(struct: Struct, field: string): number {
  return (struct.fields.get(field) as { offset: number }).offset;
}
