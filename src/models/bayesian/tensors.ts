import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { JsonValue } from '../../parameters/architecture.ts';
import { ModelParameters } from '../../parameters/ModelParameters.ts';
import { ParameterLayout } from '../../parameters/ParameterLayout.ts';
import type { Belief, Beliefs } from './beliefs.ts';

// Beliefs as named tensors, which is how they travel and are stored: a tensor of natural parameters for each variable.

/**
 * The layout of beliefs about the variables of a prior. Their families and the prior itself are part of its architecture: who believes
 * something else beforehand does not meet the rest.
 */
export function layoutOfBeliefs(prior: Beliefs): ParameterLayout {
  const tensors = Object.entries(prior).map(([name, { natural }]) => ({ name, shape: [natural.length] }));
  const families: Record<string, JsonValue> = {};
  for (const [name, { family }] of Object.entries(prior)) families[name] = family;
  return new ParameterLayout(tensors, { model: 'Beliefs', families, prior: hashOf(prior) });
}

/** The first 32 hexadecimal digits of the SHA-256 of all natural parameters, as little-endian float64. */
function hashOf(prior: Beliefs): string {
  const numbers = Object.values(prior).flatMap(({ natural }) => Array.from(natural));
  const view = new DataView(new ArrayBuffer(8 * numbers.length));
  // There are two zeros, and they mean the same.
  for (const [i, value] of numbers.entries()) view.setFloat64(8 * i, value + 0, true);
  return bytesToHex(sha256(new Uint8Array(view.buffer))).slice(0, 32);
}

/** The natural parameters of all variables, one behind the other. */
export function writeBeliefs(beliefs: Beliefs, layout: ParameterLayout, target: Float64Array): void {
  for (const { name, offset } of layout.tensors) target.set((beliefs[name] as Belief).natural, offset);
}

/** Beliefs as they travel. */
export function parametersOfBeliefs(beliefs: Beliefs, layout: ParameterLayout): ModelParameters {
  const values = new Float64Array(layout.length);
  writeBeliefs(beliefs, layout, values);
  return new ModelParameters(layout, values);
}

/** Beliefs in the families of the prior. Copies. Throws NonFiniteError. */
export function readBeliefs<B extends Beliefs>({ layout, values }: ModelParameters, prior: B): B {
  return Object.fromEntries(
    layout.tensors.map(({ name, offset, size }) => {
      const natural = Float64Array.from(values.subarray(offset, offset + size));
      return [name, (prior[name] as Belief).withNatural(natural)];
    }),
  ) as B;
}
