import type { Category } from '../categories.ts';
import { areCategories, compareCategories } from '../categories.ts';
import { InvalidDataError, MalformedDataError } from '../errors.ts';
import { tableLimits } from '../limits.ts';
import { show } from '../show.ts';
import { requireList, requireNumber, requireWhole } from '../strictJson.ts';
import type { ClassificationMetric } from './metricNames.ts';
import { areaOfGroups, binOf, logit, scoreBins } from './rankingArea.ts';

/** One evaluated set of rows of a classifier. Indices are of `classes`. */
export interface ClassifiedRows {
  readonly classes: readonly Category[];
  readonly actual: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  /** Rows × classes; absent where the model gives none. */
  readonly probabilities?: ArrayLike<number>;
  /** Of two classes: the higher, the likelier the second. The logit of its probability unless given. */
  readonly scores?: ArrayLike<number>;
}

/** The JSON form: counts, row-major by actual class, and numbers of rows by score as [bin, count, bin, count …]. */
export interface ClassificationSumsJson {
  readonly kind: 'classification';
  readonly classes: readonly Category[];
  readonly confusion: readonly number[];
  readonly logLoss: number | null;
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

/** The least probability that a log loss takes in: what is impossible costs 34.5, not infinitely much. */
const probabilityMin = 1e-15;

/** Counts of a classifier's hits and misses, which add up exactly. */
export class ClassificationSums {
  readonly kind = 'classification';
  readonly classes: readonly Category[];
  /** Rows by actual and predicted class, classes × classes. */
  readonly confusion: Float64Array<ArrayBuffer>;
  /** Σ −log p of the actual class; undefined where the model gives no probabilities. */
  logLoss: number | undefined = 0;
  /** Of two classes: rows by bin of their score. */
  readonly positives: Float64Array<ArrayBuffer>;
  readonly negatives: Float64Array<ArrayBuffer>;

  constructor(classes: readonly Category[]) {
    this.classes = [...classes];
    const bins = classes.length === 2 ? scoreBins : 0;
    this.confusion = new Float64Array(classes.length ** 2);
    this.positives = new Float64Array(bins);
    this.negatives = new Float64Array(bins);
  }

  static of({ classes, actual, predicted, probabilities, scores }: ClassifiedRows): ClassificationSums {
    const sums = new ClassificationSums(classes);
    const count = classes.length;
    for (let row = 0; row < actual.length; row++) {
      const wanted = actual[row] as number;
      const cell = wanted * count + (predicted[row] as number);
      sums.confusion[cell] = (sums.confusion[cell] as number) + 1;
    }
    sums.logLoss = probabilities && sumLogLoss(actual, probabilities, count);
    const hasScores = count === 2 && (scores !== undefined || probabilities !== undefined);
    for (let row = 0; hasScores && row < actual.length; row++) {
      const score = scores?.[row] ?? logit(probabilities?.[row * 2 + 1] as number);
      const bins = actual[row] === 1 ? sums.positives : sums.negatives;
      const bin = binOf(score);
      bins[bin] = (bins[bin] as number) + 1;
    }
    return sums;
  }

  get rows(): number {
    return this.confusion.reduce((sum, count) => sum + count, 0);
  }

  /**
   * The sums of both. What one side knows nothing of, log loss or scores, is unknown of both. Throws InvalidDataError
   * where classes differ.
   */
  merge(other: ClassificationSums): ClassificationSums {
    if (JSON.stringify(other.classes) !== JSON.stringify(this.classes)) {
      throw new InvalidDataError(
        `evaluations are of classes ${show(other.classes)} and ${show(this.classes)}, expected the same`,
      );
    }
    const merged = new ClassificationSums(this.classes);
    const areAllScored = [this, other].every((part) => part.#hasScores() || part.rows === 0);
    for (const part of [this, other]) {
      addInto(merged.confusion, part.confusion);
      if (!areAllScored) continue;
      addInto(merged.positives, part.positives);
      addInto(merged.negatives, part.negatives);
    }
    merged.logLoss =
      this.logLoss === undefined || other.logLoss === undefined ? undefined : this.logLoss + other.logLoss;
    return merged;
  }

  /** The metrics that these sums know; NaN where there are no rows to know it from. */
  metrics(): { [Name in ClassificationMetric]?: number } {
    const { logLoss, rows } = this;
    const area = areaOfGroups(this.positives, this.negatives);
    return {
      accuracy: this.#diagonal() / rows,
      ...(logLoss === undefined ? {} : { logLoss: logLoss / rows }),
      precision: this.#overClasses((hits, predicted) => ratio(hits, predicted)),
      recall: this.#overClasses((hits, _predicted, actual) => ratio(hits, actual)),
      f1: this.#overClasses((hits, predicted, actual) => ratio(2 * hits, predicted + actual)),
      ...(this.classes.length === 2 && this.#hasScores() ? { auc: area } : {}),
    };
  }

  toJSON(): ClassificationSumsJson {
    return {
      kind: 'classification',
      classes: this.classes,
      confusion: Array.from(this.confusion),
      logLoss: this.logLoss ?? null,
      positives: sparse(this.positives),
      negatives: sparse(this.negatives),
    };
  }

  /** Reads what `toJSON` wrote, from anybody. Throws MalformedDataError. */
  static fromJSON(form: { readonly [key: string]: unknown }): ClassificationSums {
    const { classesMax, rowsMax } = tableLimits;
    const classes = requireList(form.classes, 'classes', { lengthMax: classesMax });
    const isSorted =
      areCategories(classes) &&
      classes.every((entry, i) => i === 0 || compareCategories(classes[i - 1] as Category, entry) < 0);
    if (classes.length < 2 || !isSorted) {
      throw new MalformedDataError(
        `classes are ${show(classes)}, expected two or more, sorted, all of one kind`,
      );
    }
    const sums = new ClassificationSums(classes as readonly Category[]);
    requireList(form.confusion, 'confusion', { length: classes.length ** 2 }).forEach((count, cell) => {
      sums.confusion[cell] = requireWhole(count, `confusion[${cell}]`, 0, rowsMax);
    });
    requireWhole(sums.rows, 'rows of the confusion', 0, rowsMax);
    sums.logLoss = form.logLoss === null ? undefined : requireNumber(form.logLoss, 'logLoss', 0);
    readSparse(form.positives, sums.positives, 'positives');
    readSparse(form.negatives, sums.negatives, 'negatives');
    if (sums.#hasScores()) {
      for (const [row, bins] of [sums.negatives, sums.positives].entries()) {
        const scored = bins.reduce((sum, count) => sum + count, 0);
        const rows = (sums.confusion[2 * row] as number) + (sums.confusion[2 * row + 1] as number);
        if (scored !== rows) throw new MalformedDataError(`${scored} rows have scores, expected ${rows}`);
      }
    }
    return sums;
  }

  #hasScores(): boolean {
    return this.positives.some((count) => count > 0) || this.negatives.some((count) => count > 0);
  }

  #diagonal(): number {
    let hits = 0;
    for (let k = 0; k < this.classes.length; k++)
      hits += this.confusion[k * (this.classes.length + 1)] as number;
    return hits;
  }

  /** Of the second of two classes; of more, the mean over classes. */
  #overClasses(metric: (hits: number, predicted: number, actual: number) => number): number {
    const count = this.classes.length;
    const of = (k: number): number => {
      let predicted = 0;
      let actual = 0;
      for (let other = 0; other < count; other++) {
        predicted += this.confusion[other * count + k] as number;
        actual += this.confusion[k * count + other] as number;
      }
      return metric(this.confusion[k * count + k] as number, predicted, actual);
    };
    if (count === 2) return of(1);
    let sum = 0;
    for (let k = 0; k < count; k++) sum += of(k);
    return sum / count;
  }
}

/** 0 where nothing was predicted or nothing was there to find, as scikit-learn counts it. */
function ratio(hits: number, of: number): number {
  return of === 0 ? 0 : hits / of;
}

function sumLogLoss(actual: ArrayLike<number>, probabilities: ArrayLike<number>, classes: number): number {
  let sum = 0;
  for (let row = 0; row < actual.length; row++) {
    const p = probabilities[row * classes + (actual[row] as number)] as number;
    sum -= Math.log(Math.max(p, probabilityMin));
  }
  // −0 of a single sure row has no meaning of its own.
  return sum + 0;
}

function addInto(target: Float64Array, source: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + (source[i] as number);
}

function sparse(bins: Float64Array): number[] {
  const entries: number[] = [];
  bins.forEach((count, bin) => {
    if (count > 0) entries.push(bin, count);
  });
  return entries;
}

function readSparse(json: unknown, bins: Float64Array, what: string): void {
  const entries = requireList(json, what, { lengthMax: 2 * bins.length });
  if (entries.length % 2 !== 0) throw new MalformedDataError(`${what} must be pairs of a bin and a count`);
  for (let i = 0; i < entries.length; i += 2) {
    const least = i === 0 ? 0 : (entries[i - 2] as number) + 1;
    const bin = requireWhole(entries[i], `${what}[${i}]`, least, bins.length - 1);
    bins[bin] = requireWhole(entries[i + 1], `${what}[${i + 1}]`, 1, tableLimits.rowsMax);
  }
}
