// `meetingProgram.ts <place>` runs the demo's federations for a few rounds, with children in that place, and prints
// what they have come to. A program of its own: its worker threads and processes have its loader of TypeScript.
import { systemClock } from 'mainstem';
import type { Place } from '../../src/cli/crews.ts';
import { createCrew } from '../../src/cli/crews.ts';
import { loadDigits } from '../../src/cli/digits.ts';
import { federationName, federations } from '../../src/cli/federations.ts';
import { Meeting } from '../../src/cli/meeting.ts';
import type { Plan } from '../../src/cli/plan.ts';
import { createProgress } from '../../src/cli/progress.ts';
import { createNetwork } from '../../src/cli/setting.ts';
import { holdOutForDemo } from '../../src/cli/shards.ts';
import { useSourcesInWorkers } from './sourceWorkers.ts';

/** What is printed of each federation. */
export interface FederationOutcome {
  readonly name: string;
  readonly accuracy: number;
  readonly isComplete: boolean;
  readonly bytes: number;
  readonly version: number;
  readonly parameters: readonly number[];
}

useSourcesInWorkers();

const plan: Plan = {
  gradients: { rounds: 4, learningRate: 0.02 },
  parameters: { rounds: 3, epochs: 2, learningRate: 0.005, batchSize: 16 },
  scaling: { rounds: 3, epochs: 1, learningRate: 0.1, batchSize: 16 },
};
const task = { seed: 4, children: 5, plan };
const { signal } = new AbortController();
const meeting = await Meeting.open(createCrew(process.argv[2] as Place, task), {
  ...task,
  signal,
  heldOut: holdOutForDemo(loadDigits(), task.seed).heldOut,
  start: createNetwork({ seed: task.seed }).getModelParameters(),
  clock: systemClock,
  progress: createProgress(process.stderr),
});
try {
  const outcomes: Omit<FederationOutcome, 'bytes'>[] = [];
  for (const federation of federations) {
    const { accuracy } = await meeting.run(federation, { advance() {} });
    const { coordinator, isComplete = false } = meeting.runs.get(federation) ?? {};
    const main = coordinator?.getModelParameters();
    outcomes.push({
      name: federationName(federation),
      accuracy,
      isComplete,
      version: coordinator?.version ?? 0,
      parameters: [...(main?.values ?? [])],
    });
  }
  const traffic = [...(await meeting.traffic()).values()];
  process.stdout.write(JSON.stringify(outcomes.map((outcome, i) => ({ ...outcome, bytes: traffic[i] }))));
} finally {
  await meeting.close();
}
