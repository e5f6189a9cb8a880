import type { Architecture, JsonValue, ModelParameters } from 'mainstem';

/** erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!! (Abramowitz and Stegun 7.1.6). */
function erf(x: number): number {
  // e^(−x²) is below half a unit in the last place of 1.
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.log1p(Math.exp(x));

/** Each activation, row by row, as it is defined. */
export const referenceActivations: Readonly<Record<string, (row: readonly number[]) => number[]>> = {
  identity: (row) => [...row],
  relu: (row) => row.map((x) => Math.max(x, 0)),
  leakyRelu: (row) => row.map((x) => (x > 0 ? x : 0.01 * x)),
  tanh: (row) => row.map(Math.tanh),
  sigmoid: (row) => row.map(sigmoid),
  softmax: (row) => {
    const powers = row.map((x) => Math.exp(x - Math.max(...row)));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  },
  elu: (row) => row.map((x) => (x > 0 ? x : Math.exp(x) - 1)),
  gelu: (row) => row.map((x) => (x / 2) * (1 + erf(x / Math.SQRT2))),
  silu: (row) => row.map((x) => x * sigmoid(x)),
  softplus: (row) => row.map(softplus),
  gaussian: (row) => row.map((x) => Math.exp(-x * x)),
  mish: (row) => row.map((x) => x * Math.tanh(softplus(x))),
};

/** The steps of `preprocessing`, one row at a time, in float64. */
export function referencePreprocessing(preprocessing: JsonValue, row: readonly number[]): number[] {
  const { steps } = preprocessing as unknown as {
    steps: readonly {
      name: string;
      columns: readonly number[];
      mean: readonly number[];
      deviation: readonly number[];
      minimum: readonly number[];
      maximum: readonly number[];
      range: readonly [number, number];
      categories: readonly (readonly number[])[];
    }[];
  };
  return row.flatMap((x, column) => {
    const step = steps.find(({ columns }) => columns.includes(column));
    const at = step?.columns.indexOf(column) ?? -1;
    if (step === undefined) return [x];
    if (step.name === 'standardScaler') return [(x - step.mean[at]!) / (step.deviation[at]! || 1)];
    if (step.name === 'oneHotEncoder') return step.categories[at]!.map((known) => (known === x ? 1 : 0));
    const [low, high] = step.range;
    const span = step.maximum[at]! - step.minimum[at]!;
    return [span === 0 ? low : low + ((x - step.minimum[at]!) / span) * (high - low)];
  });
}

/** What parameters of a NeuralNetwork compute, row by row in float64, from their architecture alone. */
export function referenceNetwork(
  parameters: ModelParameters,
  rows: readonly (readonly number[])[],
): number[][] {
  const { activations, preprocessing } = parameters.layout.architecture as Architecture & {
    activations: readonly string[];
  };
  const arrays = parameters.toArrays() as Record<string, number[][]>;
  return rows.map((raw) => {
    let row = preprocessing === undefined ? [...raw] : referencePreprocessing(preprocessing, raw);
    activations.forEach((activation, index) => {
      const weights = arrays[`layers.${index}.weights`]!;
      const bias = arrays[`layers.${index}.bias`] as unknown as number[];
      const z = bias.map((b, j) => row.reduce((sum, x, i) => sum + x * weights[i]![j]!, b));
      row = referenceActivations[activation]!(z);
    });
    return row;
  });
}
