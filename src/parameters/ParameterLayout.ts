import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  ArchitectureMismatchError,
  LayoutMismatchError,
  LimitExceededError,
  MalformedDataError,
} from '../errors.ts';
import { architectureLengthMax, layoutLimits } from '../limits.ts';
import { show } from '../show.ts';
import type { Architecture } from './architecture.ts';
import { canonicalJson, describeArchitectureDifference } from './architecture.ts';

/** A tensor's name and shape, before it has a place. */
export interface TensorShape {
  readonly name: string;
  /** Sizes of the axes, row-major; `[]` is a single number. */
  readonly shape: readonly number[];
}

/** A tensor's place in the flat array. `offset` and `size` count values, not bytes. */
export interface TensorSlot extends TensorShape {
  readonly offset: number;
  readonly size: number;
}

/** Shape of one tensor, for messages: `layers.0.weights [64×32]`. */
export function formatTensor(tensor: TensorShape): string {
  return `${tensor.name} [${tensor.shape.join('×')}]`;
}

function checkShape({ name, shape }: TensorShape): number {
  if (typeof name !== 'string' || name.length === 0 || name.length > layoutLimits.nameLengthMax) {
    throw new MalformedDataError(
      `tensor name ${show(name)} must have 1 to ${layoutLimits.nameLengthMax} characters`,
    );
  }
  if (!Array.isArray(shape) || !shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0)) {
    throw new MalformedDataError(`tensor ${name} has shape ${show(shape)}, expected whole numbers`);
  }
  if (shape.length > layoutLimits.rankMax) {
    throw new LimitExceededError(
      `tensor ${name} has ${shape.length} axes, at most ${layoutLimits.rankMax} are allowed`,
    );
  }
  if (shape.some((axis) => axis > layoutLimits.valuesMax)) {
    throw new LimitExceededError(`tensor ${name} has an axis longer than ${layoutLimits.valuesMax}`);
  }
  return shape.reduce((product, axis) => product * axis, 1);
}

/**
 * The order, names and shapes of the tensors that share one flat array, and the architecture they belong to.
 *
 * Parameters made by hand have no architecture; they fit any model with the same tensors. Where two layouts
 * both name an architecture, it must be the same: a relu and a tanh network never mix.
 */
export class ParameterLayout {
  /** The tensors, in the order of their values. */
  readonly tensors: readonly TensorSlot[];
  /** Number of values of all tensors together. */
  readonly length: number;
  /** What the parameters mean (activations, loss, classes); undefined for those made by hand. */
  readonly architecture: Architecture | undefined;
  readonly #slots = new Map<string, TensorSlot>();
  #fingerprint: string | undefined;
  /** Layouts that were found to fit. They come again and again, and are compared tensor by tensor once. */
  #fitting: WeakSet<ParameterLayout> | undefined;

  /** Throws MalformedDataError or LimitExceededError for illegal or repeated names and shapes. */
  constructor(tensors: readonly TensorShape[], architecture?: Architecture) {
    if (tensors.length > layoutLimits.tensorsMax) {
      throw new LimitExceededError(
        `${tensors.length} tensors, at most ${layoutLimits.tensorsMax} are allowed`,
      );
    }
    if (architecture !== undefined && canonicalJson(architecture).length > architectureLengthMax) {
      throw new LimitExceededError(
        `the architecture has more than ${architectureLengthMax} characters as JSON`,
      );
    }
    let offset = 0;
    let nameLengths = 0;
    for (const tensor of tensors) {
      const size = checkShape(tensor);
      if (this.#slots.has(tensor.name)) throw new MalformedDataError(`tensor ${tensor.name} is named twice`);
      const slot = Object.freeze({
        name: tensor.name,
        shape: Object.freeze([...tensor.shape]),
        offset,
        size,
      });
      this.#slots.set(slot.name, slot);
      offset += size;
      nameLengths += slot.name.length;
      if (nameLengths > layoutLimits.nameLengthsMax) {
        throw new LimitExceededError(
          `tensor names have more than ${layoutLimits.nameLengthsMax} characters together`,
        );
      }
      if (offset > layoutLimits.valuesMax) {
        throw new LimitExceededError(`more than ${layoutLimits.valuesMax} values in one set of parameters`);
      }
    }
    this.tensors = Object.freeze([...this.#slots.values()]);
    this.length = offset;
    this.architecture = architecture;
  }

  /** The slot of a tensor, or undefined. */
  find(name: string): TensorSlot | undefined {
    return this.#slots.get(name);
  }

  /** 32 hexadecimal digits: the first half of the SHA-256 of [[[name, shape], …], architecture or null] as JSON with sorted keys. */
  get fingerprint(): string {
    this.#fingerprint ??= bytesToHex(
      sha256(
        utf8ToBytes(
          canonicalJson([this.tensors.map(({ name, shape }) => [name, shape]), this.architecture ?? null]),
        ),
      ),
    ).slice(0, 32);
    return this.#fingerprint;
  }

  /**
   * Throws LayoutMismatchError or ArchitectureMismatchError, saying what differs, unless `got` fits.
   * `what` and `owner` name the two sides in the message: `gradients`, `main`.
   */
  assertFits(got: ParameterLayout, what = 'parameters', owner = 'main'): void {
    if (got === this) return;
    // Both known by now, as those of a connection are: no need to compare tensor by tensor.
    if (this.#fingerprint !== undefined && this.#fingerprint === got.#fingerprint) return;
    if (this.#fitting?.has(got) === true) return;
    this.#assertFits(got, what, owner);
    this.#fitting ??= new WeakSet();
    this.#fitting.add(got);
  }

  #assertFits(got: ParameterLayout, what: string, owner: string): void {
    const why = describeDifference(got.architecture, this.architecture);
    const prints = (): string =>
      `(layout ${got.fingerprint.slice(0, 8)}… expected ${this.fingerprint.slice(0, 8)}…)${why === undefined ? '' : `; ${why}`}`;
    if (got.length !== this.length) {
      throw new LayoutMismatchError(
        `${what} have ${got.length} values, ${owner} has ${this.length} ${prints()}`,
      );
    }
    this.tensors.forEach((expected, index) => {
      const tensor = got.tensors[index];
      if (tensor === undefined || formatTensor(tensor) !== formatTensor(expected)) {
        const name = tensor === undefined ? 'nothing' : formatTensor(tensor);
        throw new LayoutMismatchError(
          `${what} have ${name}, ${owner} has ${formatTensor(expected)} ${prints()}`,
        );
      }
    });
    if (got.tensors.length !== this.tensors.length) {
      throw new LayoutMismatchError(
        `${what} have ${got.tensors.length} tensors, ${owner} has ${this.tensors.length} ${prints()}`,
      );
    }
    if (why === undefined) return;
    throw new ArchitectureMismatchError(
      `${what} come from another architecture than ${owner}: ${why} (layout ${got.fingerprint.slice(0, 8)}… expected ${this.fingerprint.slice(0, 8)}…)`,
    );
  }
}

/** Where both name an architecture: what differs, or undefined. */
function describeDifference(
  got: Architecture | undefined,
  expected: Architecture | undefined,
): string | undefined {
  return got === undefined || expected === undefined
    ? undefined
    : describeArchitectureDifference(got, expected);
}
