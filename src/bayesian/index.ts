// Every public name of mainstem/bayesian, by hand.

export type { PosteriorChildOptions } from '../children/PosteriorChild.ts';
export { PosteriorChild } from '../children/PosteriorChild.ts';
export type { PosteriorsCoordinatorOptions } from '../coordinators/posteriors/DistributedPosteriorsCoordinator.ts';
export { DistributedPosteriorsCoordinator } from '../coordinators/posteriors/DistributedPosteriorsCoordinator.ts';
export type { Schedule } from '../coordinators/posteriors/schedules.ts';
export { DidNotConvergeError } from '../errors.ts';
export type { BayesianModel } from '../models/bayesian/BayesianModel.ts';
export type { Belief, Beliefs } from '../models/bayesian/beliefs.ts';
export { divideBeliefs, multiplyBeliefs, uniformBeliefs } from '../models/bayesian/beliefs.ts';
export type { RoundReport } from '../models/bayesian/Convergence.ts';
export type {
  BayesianLinearRegressionOptions,
  PredictedLabel,
  RegressionBeliefs,
} from '../models/bayesian/conjugate/BayesianLinearRegression.ts';
export { BayesianLinearRegression } from '../models/bayesian/conjugate/BayesianLinearRegression.ts';
export { ConjugateModel } from '../models/bayesian/conjugate/ConjugateModel.ts';
export { BetaBernoulli, DirichletCategorical, GammaPoisson } from '../models/bayesian/conjugate/counts.ts';
export {
  betaBernoulliMessage,
  dirichletCategoricalMessage,
  gammaPoissonMessage,
  linearRegressionMessage,
  noisyLinearRegressionMessage,
} from '../models/bayesian/conjugate/messages.ts';
export type { Exchange, ExchangeOptions } from '../models/bayesian/exchange.ts';
export { exchangeMessages } from '../models/bayesian/exchange.ts';
export { Bernoulli } from '../models/bayesian/families/Bernoulli.ts';
export { Beta } from '../models/bayesian/families/Beta.ts';
export { DiagonalGaussian } from '../models/bayesian/families/DiagonalGaussian.ts';
export { Dirichlet } from '../models/bayesian/families/Dirichlet.ts';
export { Distribution } from '../models/bayesian/families/Distribution.ts';
export { Gamma } from '../models/bayesian/families/Gamma.ts';
export { Gaussian } from '../models/bayesian/families/Gaussian.ts';
export type { NormalInverseGammaParameters } from '../models/bayesian/families/NormalInverseGamma.ts';
export { NormalInverseGamma } from '../models/bayesian/families/NormalInverseGamma.ts';
export { VectorGaussian } from '../models/bayesian/families/VectorGaussian.ts';
export { MessageModel } from '../models/bayesian/MessageModel.ts';
export type {
  MatchboxRecommenderOptions,
  Recommendation,
} from '../models/bayesian/matchbox/MatchboxRecommender.ts';
export { MatchboxRecommender } from '../models/bayesian/matchbox/MatchboxRecommender.ts';
export type { Rating } from '../models/bayesian/matchbox/ratings.ts';
export type {
  Batch,
  BayesPointMachineOptions,
  WeightsBeliefs,
} from '../models/bayesian/probit/BayesPointMachine.ts';
export { BayesPointMachine } from '../models/bayesian/probit/BayesPointMachine.ts';
export type { MessageStatus, Proposal } from '../models/bayesian/SharedVariable.ts';
export { SharedVariable } from '../models/bayesian/SharedVariable.ts';
export type { Proposals } from '../models/bayesian/SharedVariables.ts';
export { SharedVariables } from '../models/bayesian/SharedVariables.ts';
