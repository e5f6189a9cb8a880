import type { Model } from 'mainstem';
import { Gradients, ModelParameters, ParameterLayout } from 'mainstem';

/** A model that has always learnt the same, and keeps nothing of main: what is measured is the way there. */
export function stubModel(values: number): Model {
  const layout = new ParameterLayout([{ name: 'weights', shape: [values] }]);
  const numbers = Float32Array.from({ length: values }, (_, i) => 1e-6 * Math.sin(i));
  const gradients = new Gradients(layout, numbers, { sampleCount: 1 });
  const parameters = new ModelParameters(layout, numbers, { sampleCount: 1 });
  const stub = {
    train: () => [],
    predict: () => [],
    setModelParameters() {},
    getModelParameters: () => parameters,
    setAreGradientsSaved() {},
    getGradients: () => gradients,
    computeGradients: () => gradients,
  };
  return stub as unknown as Model;
}
