import { ModelParameters, requireModelParameters } from '../parameters/ModelParameters.ts';

/** Parameters, or a model that has some. */
export type ParametersSource = ModelParameters | { getModelParameters(): ModelParameters };

/**
 * The parameters of either. Throws MalformedDataError where there are none, also for a model that gives a promise:
 * `await` its parameters first.
 */
export function parametersOf(source: ParametersSource): ModelParameters {
  if (ModelParameters.isModelParameters(source)) return source;
  const model = source as Partial<{ getModelParameters(): ModelParameters }> | null | undefined;
  return requireModelParameters(
    typeof model?.getModelParameters === 'function' ? model.getModelParameters() : source,
  );
}
