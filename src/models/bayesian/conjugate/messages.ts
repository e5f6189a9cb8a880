import { InvalidDataError } from '../../../errors.ts';
import { show } from '../../../show.ts';
import type { Features } from '../../features.ts';
import { readMatrix } from '../../features.ts';
import { Beta } from '../families/Beta.ts';
import { Dirichlet } from '../families/Dirichlet.ts';
import { Gamma } from '../families/Gamma.ts';
import { NormalInverseGamma } from '../families/NormalInverseGamma.ts';
import { VectorGaussian } from '../families/VectorGaussian.ts';

// What data say of a variable in conjugate models: the message of one machine, exact whatever others say. Messages of parts
// multiply to that of the whole, so that one exchange is enough.

/** Of a probability, from what was so and what was not. */
export function betaBernoulliMessage(outcomes: Iterable<boolean>): Beta {
  let [successes, failures] = [0, 0];
  for (const outcome of outcomes) {
    if (outcome) successes++;
    else failures++;
  }
  return Beta.natural(successes, failures);
}

/** Of a rate, from counts in units of exposure, 1 each unless given. Throws InvalidDataError. */
export function gammaPoissonMessage(counts: ArrayLike<number>, exposures?: ArrayLike<number>): Gamma {
  let [sum, exposure] = [0, 0];
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number;
    const time = exposures?.[i] ?? 1;
    if (!(Number.isSafeInteger(count) && count >= 0))
      throw new InvalidDataError(`count ${i} is ${show(count)}, expected a whole number, 0 or more`);
    if (!(Number.isFinite(time) && time > 0))
      throw new InvalidDataError(`exposure ${i} is ${show(time)}, expected a number above 0`);
    sum += count;
    exposure += time;
  }
  return Gamma.natural(sum, exposure);
}

/** Of the shares of categories 0 … size − 1, from what was drawn. Throws InvalidDataError. */
export function dirichletCategoricalMessage(categories: ArrayLike<number>, size: number): Dirichlet {
  const counts = new Float64Array(size);
  for (let i = 0; i < categories.length; i++) {
    const category = categories[i] as number;
    if (!(Number.isSafeInteger(category) && category >= 0 && category < size))
      throw new InvalidDataError(`category ${i} is ${show(category)}, expected 0 to ${size - 1}`);
    counts[category] = (counts[category] as number) + 1;
  }
  return Dirichlet.natural(counts);
}

/** XᵀX, Xᵀy, yᵀy and n. */
interface Squares {
  readonly product: Float64Array;
  readonly gram: Float64Array;
  readonly labels: number;
  readonly rows: number;
}

/** Of the weights of a linear regression whose noise has this variance. Throws InvalidDataError. */
export function linearRegressionMessage(
  features: Features,
  labels: ArrayLike<number>,
  noiseVariance: number,
): VectorGaussian {
  const { product, gram } = squaresOf(features, labels);
  const scale = (value: number): number => value / noiseVariance;
  return VectorGaussian.natural(product.map(scale), gram.map(scale));
}

/** Of the weights and of the noise's variance. Throws InvalidDataError. */
export function noisyLinearRegressionMessage(
  features: Features,
  labels: ArrayLike<number>,
): NormalInverseGamma {
  const { product, gram, labels: square, rows } = squaresOf(features, labels);
  return NormalInverseGamma.natural(product, gram, rows / 2, square / 2);
}

function squaresOf(features: Features, labels: ArrayLike<number>): Squares {
  const { data, rows, columns } = readMatrix(features, 'float64');
  if (labels.length !== rows)
    throw new InvalidDataError(`there are ${rows} rows and ${labels.length} labels, expected as many`);
  const product = new Float64Array(columns);
  const gram = new Float64Array(columns * columns);
  let square = 0;
  for (let row = 0; row < rows; row++) {
    const y = labels[row] as number;
    if (!Number.isFinite(y))
      throw new InvalidDataError(`label ${row} is ${show(y)}, expected a finite number`);
    square += y * y;
    for (let r = 0; r < columns; r++) {
      const x = data[row * columns + r] as number;
      product[r] = (product[r] as number) + x * y;
      for (let c = 0; c < columns; c++)
        gram[r * columns + c] = (gram[r * columns + c] as number) + x * (data[row * columns + c] as number);
    }
  }
  return { product, gram, labels: square, rows };
}
