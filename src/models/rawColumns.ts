import type { ParameterLayout } from '../parameters/ParameterLayout.ts';

/**
 * How many raw columns the rows of a model with these parameters have: those in front of its preprocessing, or its
 * inputs. Undefined where the parameters do not tell.
 */
export function rawColumnsOf(layout: ParameterLayout): number | undefined {
  const preprocessing = layout.architecture?.preprocessing as { readonly columns?: unknown } | undefined;
  if (typeof preprocessing?.columns === 'number') return preprocessing.columns;
  return (layout.find('weights') ?? layout.find('layers.0.weights'))?.shape[0];
}
