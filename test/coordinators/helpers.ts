import type { Random } from 'mainstem';
import { Gradients, ModelParameters, ParameterLayout } from 'mainstem';

/** Parameters with weights [n − 1 × 1] and bias [1]. */
export function parametersOf(...values: number[]): ModelParameters {
  return ModelParameters.fromArrays({
    weights: values.slice(0, -1).map((value) => [value]),
    bias: values.slice(-1),
  });
}

/** Gradients in the layout of `parametersOf`. */
export function gradientsOf(values: readonly number[], sampleCount = 1): Gradients {
  return Gradients.fromArrays(
    { weights: values.slice(0, -1).map((value) => [value]), bias: values.slice(-1) },
    { sampleCount },
  );
}

/** The numbers of a set of parameters as a plain list. */
export function numbersOf({ values }: ModelParameters): number[] {
  return Array.from(values);
}

/** A layout with one tensor of this length. */
export function flatLayout(length: number): ParameterLayout {
  return new ParameterLayout([{ name: 'weights', shape: [length] }]);
}

/** Rows of numbers between −1 and 1. */
export function randomRows(random: Random, rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => 2 * random.next() - 1));
}

/** The microtasks and messages that wait. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
