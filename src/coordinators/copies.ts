import { Gradients } from '../parameters/Gradients.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import { valuesFrom } from '../protocol/tensorBytes.ts';
import type { BufferPool } from '../transport/BufferPool.ts';

/** A copy whose values are in a buffer of the pool. */
export function copyInto<T extends Gradients | ModelParameters>(content: T, pool: BufferPool): T {
  const { layout, dtype, values } = content;
  const copy = valuesFrom(pool, dtype, values.length);
  copy.set(values);
  return (
    content instanceof Gradients
      ? new Gradients(layout, copy, content)
      : new ModelParameters(layout, copy, content)
  ) as T;
}
