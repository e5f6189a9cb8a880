import type { PassSession } from '../kernels/TrainingSession.ts';
import type { SessionPlan } from './sessions.ts';

/** Threads that a training may run on. */
export interface TrainingThreads {
  /** The training on these threads, or undefined where it is to run on the thread that asks. */
  createTraining(plan: SessionPlan): PassSession | undefined;
}
