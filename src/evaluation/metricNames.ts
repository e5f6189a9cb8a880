/** Metrics of classifiers. Those from precision on are of the second of two classes; of more, the mean over classes. */
export type ClassificationMetric = 'accuracy' | 'logLoss' | 'precision' | 'recall' | 'f1' | 'auc';

/** Metrics of models that predict numbers; over several outputs, the mean. */
export type RegressionMetric = 'rSquared' | 'meanSquaredError' | 'meanAbsoluteError';

/** What an evaluation can be asked for. */
export type MetricName = ClassificationMetric | RegressionMetric;

const directions: Readonly<Record<MetricName, 'higher' | 'lower'>> = {
  accuracy: 'higher',
  logLoss: 'lower',
  precision: 'higher',
  recall: 'higher',
  f1: 'higher',
  auc: 'higher',
  rSquared: 'higher',
  meanSquaredError: 'lower',
  meanAbsoluteError: 'lower',
};

/** Whether a model is better where this metric is higher. */
export function isHigherBetter(metric: MetricName): boolean {
  return directions[metric] === 'higher';
}
