// Every public name of mainstem/testing, by hand.

export type { ContractCase } from './contract.ts';
export { runContract } from './contract.ts';
export type { MergerContractOptions } from './mergerContract.ts';
export { mergerContract } from './mergerContract.ts';
export type { ModelContractOptions } from './modelContract.ts';
export { modelContract } from './modelContract.ts';
export type { OptimizerContractOptions } from './optimizerContract.ts';
export { optimizerContract } from './optimizerContract.ts';
export { storeContract } from './storeContract.ts';
export type { TransportContractOptions } from './transportContract.ts';
export { transportContract } from './transportContract.ts';
export { VirtualClock } from './VirtualClock.ts';
