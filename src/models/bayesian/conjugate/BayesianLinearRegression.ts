import { InvalidOptionError } from '../../../errors.ts';
import type { Features } from '../../features.ts';
import type { Labels } from '../../labels.ts';
import { readTargets } from '../../labels.ts';
import { aboveZero, checkOptions, countOfOneOrMore, trueOrFalse } from '../../options.ts';
import { NormalInverseGamma } from '../families/NormalInverseGamma.ts';
import { VectorGaussian } from '../families/VectorGaussian.ts';
import { normalQuantile, studentQuantile } from '../quantiles.ts';
import { readRows, requireColumns } from '../rows.ts';
import { ConjugateModel } from './ConjugateModel.ts';
import { linearRegressionMessage, noisyLinearRegressionMessage } from './messages.ts';

/** Options of BayesianLinearRegression. */
export interface BayesianLinearRegressionOptions {
  /** Variance of the noise of a label, where it is known; else it is inferred, with a normal-inverse-gamma distribution. */
  readonly noiseVariance?: number;
  /** Variance of each weight in the prior, whose mean is 0; in units of the noise's variance where that is not known. 1. */
  readonly priorVariance?: number;
  /** Of the prior gamma distribution of 1 / noise variance, where that is not known. 1. */
  readonly noiseShape?: number;
  /** The same. 1. */
  readonly noiseRate?: number;
  /** Whether a column of ones is put before the features; true unless given. */
  readonly fitIntercept?: boolean;
  /** Columns of the features, for a machine that has no rows yet. Those of the first rows unless given. */
  readonly numberOfFeatures?: number;
}

/** What is believed of the weights; with a noise that is not known, of both. */
export type RegressionBeliefs = Readonly<Record<'weights', VectorGaussian | NormalInverseGamma>>;

/** A label as it is predicted. */
export interface PredictedLabel {
  readonly mean: number;
  /** The noise is in it. */
  readonly low: number;
  readonly high: number;
}

const checks = {
  noiseVariance: aboveZero,
  priorVariance: aboveZero,
  noiseShape: aboveZero,
  noiseRate: aboveZero,
  fitIntercept: trueOrFalse,
  numberOfFeatures: countOfOneOrMore,
};

/**
 * Linear regression with a posterior instead of a point: exact (Bishop 2006, section 3.3), also over several machines, in one
 * exchange. Weights: the intercept first, where there is one.
 */
export class BayesianLinearRegression extends ConjugateModel<RegressionBeliefs> {
  readonly #options: BayesianLinearRegressionOptions;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: BayesianLinearRegressionOptions = {}) {
    super();
    this.#options = checkOptions<BayesianLinearRegressionOptions>(options, checks);
    const { noiseVariance, noiseShape, noiseRate } = this.#options;
    if (noiseVariance !== undefined && (noiseShape ?? noiseRate) !== undefined)
      throw new InvalidOptionError(
        'noiseVariance says that the noise is known; expected no prior of it besides',
      );
    const { numberOfFeatures, fitIntercept = true } = this.#options;
    if (numberOfFeatures !== undefined) this.expect(this.#priorOf(numberOfFeatures + Number(fitIntercept)));
  }

  /** Takes rows in, in addition to those before. Throws InvalidDataError, and then nothing has changed. */
  observe(features: Features, labels: Labels): void {
    this.add(this.#read(features, labels));
  }

  /** Learns from these rows and no others. Returns an empty list: there is nothing that is minimised in steps. */
  train(features: Features, labels: Labels): number[] {
    const message = this.#read(features, labels);
    this.reset();
    this.add(message);
    return [];
  }

  /** Learns from these rows in addition to those before. */
  trainIncremental(features: Features, labels: Labels): number[] {
    this.observe(features, labels);
    return [];
  }

  /** Rows × 1: means. Throws NotTrainedError. */
  predict(features: Features): number[][] {
    return this.predictIntervals(features).map(({ mean }) => [mean]);
  }

  /** What the label of each row will be, with this probability between `low` and `high`. 0.9. Throws NotTrainedError. */
  predictIntervals(features: Features, probability = 0.9): PredictedLabel[] {
    const { weights } = this.posterior();
    const { fitIntercept = true, noiseVariance } = this.#options;
    const { data, rows, columns } = readRows(features, fitIntercept);
    requireColumns(columns, weights.dimension);
    const { mean: center } = weights;
    const [inverse, scale, noise, quantile] = predictive(weights, noiseVariance, (1 + probability) / 2);
    return Array.from({ length: rows }, (_, row) => {
      const x = data.subarray(row * columns, (row + 1) * columns);
      let [mean, spread] = [0, 0];
      for (let r = 0; r < columns; r++) {
        mean += (x[r] as number) * (center[r] as number);
        for (let c = 0; c < columns; c++)
          spread += (x[r] as number) * (inverse[r * columns + c] as number) * (x[c] as number);
      }
      const reach = quantile * Math.sqrt(scale * spread + noise);
      return { mean, low: mean - reach, high: mean + reach };
    });
  }

  /** What these rows say; the first ones say how many weights there are. */
  #read(features: Features, labels: Labels): RegressionBeliefs {
    const { noiseVariance, fitIntercept = true } = this.#options;
    const rows = readRows(features, fitIntercept);
    const { data: targets } = readTargets(labels, rows.rows, 'float64');
    if (this.hasPrior) requireColumns(rows.columns, this.prior.weights.dimension);
    const weights =
      noiseVariance === undefined
        ? noisyLinearRegressionMessage(rows, targets)
        : linearRegressionMessage(rows, targets, noiseVariance);
    if (!this.hasPrior) this.expect(this.#priorOf(rows.columns));
    return { weights };
  }

  #priorOf(columns: number): RegressionBeliefs {
    const { noiseVariance, priorVariance = 1, noiseShape = 1, noiseRate = 1 } = this.#options;
    const isotropic = VectorGaussian.isotropic(columns, 0, priorVariance);
    if (noiseVariance !== undefined) return { weights: isotropic };
    const { precision } = isotropic;
    const mean = new Float64Array(columns);
    return { weights: NormalInverseGamma.of({ mean, precision, shape: noiseShape, rate: noiseRate }) };
  }
}

/** A matrix, what it is multiplied by, the variance of the noise, and how many standard deviations an interval reaches. */
function predictive(
  weights: VectorGaussian | NormalInverseGamma,
  noiseVariance: number | undefined,
  probability: number,
): readonly [Float64Array, number, number, number] {
  if (weights instanceof VectorGaussian)
    return [weights.covariance, 1, noiseVariance as number, normalQuantile(probability)];
  // A Student distribution: of 2 · shape degrees of freedom, and of this scale.
  const { shape, rate } = weights;
  return [weights.inverse, rate / shape, rate / shape, studentQuantile(probability, 2 * shape)];
}
