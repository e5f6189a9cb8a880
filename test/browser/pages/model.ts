import { LinearRegression, seededRandom } from 'mainstem';

const random = seededRandom(11);

/** 40 rows of 4 columns; labels are a plane. */
export const features: number[][] = Array.from({ length: 40 }, () =>
  Array.from({ length: 4 }, () => random.next() - 0.5),
);
export const labels: number[] = features.map(([a, b, c, d]) => 2 * a! - b! + 0.5 * c! + 3 * d! + 1);

export function createModel(): LinearRegression {
  return new LinearRegression({ maximumNumberOfIterations: 50 });
}
