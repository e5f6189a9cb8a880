import type { Clock } from 'mainstem';
import type { Plan } from './plan.ts';
import type { ProgressStream } from './progress.ts';

/** What a command may touch of the process. */
export interface Surroundings {
  readonly stdout: ProgressStream;
  readonly stderr: ProgressStream;
  readonly clock: Clock;
  /** Aborts when whoever started the command wants it to end. */
  readonly signal: AbortSignal;
  /** How long the demo trains; tests make it short. */
  readonly plan?: Plan;
}
