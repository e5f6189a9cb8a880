import type { Clock } from 'mainstem';
import type { Place } from './crews.ts';
import { createCrew } from './crews.ts';
import type { LabelledRows } from './digits.ts';
import { loadDigits } from './digits.ts';
import type { Federation } from './federations.ts';
import { federations, scheduleOf } from './federations.ts';
import { Meeting } from './meeting.ts';
import type { Plan } from './plan.ts';
import { epochsAlone } from './plan.ts';
import type { Progress } from './progress.ts';
import type { Result, Setting } from './setting.ts';
import { createNetwork } from './setting.ts';
import type { SplitName } from './shards.ts';
import { countClasses, dealOut, holdOutForDemo, partsOf } from './shards.ts';
import { trainAlone, trainCentrally } from './solo.ts';

/** What a run of the demo needs. */
export interface DemoOptions {
  readonly seed: number;
  readonly children: number;
  /** Where the children of the federations are. */
  readonly place: Place;
  readonly plan: Plan;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The results under one way of dealing the rows out. */
export interface SplitReport {
  readonly name: SplitName;
  /** For each child: how many rows it has, and of how many classes. */
  readonly rowsPerChild: readonly number[];
  readonly classesPerChild: readonly number[];
  readonly results: readonly Result[];
}

/** What a run of the demo comes to; what `--json` prints. */
export interface DemoReport {
  readonly seed: number;
  readonly children: number;
  /** Where the children of the federations were, for people. */
  readonly childrenRanIn: string;
  readonly trainingRows: number;
  readonly heldOutRows: number;
  readonly splits: readonly SplitReport[];
  /** What a scaler changes: the even split again, in raw pixels, without and with one. */
  readonly scaling: readonly Result[];
}

const splits = ['even', 'skewed'] as const;

/** What each way of training comes to. */
interface Results {
  readonly central: Result;
  readonly alone: ReadonlyMap<SplitName, Result>;
  readonly federated: ReadonlyMap<Federation, Result>;
}

/** Trains in four ways on two splits, and on raw pixels. */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { seed, children, place, plan, signal } = options;
  signal.throwIfAborted();
  const { training, heldOut } = holdOutForDemo(loadDigits(), seed);
  const setting: Setting = { ...options, heldOut, start: createNetwork({ seed }).getModelParameters() };
  const crew = createCrew(place, { seed, children, plan });
  const meeting = await Meeting.open(crew, setting);
  try {
    const results = await trainAllWays(training, meeting, setting);
    return {
      seed,
      children,
      childrenRanIn: crew.description,
      trainingRows: training.labels.length,
      heldOutRows: heldOut.labels.length,
      ...arrange(results, await meeting.traffic(), training, setting),
    };
  } finally {
    await meeting.close();
  }
}

/** One after the other. The central model knows no split: it is trained once. */
async function trainAllWays(training: LabelledRows, meeting: Meeting, setting: Setting): Promise<Results> {
  const { plan, progress, children } = setting;
  const central = await progress.run(
    { split: undefined, way: 'central', total: epochsAlone(plan), unit: 'epochs' },
    (stage) => trainCentrally(training, stage, setting),
  );
  const alone = new Map<SplitName, Result>();
  const federated = new Map<Federation, Result>();
  for (const split of [...splits, 'raw'] as const) {
    if (split !== 'raw') {
      const info = { split, way: 'alone', total: children, unit: 'children' } as const;
      const shards = dealOut(split, training, setting);
      alone.set(split, await progress.run(info, (stage) => trainAlone(shards, stage, setting)));
    }
    for (const federation of federations.filter((each) => each.split === split)) {
      const info = { ...federation, total: scheduleOf(federation.way, plan).rounds, unit: 'rounds' };
      federated.set(federation, await progress.run(info, (stage) => meeting.run(federation, stage)));
    }
  }
  return { central, alone, federated };
}

function arrange(
  { central, alone, federated }: Results,
  traffic: ReadonlyMap<Federation, number>,
  training: LabelledRows,
  setting: Setting,
): Pick<DemoReport, 'splits' | 'scaling'> {
  const resultsOf = (split: Federation['split']): Result[] =>
    [...federated]
      .filter(([federation]) => federation.split === split)
      .map(([federation, result]) => ({ ...result, bytes: traffic.get(federation) ?? 0 }));
  return {
    splits: splits.map((name) => {
      const parts = partsOf(name, training, setting);
      return {
        name,
        rowsPerChild: parts.map((part) => part.length),
        classesPerChild: parts.map((part) => countClasses(training.labels, part)),
        results: [alone.get(name) as Result, ...resultsOf(name), central],
      };
    }),
    scaling: resultsOf('raw'),
  };
}
