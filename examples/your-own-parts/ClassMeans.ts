import type { Features, Label, Labels, Model } from 'mainstem';
import { LayoutMismatchError, ModelParameters } from 'mainstem';

/** A model of our own: remembers the mean row of each class and predicts the class whose mean is nearest. */
export class ClassMeans implements Model {
  readonly #classes: readonly string[];
  /** classes × features. */
  #means: number[][] = [];
  #sampleCount = 0;

  /** Classes are named beforehand, so that every child has the same ones in the same order. */
  constructor(classes: readonly string[]) {
    this.#classes = classes;
  }

  /** Learns in one pass, so it returns one cost: the mean squared distance of a row to the mean of its class. */
  train(features: Features, labels: Labels): number[] {
    // Everything is checked before anything changes: a model that refuses rows stays as it was.
    const rows = readRows(features);
    const places = (labels as readonly Label[]).map((label) => this.#classes.indexOf(String(label)));
    if (places.length !== rows.length) throw new RangeError(`${places.length} labels, ${rows.length} rows`);
    if (places.includes(-1)) throw new RangeError(`classes are ${this.#classes.join(', ')}`);
    this.#means = this.#classes.map((_class, place) => {
      const own = rows.filter((_row, index) => places[index] === place);
      return rows[0]!.map((_value, column) => mean(own.map((row) => row[column]!)));
    });
    this.#sampleCount = rows.length;
    return [mean(rows.map((row, index) => squaredDistance(row, this.#means[places[index]!]!)))];
  }

  predict(features: Features): Label[] {
    return readRows(features).map((row) => {
      const distances = this.#means.map((center) => squaredDistance(row, center));
      return this.#classes[distances.indexOf(Math.min(...distances))]!;
    });
  }

  /** `fromArrays` copies, as the contract asks. The architecture keeps models with other classes out. */
  getModelParameters(): ModelParameters {
    return ModelParameters.fromArrays(
      { means: this.#means },
      { sampleCount: this.#sampleCount, architecture: { model: 'ClassMeans', classes: this.#classes } },
    );
  }

  setModelParameters(parameters: ModelParameters): void {
    parameters.assertFinite('parameters');
    if (this.#means.length > 0) this.getModelParameters().layout.assertFits(parameters.layout);
    const { means } = parameters.toArrays();
    if (means === undefined) throw new LayoutMismatchError('expected a tensor named means');
    this.#means = means as number[][];
  }
}

function readRows(features: Features): number[][] {
  const rows = features as number[][];
  const isMatrix = rows.length > 0 && rows.every((row) => row.length === rows[0]!.length);
  if (!isMatrix) throw new RangeError('expected at least one row, and as many columns in each');
  return rows;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function squaredDistance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0);
}
