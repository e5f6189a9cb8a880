import { InvalidDataError, InvalidOptionError, NotTrainedError } from '../../../errors.ts';
import { show } from '../../../show.ts';
import type { Features } from '../../features.ts';
import type { Label, Labels } from '../../labels.ts';
import { checkClasses, encodeLabels, readClassLabels, sortClasses } from '../../labels.ts';
import { aboveZero, checkOptions, countOfOneOrMore, expecting, trueOrFalse } from '../../options.ts';
import type { BayesianModel } from '../BayesianModel.ts';
import { multiplyBeliefs, requireSameVariables, uniformBeliefs } from '../beliefs.ts';
import { DiagonalGaussian } from '../families/DiagonalGaussian.ts';
import { VectorGaussian } from '../families/VectorGaussian.ts';
import { readRows, requireColumns } from '../rows.ts';
import { settle } from '../settle.ts';
import { FactorisedSites } from './FactorisedSites.ts';
import { FullSites } from './FullSites.ts';
import type { ProbitSites } from './ProbitSites.ts';
import { predictRows } from './prediction.ts';
import type { RowLikelihood } from './RowLikelihood.ts';
import { SignLikelihood } from './RowLikelihood.ts';
import { WinnerLikelihood } from './WinnerLikelihood.ts';

/** Options of a Bayes point machine. */
export interface BayesPointMachineOptions {
  /**
   * How weights depend on each other in the posterior: `'full'` (default), or `'diagonal'`: not at all, for more than some 200 features.
   * A sweep takes time in proportion to the features then and not to their square, and a message 16 bytes a weight; means are
   * nearly the same, variances too small where features depend on each other.
   */
  readonly covariance?: 'full' | 'diagonal';
  /** Variance of the noise of a score, above 0. 1. */
  readonly noiseVariance?: number;
  /** Variance of each weight in the prior, whose mean is 0; above 0. 1. */
  readonly priorVariance?: number;
  /** Whether a column of ones is put before the features. False: there is no hidden intercept. */
  readonly fitIntercept?: boolean;
  /** All labels there can be; those of the first rows unless given, so give them where a machine may not see all. */
  readonly classes?: readonly Label[];
  /** Columns of the features, for a machine that has no rows yet; needs `classes`. Those of the first rows unless given. */
  readonly numberOfFeatures?: number;
  /** Sweeps of one training at most; 100. It ends when no mean moves by a millionth of its standard deviation. */
  readonly maximumNumberOfSweeps?: number;
}

/** What is believed of the weights: `weights` for two classes, `weights.<class>` for each of more. */
export type WeightsBeliefs = Readonly<Record<string, VectorGaussian | DiagonalGaussian>>;

/** Some of the rows of a training. */
export interface Batch {
  readonly features: Features;
  readonly labels: Labels;
}

const checks = {
  covariance: expecting("'full' or 'diagonal'", (value) => value === 'full' || value === 'diagonal'),
  noiseVariance: aboveZero,
  priorVariance: aboveZero,
  fitIntercept: trueOrFalse,
  classes: (value: unknown): void => void checkClasses(value as readonly Label[]),
  numberOfFeatures: countOfOneOrMore,
  maximumNumberOfSweeps: countOfOneOrMore,
};

/** What is fixed by the first rows. */
interface Shape {
  readonly columns: number;
  readonly classes: readonly Label[];
  readonly likelihood: RowLikelihood;
  readonly prior: WeightsBeliefs;
}

/**
 * A classifier by expectation propagation (Minka 2001; Herbrich, Graepel and Campbell 2001). The score of a row is x · w with
 * w ~ N(0, priorVariance), and noise of `noiseVariance` is added. Two classes: the second is where that is above 0; more: each has weights
 * of its own, and the highest noisy score wins. Features are taken as they are: there is no hidden scaling. As a BayesianModel it is
 * one of several that share the weights, each with rows of its own.
 */
export class BayesPointMachine implements BayesianModel<WeightsBeliefs> {
  readonly #options: BayesPointMachineOptions;
  #shape: Shape | undefined;
  #batches: ProbitSites[] = [];
  #inbox: WeightsBeliefs | undefined;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: BayesPointMachineOptions = {}) {
    this.#options = checkOptions<BayesPointMachineOptions>(options, checks);
    const { numberOfFeatures, classes, fitIntercept = false } = this.#options;
    if (numberOfFeatures === undefined) return;
    if (classes === undefined)
      throw new InvalidOptionError(
        'numberOfFeatures is for machines without rows, which need classes as well',
      );
    this.#shape = this.#shapeFor(numberOfFeatures + Number(fitIntercept), []);
  }

  /** Throws NotTrainedError before there are rows: how many weights there are is not known. */
  get prior(): WeightsBeliefs {
    return this.#requireShape().prior;
  }

  /** The classes in the order of `predictProbabilities`, or undefined before they are known. */
  get classes(): readonly Label[] | undefined {
    const { classes } = this.#options;
    return this.#shape?.classes ?? (classes && checkClasses(classes));
  }

  /** Takes rows in, in addition to those there are, and learns nothing of them yet. Throws InvalidDataError or UnknownLabelError. */
  observe(features: Features, labels: Labels): void {
    const { fitIntercept = false, covariance = 'full' } = this.#options;
    const rows = readRows(features, fitIntercept);
    const given = readClassLabels(labels, rows.rows);
    const shape = this.#shape ?? this.#shapeFor(rows.columns, given);
    requireColumns(rows.columns, shape.columns);
    const indices = encodeLabels(given, shape.classes);
    const Sites = covariance === 'full' ? FullSites : FactorisedSites;
    this.#batches.push(new Sites(rows, indices, shape.likelihood));
    this.#shape = shape;
  }

  /**
   * Learns from these rows and no others: what was learned before is forgotten. Returns the residual of each sweep: the largest change
   * of a mean, in standard deviations, or of the logarithm of a variance.
   */
  train(features: Features, labels: Labels): number[] {
    return this.trainOnMultipleBatches([{ features, labels }]);
  }

  /** The same with rows that come in parts: the posterior is that of all of them at once. */
  trainOnMultipleBatches(batches: readonly Batch[]): number[] {
    if (batches.length === 0) throw new InvalidDataError('there are no batches, expected at least one');
    const [before, shape] = [this.#batches, this.#shape];
    this.#batches = [];
    try {
      for (const { features, labels } of batches) this.observe(features, labels);
    } catch (thrown) {
      [this.#batches, this.#shape] = [before, shape];
      throw thrown;
    }
    return this.#settle();
  }

  /** Learns from these rows in addition to those that it has learned from. Returns what `train` does. */
  trainIncremental(features: Features, labels: Labels): number[] {
    this.observe(features, labels);
    return this.#settle();
  }

  /** What the rows say of the weights, given what others say. One sweep: what it leaves undone, the next round does. */
  computeMessage(inbox: WeightsBeliefs): WeightsBeliefs {
    requireSameVariables(inbox, this.prior);
    this.#inbox = inbox;
    this.#sweep();
    return this.#message();
  }

  /** Prior, what others have said last, and the rows, together. Throws NotTrainedError before there are rows. */
  posterior(): WeightsBeliefs {
    const { prior } = this;
    const before = this.#inbox === undefined ? prior : multiplyBeliefs(prior, this.#inbox);
    return multiplyBeliefs(before, this.#message());
  }

  /** The most probable class of each row. Throws NotTrainedError. */
  predict(features: Features): Label[] {
    const { classes } = this.#requireShape();
    return this.predictProbabilities(features).map((row) => {
      const best = row.reduce((most, value, index) => (value > (row[most] as number) ? index : most), 0);
      return classes[best] as Label;
    });
  }

  /** Rows × classes, by this posterior; the machine's own unless given. Throws NotTrainedError. */
  predictProbabilities(features: Features, posterior: WeightsBeliefs = this.posterior()): number[][] {
    const { fitIntercept = false } = this.#options;
    const { columns, likelihood, prior } = this.#requireShape();
    requireSameVariables(posterior, prior);
    const rows = readRows(features, fitIntercept);
    requireColumns(rows.columns, columns);
    return predictRows(rows, Object.values(posterior), likelihood);
  }

  /**
   * Logarithm of the evidence of the rows, as expectation propagation has it: how probable their labels were before they were seen,
   * given what others have said. Of models of the same rows the one with the higher evidence is the better explanation. NaN where a
   * row has an improper cavity.
   */
  logEvidence(): number {
    const before = this.#inbox === undefined ? this.prior : multiplyBeliefs(this.prior, this.#inbox);
    const after = this.posterior();
    let sum = 0;
    for (const name of Object.keys(after))
      sum += (after[name]?.logPartition() ?? 0) - (before[name]?.logPartition() ?? 0);
    for (const sites of this.#batches) sum += sites.logEvidence(Object.values(after));
    return sum;
  }

  #settle(): number[] {
    const { maximumNumberOfSweeps = 100 } = this.#options;
    const inference = { posterior: () => this.posterior(), iterate: () => this.#sweep() };
    return settle(inference, maximumNumberOfSweeps);
  }

  #sweep(): void {
    for (const sites of this.#batches) sites.sweep(Object.values(this.posterior()));
  }

  #message(): WeightsBeliefs {
    const { prior } = this.#requireShape();
    let message = uniformBeliefs(prior);
    for (const sites of this.#batches) {
      const own = Object.keys(prior).map((name, vector) => [name, sites.message[vector]] as const);
      message = multiplyBeliefs(message, Object.fromEntries(own) as WeightsBeliefs);
    }
    return message;
  }

  #shapeFor(columns: number, labels: readonly Label[]): Shape {
    const classes = this.classes ?? sortClasses(labels);
    if (classes.length < 2)
      throw new InvalidDataError(
        `labels hold one class only, ${show(classes[0])}; name all of them with the option classes`,
      );
    const { noiseVariance = 1, priorVariance = 1, covariance = 'full' } = this.#options;
    const likelihood =
      classes.length === 2
        ? new SignLikelihood(noiseVariance)
        : new WinnerLikelihood(classes.length, noiseVariance);
    const one =
      covariance === 'full'
        ? VectorGaussian.isotropic(columns, 0, priorVariance)
        : DiagonalGaussian.of(new Float64Array(columns), new Float64Array(columns).fill(priorVariance));
    const names = classes.length === 2 ? ['weights'] : classes.map((label) => `weights.${label}`);
    const prior = Object.fromEntries(names.map((name) => [name, one]));
    if (Object.keys(prior).length < names.length)
      throw new InvalidOptionError(`classes are ${show(classes)}, expected labels that differ as text`);
    return { columns, classes, likelihood, prior };
  }

  #requireShape(): Shape {
    if (this.#shape !== undefined) return this.#shape;
    throw new NotTrainedError('the machine has no rows yet; call train or observe first');
  }
}
