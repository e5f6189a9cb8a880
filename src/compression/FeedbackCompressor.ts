import { LayoutMismatchError, MalformedDataError, NonFiniteError } from '../errors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import { findNonFinite } from '../parameters/values.ts';
import type { Random } from '../random.ts';
import { seededRandom } from '../random.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import type { Compressed, Compressor } from './Compression.ts';
import { readFloat32, writeFloat32 } from './dense.ts';
import { addMomentum, addRest, clearSent, leaveRest } from './feedback.ts';
import { Ladder } from './Ladder.ts';
import { factorLength, isWorthLowRank, pack } from './pack.ts';
import { readPacked } from './segments.ts';
import type { ResolvedSettings } from './settings.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Floats = Float32Array<ArrayBuffer>;

/** Of what is saved. */
const stateVersion = 1;
/** The share that a warm-up begins with (Lin and others 2018, section 3.3: 75 % are left out). */
const firstShare = 0.25;

/** What is remembered from one payload to the next. */
interface Memory {
  /** What has not been sent yet; nothing without error feedback. */
  readonly rest: Floats;
  /** Of momentum correction. */
  readonly velocity: Floats;
  /** Of powerSGD, for each tensor. */
  readonly factors: readonly Floats[];
  readonly updates: number;
}

/** What a compressor is made from. */
export interface CompressorPlan {
  readonly settings: ResolvedSettings;
  /** Values are differences to what was sent before, so that what is left out comes again by itself. */
  readonly isOfDifferences: boolean;
  readonly layout: ParameterLayout;
  /** Where its own row of random numbers begins. */
  readonly random: Random;
}

/**
 * Compresses one row of updates: adds what earlier ones left out, packs, and keeps what this one leaves out (error
 * feedback; Seide and others 2014, Karimireddy and others 2019).
 */
export class FeedbackCompressor implements Compressor {
  readonly #plan: CompressorPlan;
  readonly #settings: ResolvedSettings;
  readonly #layout: ParameterLayout;
  readonly #random: Random;
  readonly #ladder: Ladder | undefined;
  #memory: Memory;
  /** The arrays of a memory that is not needed any more, and what was sent: used again. */
  #spare: Memory;
  readonly #sent: Floats;
  readonly #corrected: Floats;

  constructor(plan: CompressorPlan) {
    const { settings, layout, random } = plan;
    this.#plan = plan;
    this.#settings = settings;
    this.#layout = layout;
    // A row of its own: how many numbers rounding takes is nobody's business.
    this.#random = seededRandom(Math.floor(random.next() * 2 ** 32));
    this.#ladder = settings.codec === 'auto' ? new Ladder(settings.targetMs) : undefined;
    this.#memory = createMemory(plan);
    this.#spare = createMemory(plan);
    this.#sent = new Float32Array(layout.length);
    this.#corrected = new Float32Array(layout.length);
  }

  compress(values: Values): Compressed {
    const before = this.#memory;
    const after = this.#spare;
    const corrected = this.#correct(values, before, after);
    const bad = findNonFinite(corrected);
    if (bad >= 0)
      throw new NonFiniteError(`value ${bad} to be sent is ${corrected[bad]}, expected a finite number`);
    after.factors.forEach((factor, index) => {
      factor.set(before.factors[index] as Floats);
    });
    const { codec } = this.#settings;
    const { tensors } = this.#layout;
    const settings = this.#ladder?.settings ?? {
      ...this.#settings,
      targetMs: 0,
      share: this.#share(before.updates),
    };
    const factors = codec === 'powerSGD' ? after.factors : [];
    const payload = pack({ values: corrected, tensors, settings, random: this.#random, factors });
    const sent = this.#sent;
    readPacked(payload, sent);
    leaveRest(corrected, sent, after.rest);
    clearSent(after.velocity, sent);
    const adopt = (): void => {
      this.#memory = { ...after, updates: before.updates + 1 };
      this.#spare = before;
    };
    return { payload, sent, adopt };
  }

  observe(elapsedMs: number): void {
    this.#ladder?.observe(elapsedMs);
  }

  save(): Bytes {
    const { rest, velocity, factors, updates } = this.#memory;
    const writer = new ByteWriter(64 + 4 * rest.length);
    writer.byte(stateVersion);
    for (const digit of this.#layout.fingerprint) writer.byte(digit.charCodeAt(0));
    writer.varint(updates);
    for (const floats of [rest, velocity, ...factors]) {
      writer.varint(floats.length);
      writeFloat32(floats, writer);
    }
    return writer.finish().slice();
  }

  load(state: Bytes): void {
    const reader = new ByteReader(state);
    if (reader.byte() !== stateVersion)
      throw new MalformedDataError('the saved state of a child is of an unknown version');
    const { fingerprint } = this.#layout;
    const saved = String.fromCharCode(...reader.bytes(fingerprint.length));
    if (saved !== fingerprint)
      throw new LayoutMismatchError(`the saved state is of layout ${saved}, expected ${fingerprint}`);
    const updates = reader.varint();
    const memory = createMemory(this.#plan);
    const [rest, velocity] = [readFloats(reader), readFloats(reader)];
    const factors: Floats[] = [];
    while (reader.rest > 0) factors.push(readFloats(reader));
    // Of other settings: what fits is taken over.
    if (rest.length === memory.rest.length) memory.rest.set(rest);
    if (velocity.length === memory.velocity.length) memory.velocity.set(velocity);
    memory.factors.forEach((factor, index) => {
      if (factors[index]?.length === factor.length) factor.set(factors[index]);
    });
    this.#memory = { ...memory, updates };
  }

  /** The values with what earlier payloads left out; their velocity goes into the memory to come. */
  #correct(values: Values, before: Memory, after: Memory): Floats {
    const corrected = this.#corrected;
    const { momentum } = this.#settings;
    // v ← v + u (Lin and others 2018, equation 4).
    if (momentum > 0) addMomentum(values, before.velocity, momentum, after.velocity);
    addRest(momentum > 0 ? after.velocity : values, before.rest, corrected);
    return corrected;
  }

  /** What part of the values is sent after so many updates: 75, 93.75, 98.44, 99.6, 99.9 % are left out on the way to 0.1 %. */
  #share(updates: number): number {
    const { share, warmUpUpdates } = this.#settings;
    if (updates >= warmUpUpdates || share >= firstShare) return share;
    return firstShare * (share / firstShare) ** (updates / warmUpUpdates);
  }
}

function createMemory({ settings, isOfDifferences, layout }: CompressorPlan): Memory {
  const { codec, errorFeedback, momentum, rank } = settings;
  return {
    rest: new Float32Array(errorFeedback && !isOfDifferences ? layout.length : 0),
    velocity: new Float32Array(momentum > 0 ? layout.length : 0),
    factors:
      codec === 'powerSGD'
        ? layout.tensors.map(
            (tensor) => new Float32Array(isWorthLowRank(tensor, rank) ? factorLength(tensor, rank) : 0),
          )
        : [],
    updates: 0,
  };
}

function readFloats(reader: ByteReader): Floats {
  const length = reader.varint();
  if (4 * length > reader.rest) throw new MalformedDataError('the saved state of a child ends too soon');
  const floats = new Float32Array(length);
  readFloat32(reader, floats);
  if (findNonFinite(floats) < 0) return floats;
  throw new MalformedDataError('the saved state of a child has numbers that are not finite');
}
