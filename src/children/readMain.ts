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
  { dtype, base, runs, payload }: MainMessage,
  layout: ParameterLayout,
  known: ModelParameters | undefined,
): Values | undefined {
  if (base === null) return bytesToValues(payload, dtype, layout.length);
  if (runs === null)
    throw new MalformedDataError('a main as a difference that does not say where it differs');
  if (known === undefined || known.baseVersion !== base) return undefined;
  if (known.layout.fingerprint !== layout.fingerprint || dataTypeOf(known.values) !== dtype) return undefined;
  return withRuns(known.values, { runs, payload });
}

/** The same version of the same numbers: what a coordinator that has begun anew took from its store. */
export function isSameMain(a: ModelParameters, b: ModelParameters): boolean {
  if (a.baseVersion !== b.baseVersion || a.values.length !== b.values.length) return false;
  return a.values.every((value, i) => Object.is(value, b.values[i]));
}
