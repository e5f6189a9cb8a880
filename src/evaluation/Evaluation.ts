import type { Category } from '../categories.ts';
import { InvalidDataError, InvalidOptionError, MalformedDataError } from '../errors.ts';
import { show } from '../show.ts';
import { requireFormat } from '../strictJson.ts';
import type { ClassificationSumsJson, ClassifiedRows } from './ClassificationSums.ts';
import { ClassificationSums } from './ClassificationSums.ts';
import type { MetricName } from './metricNames.ts';
import type { PredictedRows, RegressionSumsJson } from './RegressionSums.ts';
import { RegressionSums } from './RegressionSums.ts';

const brand = Symbol.for('mainstem.Evaluation');
const format = 'mainstem/evaluation@1';

/** The JSON form of an Evaluation. */
export type EvaluationJson = { readonly format: string } & (ClassificationSumsJson | RegressionSumsJson);

/**
 * How well a model predicts some rows, kept in sums that combine exactly: the evaluations of the children, merged in any
 * order, equal that of all their rows in one place.
 */
export class Evaluation {
  readonly #sums: ClassificationSums | RegressionSums;

  private constructor(sums: ClassificationSums | RegressionSums) {
    this.#sums = sums;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Of a classifier; `model.evaluate` makes it of features and labels. */
  static ofClassification(rows: ClassifiedRows): Evaluation {
    return new Evaluation(ClassificationSums.of(rows));
  }

  /** Of a model that predicts numbers. */
  static ofRegression(rows: PredictedRows): Evaluation {
    return new Evaluation(RegressionSums.of(rows));
  }

  /** True for an Evaluation, also of another copy of the package. */
  static isEvaluation(value: unknown): value is Evaluation {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Rows that were evaluated. */
  get rows(): number {
    return this.#sums.rows;
  }

  /** The classes of a classifier, sorted; undefined for models that predict numbers. */
  get classes(): readonly Category[] | undefined {
    return this.#sums.kind === 'classification' ? [...this.#sums.classes] : undefined;
  }

  /**
   * All metrics that apply, by name. Classifiers: accuracy, logLoss (probabilities below 1e-15 count as 1e-15),
   * precision, recall and f1 (of the second of two classes; of more, the mean over classes; 0 where nothing was
   * predicted or there), and auc of two classes, from a histogram of 4,096 scores: two scores within 1/128 of a logit
   * tie. Others: rSquared, meanSquaredError, meanAbsoluteError, each the mean over outputs.
   */
  get metrics(): { readonly [Name in MetricName]?: number } {
    return this.#sums.metrics();
  }

  /** One metric. Throws InvalidOptionError where it does not apply. */
  metric(name: MetricName): number {
    const { metrics } = this;
    const value = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    if (value !== undefined) return value;
    throw new InvalidOptionError(
      `metric is ${show(name)}, expected one of ${Object.keys(metrics).join(', ')} for this model`,
    );
  }

  /** Rows by actual class (first index) and predicted class. Throws InvalidOptionError where there are no classes. */
  confusionMatrix(): number[][] {
    const sums = this.#sums;
    if (sums.kind === 'regression') {
      throw new InvalidOptionError('a confusion matrix needs a classifier; this model predicts numbers');
    }
    const count = sums.classes.length;
    return sums.classes.map((_class, k) => Array.from(sums.confusion.subarray(k * count, (k + 1) * count)));
  }

  /**
   * A new evaluation of the rows of both. A metric that applies to one of them alone does not apply to both. Throws
   * InvalidDataError where classes or outputs differ.
   */
  merge(other: Evaluation): Evaluation {
    if (!Evaluation.isEvaluation(other)) {
      throw new InvalidDataError(
        `got ${show(other)} to merge, expected an Evaluation; Evaluation.fromJSON reads its JSON`,
      );
    }
    // By way of JSON where it is of another copy of the package: private sums do not cross that border.
    const theirs = #sums in other ? other.#sums : Evaluation.fromJSON((other as Evaluation).toJSON()).#sums;
    const mine = this.#sums;
    if (mine.kind === 'classification' && theirs.kind === 'classification')
      return new Evaluation(mine.merge(theirs));
    if (mine.kind === 'regression' && theirs.kind === 'regression') return new Evaluation(mine.merge(theirs));
    throw new InvalidDataError(`an evaluation of a ${theirs.kind} does not add to one of a ${mine.kind}`);
  }

  /** Plain JSON. */
  toJSON(): EvaluationJson {
    return { format, ...this.#sums.toJSON() };
  }

  /** Reads what `toJSON` wrote, parsed, from anybody. Throws MalformedDataError. */
  static fromJSON(json: unknown): Evaluation {
    const form = requireFormat(json, format);
    switch (form.kind) {
      case 'classification':
        return new Evaluation(ClassificationSums.fromJSON(form));
      case 'regression':
        return new Evaluation(RegressionSums.fromJSON(form));
      default:
        throw new MalformedDataError(`kind is ${show(form.kind)}, expected classification or regression`);
    }
  }
}
