import { NoMainParametersError } from '../errors.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import { nonFiniteAt } from '../parameters/NamedTensors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import { createValues, findNonFinite } from '../parameters/values.ts';
import type { Steps } from '../steps.ts';
import { slices } from '../steps.ts';

/**
 * The parameters that a coordinator owns: float64 whatever travels, and twice, so that whoever reads during a
 * sliced change sees the old main whole, and a change that fails leaves no trace.
 */
export class MainState {
  #layout: ParameterLayout | undefined;
  #dtype: DataType = 'float64';
  #values: Float64Array<ArrayBuffer> = new Float64Array(0);
  #next: Float64Array<ArrayBuffer> = new Float64Array(0);
  #version = 0;

  /** 0 before there is a main; then one more with every change. */
  get version(): number {
    return this.#version;
  }

  get layout(): ParameterLayout | undefined {
    return this.#version === 0 ? undefined : this.#layout;
  }

  get dtype(): DataType {
    return this.#dtype;
  }

  /** The values themselves. Not to be written to. */
  get values(): Float64Array<ArrayBuffer> {
    return this.#values;
  }

  /** A copy in main's dtype, with its version. Throws NoMainParametersError. */
  snapshot(): ModelParameters {
    if (this.#layout === undefined || this.#version === 0) {
      throw new NoMainParametersError('there are no main parameters yet; set them, or add the first update');
    }
    const values = createValues(this.#dtype, this.#values.length);
    values.set(this.#values);
    return new ModelParameters(this.#layout, values, { baseVersion: this.#version });
  }

  /** The spare values, to be filled. Their content is undefined. */
  spare(length: number): Float64Array<ArrayBuffer> {
    if (this.#next.length !== length) this.#next = new Float64Array(length);
    return this.#next;
  }

  /** Somebody keeps these values: where they are the spare ones, `others` or new ones take their place. */
  giveUpSpare(values: Float64Array<ArrayBuffer>, others: Float64Array<ArrayBuffer> | undefined): void {
    if (this.#next !== values) return;
    const isFit = others !== undefined && others.length === values.length && others !== this.#values;
    this.#next = isFit ? others : new Float64Array(values.length);
  }

  /** Throws NonFiniteError where the spare values, as main's dtype, are not finite. */
  checkSpare(layout: ParameterLayout, dtype: DataType): Steps<void> {
    return slices(this.#next.length, (start, end) => this.checkRange(layout, dtype, start, end));
  }

  /** The same for a range of them. */
  checkRange(layout: ParameterLayout, dtype: DataType, start: number, end: number): void {
    const next = this.#next;
    const bad = dtype === 'float64' ? findNonFinite(next, start, end) : findBeyondFloat32(next, start, end);
    if (bad >= 0) throw nonFiniteAt(new ModelParameters(layout, next), bad, 'main would');
  }

  /** Sets main to a copy of these parameters; a change under way keeps the spare values to itself. */
  replace(parameters: ModelParameters, dtype: DataType, version: number): void {
    this.#values = Float64Array.from(parameters.values);
    this.#layout = parameters.layout;
    this.#dtype = dtype;
    this.#version = version;
  }

  /** Makes the spare values main, in one step. */
  swap(layout: ParameterLayout, dtype: DataType, version: number): void {
    [this.#values, this.#next] = [this.#next, this.#values];
    this.#layout = layout;
    this.#dtype = dtype;
    this.#version = version;
  }
}

/** The index of the first value that float32 cannot hold as a finite number, or −1. */
function findBeyondFloat32(values: Float64Array, start: number, end: number): number {
  // A sum with a NaN or an Infinity in it is not finite, and as many floats as a slice has never add up to one.
  if (Number.isFinite(sumOfFloats(values, start, end))) return -1;
  for (let i = start; i < end; i++) {
    if (!Number.isFinite(Math.fround(values[i] as number))) return i;
  }
  return -1;
}

function sumOfFloats(values: Float64Array, start: number, end: number): number {
  const whole = end - ((end - start) % 4);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = start; i < whole; i += 4) {
    a += Math.fround(values[i] as number);
    b += Math.fround(values[i + 1] as number);
    c += Math.fround(values[i + 2] as number);
    d += Math.fround(values[i + 3] as number);
  }
  for (let i = whole; i < end; i++) a += Math.fround(values[i] as number);
  return a + b + (c + d);
}
