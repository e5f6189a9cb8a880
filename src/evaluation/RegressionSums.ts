import { InvalidDataError } from '../errors.ts';
import type { Moments } from '../kernels/moments.ts';
import { addRows, combineMoments, createMoments } from '../kernels/moments.ts';
import type { ColumnMomentsJson } from '../kernels/momentsJson.ts';
import { columnMomentsToJson, readColumnMoments } from '../kernels/momentsJson.ts';
import { tableLimits } from '../limits.ts';
import { requireList, requireNumber, requireObject, requireWhole } from '../strictJson.ts';
import type { RegressionMetric } from './metricNames.ts';

/** One evaluated set of rows of a model that predicts numbers, both rows × outputs, row-major. */
export interface PredictedRows {
  readonly predicted: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly rows: number;
  readonly outputs: number;
}

/** The sums of one output as JSON. */
export interface OutputSumsJson {
  readonly squaredError: number;
  readonly absoluteError: number;
  readonly labels: ColumnMomentsJson;
}

/** The JSON form. */
export interface RegressionSumsJson {
  readonly kind: 'regression';
  readonly rows: number;
  readonly outputs: readonly OutputSumsJson[];
}

/** Sums of errors, and moments of the labels, which combine exactly. */
export class RegressionSums {
  readonly kind = 'regression';
  readonly squaredErrors: Float64Array<ArrayBuffer>;
  readonly absoluteErrors: Float64Array<ArrayBuffer>;
  readonly labels: Moments;

  constructor(outputs: number) {
    this.squaredErrors = new Float64Array(outputs);
    this.absoluteErrors = new Float64Array(outputs);
    this.labels = createMoments(outputs);
  }

  static of({ predicted, labels, rows, outputs }: PredictedRows): RegressionSums {
    const sums = new RegressionSums(outputs);
    for (let i = 0; i < rows * outputs; i++) {
      const error = Math.abs((labels[i] as number) - (predicted[i] as number));
      const output = i % outputs;
      sums.squaredErrors[output] = (sums.squaredErrors[output] as number) + error * error;
      sums.absoluteErrors[output] = (sums.absoluteErrors[output] as number) + error;
    }
    addRows(sums.labels, labels, rows);
    return sums;
  }

  get rows(): number {
    return this.labels.rows;
  }

  get outputs(): number {
    return this.squaredErrors.length;
  }

  /** The sums of both. Throws InvalidDataError where the outputs are not as many. */
  merge(other: RegressionSums): RegressionSums {
    if (other.outputs !== this.outputs) {
      throw new InvalidDataError(
        `evaluations are of ${other.outputs} and of ${this.outputs} outputs, expected as many`,
      );
    }
    const merged = new RegressionSums(this.outputs);
    for (const { squaredErrors, absoluteErrors, labels } of [this, other]) {
      for (let j = 0; j < this.outputs; j++) {
        merged.squaredErrors[j] = (merged.squaredErrors[j] as number) + (squaredErrors[j] as number);
        merged.absoluteErrors[j] = (merged.absoluteErrors[j] as number) + (absoluteErrors[j] as number);
      }
      combineMoments(merged.labels, labels);
    }
    return merged;
  }

  /** All metrics; NaN without rows. */
  metrics(): { [Name in RegressionMetric]: number } {
    const numbers = this.rows * this.outputs;
    const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
    return {
      rSquared: this.#rSquared(),
      meanSquaredError: sum(this.squaredErrors) / numbers,
      meanAbsoluteError: sum(this.absoluteErrors) / numbers,
    };
  }

  toJSON(): RegressionSumsJson {
    const outputs = Array.from(this.squaredErrors, (squaredError, j) => ({
      squaredError,
      absoluteError: this.absoluteErrors[j] as number,
      labels: columnMomentsToJson(this.labels, j),
    }));
    return { kind: 'regression', rows: this.rows, outputs };
  }

  /** Reads what `toJSON` wrote, from anybody. Throws MalformedDataError. */
  static fromJSON(form: { readonly [key: string]: unknown }): RegressionSums {
    const { columnsMax, rowsMax } = tableLimits;
    const list = requireList(form.outputs, 'outputs', { lengthMax: columnsMax });
    requireWhole(list.length, 'number of outputs', 1, columnsMax);
    const sums = new RegressionSums(list.length);
    sums.labels.rows = requireWhole(form.rows, 'rows', 1, rowsMax);
    list.forEach((entry, j) => {
      const output = requireObject(entry, `outputs[${j}]`);
      sums.squaredErrors[j] = requireNumber(output.squaredError, `outputs[${j}].squaredError`, 0);
      sums.absoluteErrors[j] = requireNumber(output.absoluteError, `outputs[${j}].absoluteError`, 0);
      readColumnMoments(output.labels, sums.labels, j, `outputs[${j}].labels`);
    });
    return sums;
  }

  /** The mean over outputs. One whose labels are all equal counts 1 where it is predicted exactly, and 0 otherwise. */
  #rSquared(): number {
    const { squares, minimum, maximum } = this.labels;
    let total = 0;
    for (let j = 0; j < this.outputs; j++) {
      const residual = this.squaredErrors[j] as number;
      const spread = squares[j] as number;
      const isConstant = minimum[j] === maximum[j] || spread === 0;
      total += !isConstant ? 1 - residual / spread : residual === 0 ? 1 : 0;
    }
    return total / this.outputs;
  }
}
