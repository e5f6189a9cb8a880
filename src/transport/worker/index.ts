// Every public name of mainstem/worker, by hand: children in worker threads and Web Workers.

export { WorkerFailedError } from '../../errors.ts';
export type { ParentTransportOptions } from './ParentTransport.ts';
export { ParentTransport } from './ParentTransport.ts';
export type { NodeMessageSource, ParentLike, WebMessageSource, WorkerLike } from './ports.ts';
export type { ChildInWorker, ChildModuleContext, RunChildOptions } from './runChildInWorker.ts';
export { runChildInWorker } from './runChildInWorker.ts';
export type { WorkerTransportOptions } from './WorkerTransport.ts';
export { WorkerTransport } from './WorkerTransport.ts';
