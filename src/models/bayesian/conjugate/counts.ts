import { InvalidDataError, InvalidOptionError } from '../../../errors.ts';
import { show } from '../../../show.ts';
import { checkOptions, expecting } from '../../options.ts';
import { Beta } from '../families/Beta.ts';
import { Dirichlet } from '../families/Dirichlet.ts';
import { Gamma } from '../families/Gamma.ts';
import { logGamma } from '../gammaFunctions.ts';
import { ConjugateModel } from './ConjugateModel.ts';
import { betaBernoulliMessage, dirichletCategoricalMessage, gammaPoissonMessage } from './messages.ts';

const priorOf = (family: string): ReturnType<typeof expecting> =>
  expecting(`a ${family} distribution`, (value) => (value as Beta | undefined)?.family === family);

/** How probable something is, from whether it was so: Beta(1, 1), which is uniform, unless `prior` is given. */
export class BetaBernoulli extends ConjugateModel<{ readonly probability: Beta }> {
  constructor(options: { readonly prior?: Beta } = {}) {
    const { prior = Beta.of(1, 1) } = checkOptions<{ prior?: Beta }>(options, { prior: priorOf('beta') });
    super({ probability: prior });
  }

  /** Takes outcomes in, in addition to those before. */
  observe(outcomes: Iterable<boolean>): void {
    this.add({ probability: betaBernoulliMessage(outcomes) });
  }

  /** The probability that the next one is true. */
  predict(): number {
    return this.posterior().probability.mean;
  }
}

/** How often something happens in a unit of exposure, from counts: Gamma(1, 1) unless `prior` is given. */
export class GammaPoisson extends ConjugateModel<{ readonly rate: Gamma }> {
  constructor(options: { readonly prior?: Gamma } = {}) {
    const { prior = Gamma.of(1, 1) } = checkOptions<{ prior?: Gamma }>(options, { prior: priorOf('gamma') });
    super({ rate: prior });
  }

  /** Takes counts in, each of a unit of exposure unless `exposures` says otherwise. Throws InvalidDataError. */
  observe(counts: ArrayLike<number>, exposures?: ArrayLike<number>): void {
    this.add({ rate: gammaPoissonMessage(counts, exposures) });
  }

  /** The expected count in so much exposure. */
  predict(exposure = 1): number {
    return this.posterior().rate.mean * exposure;
  }

  /** The probability of this count in so much exposure: negative binomial. Throws InvalidDataError for no whole number. */
  probabilityOf(count: number, exposure = 1): number {
    if (!(Number.isSafeInteger(count) && count >= 0))
      throw new InvalidDataError(`count is ${show(count)}, expected a whole number, 0 or more`);
    const { shape, rate } = this.posterior().rate;
    const logChoose = logGamma(shape + count) - logGamma(shape) - logGamma(count + 1);
    const share = Math.log(exposure) - Math.log(rate + exposure);
    return Math.exp(logChoose + shape * Math.log1p(-exposure / (rate + exposure)) + count * share);
  }
}

/** The shares of categories 0 … size − 1, from what was drawn: Dirichlet(1, …) unless `prior` is given. */
export class DirichletCategorical extends ConjugateModel<{ readonly shares: Dirichlet }> {
  /** Give the number of categories, or a prior of as many. Throws InvalidOptionError. */
  constructor(options: { readonly size?: number; readonly prior?: Dirichlet }) {
    const { size, prior } = checkOptions<{ size?: number; prior?: Dirichlet }>(options, {
      size: expecting('2 or more', (value) => Number.isSafeInteger(value) && Number(value) >= 2),
      prior: expecting('a dirichlet distribution', (value) => value instanceof Dirichlet),
    });
    const shares = prior ?? (size === undefined ? undefined : Dirichlet.of(new Float64Array(size).fill(1)));
    if (shares === undefined || (size ?? shares.mean.length) !== shares.mean.length)
      throw new InvalidOptionError('expected the number of categories, size, or a prior of as many');
    super({ shares });
  }

  /** Takes categories in. Throws InvalidDataError. */
  observe(categories: ArrayLike<number>): void {
    this.add({ shares: dirichletCategoricalMessage(categories, this.prior.shares.natural.length) });
  }

  /** The probability of each category to be the next. */
  predict(): Float64Array {
    return this.posterior().shares.mean;
  }
}
