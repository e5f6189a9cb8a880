/** The share of predictions that equal their label, 0 to 1. */
export function accuracy(predicted: readonly unknown[], labels: readonly unknown[]): number {
  let hits = 0;
  labels.forEach((label, row) => {
    if (label === predicted[row]) hits++;
  });
  return hits / labels.length;
}

/**
 * The coefficient of determination R², averaged over outputs: 1 is perfect, 0 is as good as the mean. An output
 * whose labels are all equal counts 1 where it is predicted exactly and 0 otherwise. Both arrays are row-major.
 */
export function rSquared(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  rows: number,
  outputs: number,
): number {
  let total = 0;
  for (let j = 0; j < outputs; j++) {
    const first = labels[j];
    let isConstant = true;
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += (labels[i * outputs + j] as number) / rows;
    let residual = 0;
    let spread = 0;
    for (let i = 0; i < rows; i++) {
      const label = labels[i * outputs + j] as number;
      residual += (label - (predicted[i * outputs + j] as number)) ** 2;
      spread += (label - mean) ** 2;
      isConstant = isConstant && label === first;
    }
    // Rounding of the mean gives equal labels a tiny spread; it must not count.
    total += !isConstant && spread > 0 ? 1 - residual / spread : residual === 0 ? 1 : 0;
  }
  return total / outputs;
}
