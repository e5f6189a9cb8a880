// Every public name of mainstem/bayesian, by hand.

export { DidNotConvergeError } from '../../errors.ts';
export { BayesPointMachine } from './BayesPointMachine.ts';
export {
  betaBernoulliMessage,
  dirichletCategoricalMessage,
  gammaPoissonMessage,
  linearRegressionMessage,
  noisyLinearRegressionMessage,
} from './conjugate.ts';
export type { Belief, Exchange, ExchangeOptions, Machine } from './exchange.ts';
export { exchangeMessages } from './exchange.ts';
export { FactorisedBayesPointMachine } from './FactorisedBayesPointMachine.ts';
export { Bernoulli } from './families/Bernoulli.ts';
export { Beta } from './families/Beta.ts';
export { DiagonalGaussian } from './families/DiagonalGaussian.ts';
export { Dirichlet } from './families/Dirichlet.ts';
export { Distribution } from './families/Distribution.ts';
export { Gamma } from './families/Gamma.ts';
export { Gaussian } from './families/Gaussian.ts';
export type { NormalInverseGammaParameters } from './families/NormalInverseGamma.ts';
export { NormalInverseGamma } from './families/NormalInverseGamma.ts';
export { VectorGaussian } from './families/VectorGaussian.ts';
export type { BayesPointMachineOptions } from './probitRows.ts';
export type { MessageStatus } from './SharedVariable.ts';
export { SharedVariable } from './SharedVariable.ts';
