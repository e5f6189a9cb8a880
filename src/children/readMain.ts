import type { Compression } from '../compression/Compression.ts';
import { MalformedDataError } from '../errors.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import { dataTypeOf } from '../parameters/values.ts';
import type { MainMessage } from '../protocol/messages.ts';
import { bytesToValues } from '../protocol/tensorBytes.ts';
import { withRuns } from '../protocol/valueRuns.ts';

/**
 * The values of a main that has come; undefined where it is a difference to another one than is known here. Throws
 * MalformedDataError where its content does not fit.
 */
export function readMain(
  { dtype, base, runs, isPacked, payload }: MainMessage,
  layout: ParameterLayout,
  known: ModelParameters | undefined,
  compression: Compression | undefined,
): Values | undefined {
  if (base === null && !isPacked) return bytesToValues(payload, dtype, layout.length);
  if (base === null || (runs === null) !== isPacked)
    throw new MalformedDataError('a main as a difference that does not say where it differs');
  if (known === undefined || known.baseVersion !== base) return undefined;
  if (known.layout.fingerprint !== layout.fingerprint || dataTypeOf(known.values) !== dtype) return undefined;
  if (runs !== null) return withRuns(known.values, { runs, payload });
  if (compression === undefined) throw new MalformedDataError('a main is packed, and this child reads none');
  const values = new Float32Array(known.values.length);
  compression.read(payload, values);
  // In float32, as the coordinator did: all children have the same bits.
  for (let i = 0; i < values.length; i++) values[i] = (known.values[i] as number) + (values[i] as number);
  return values;
}

/** The same version of the same numbers: what a coordinator that has begun anew took from its store. */
export function isSameMain(a: ModelParameters, b: ModelParameters): boolean {
  if (a.baseVersion !== b.baseVersion || a.values.length !== b.values.length) return false;
  return a.values.every((value, i) => Object.is(value, b.values[i]));
}
