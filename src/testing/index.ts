// Every public name of mainstem/testing, by hand.

export type { ClockContractOptions } from './clockContract.ts';
export { clockContract } from './clockContract.ts';
export type { ContractCase } from './contract.ts';
export { runContract } from './contract.ts';
export type { SettleOptions, SettleOutcome } from './driveTime.ts';
export type { Behaviour, BehaviourContext } from './federation/behaviours.ts';
export type { ChildProfile } from './federation/ChildProfile.ts';
export type { FederationCounts } from './federation/FederationRun.ts';
export type {
  ChildRows,
  FederationSimulation,
  FederationSimulationOptions,
  SimulatedMain,
} from './federation/simulateFederation.ts';
export { simulateFederation } from './federation/simulateFederation.ts';
export type { LabelledRows, SkewedShardsOptions } from './federation/skewedShards.ts';
export { skewedShards } from './federation/skewedShards.ts';
export type { MergerContractOptions } from './mergerContract.ts';
export { mergerContract } from './mergerContract.ts';
export type { ModelContractOptions } from './modelContract.ts';
export { modelContract } from './modelContract.ts';
export type { NetworkEvent, NetworkEventKind, NetworkStatistics } from './NetworkTrace.ts';
export type { Delay, NetworkFaults } from './networkFaults.ts';
export type { OptimizerContractOptions } from './optimizerContract.ts';
export { optimizerContract } from './optimizerContract.ts';
export type { SimulatedWorld, Simulation, SimulationOptions } from './simulate.ts';
export { simulate } from './simulate.ts';
export { storeContract } from './storeContract.ts';
export type { TransportContractOptions } from './transportContract.ts';
export { transportContract } from './transportContract.ts';
export { VirtualClock } from './VirtualClock.ts';
export type { NetworkLink, VirtualNetworkOptions } from './VirtualNetwork.ts';
export { VirtualNetwork } from './VirtualNetwork.ts';
