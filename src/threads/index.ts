// Every public name of mainstem/threads, by hand: training on several threads of one process.

export { ThreadFailedError, ThreadsClosedError } from '../errors.ts';
export type { ThreadsOptions } from './createThreads.ts';
export { createThreads } from './createThreads.ts';
export type { ThreadsGain } from './gain.ts';
export type { ThreadedTraining } from './Threads.ts';
export { Threads } from './Threads.ts';
