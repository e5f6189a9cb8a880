import type { Clock, ModelParameters } from 'mainstem';
import { seededRandom } from 'mainstem';
import type { LabelledRows } from './digits.ts';
import { holdOut, inRawPixels, pickRows } from './digits.ts';
import { trainByGradients, trainByParameters } from './federated.ts';
import type { Plan } from './plan.ts';
import { epochsAlone } from './plan.ts';
import type { Progress } from './progress.ts';
import { trainOnRawPixels } from './scaling.ts';
import type { Result, Setting } from './setting.ts';
import { createNetwork } from './setting.ts';
import type { SplitName } from './shards.ts';
import { countClasses, splitRows } from './shards.ts';
import { trainAlone, trainCentrally } from './solo.ts';

/** What a run of the demo needs. */
export interface DemoOptions {
  readonly seed: number;
  readonly children: number;
  readonly plan: Plan;
  readonly rows: LabelledRows;
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
  readonly trainingRows: number;
  readonly heldOutRows: number;
  readonly splits: readonly SplitReport[];
  /** What a scaler changes: the even split again, in raw pixels, without and with one. */
  readonly scaling: readonly Result[];
}

const heldOutShare = 0.2;

/** Trains in four ways on two splits, and on raw pixels. The central model knows no split: it is trained once. */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { seed, children, plan, progress } = options;
  const { training, heldOut } = holdOut(options.rows, heldOutShare, seededRandom(seed, 1));
  const start: ModelParameters = createNetwork({ seed }).getModelParameters();
  const setting: Setting = { ...options, heldOut, start };
  const central = await progress.run(
    { split: undefined, way: 'central', total: epochsAlone(plan), unit: 'epochs' },
    (stage) => trainCentrally(training, stage, setting),
  );
  const splits: SplitReport[] = [];
  for (const name of ['even', 'skewed'] as const) {
    splits.push(await runSplit(name, training, central, setting, children));
  }
  return {
    seed,
    children,
    trainingRows: training.labels.length,
    heldOutRows: heldOut.labels.length,
    splits,
    scaling: await runScaling(training, setting, children),
  };
}

async function runScaling(training: LabelledRows, setting: Setting, children: number): Promise<Result[]> {
  const { seed, plan, progress } = setting;
  const shards = splitRows('even', training.labels, children, seededRandom(seed, 2)).map((part) =>
    inRawPixels(pickRows(training, part)),
  );
  const raw: Setting = { ...setting, heldOut: inRawPixels(setting.heldOut) };
  const results: Result[] = [];
  for (const way of ['unscaled', 'scaled'] as const) {
    const info = { split: 'raw', way, total: plan.scaling.rounds, unit: 'rounds' } as const;
    results.push(await progress.run(info, (stage) => trainOnRawPixels(way, shards, stage, raw)));
  }
  return results;
}

async function runSplit(
  name: SplitName,
  training: LabelledRows,
  central: Result,
  setting: Setting,
  children: number,
): Promise<SplitReport> {
  const { plan, progress } = setting;
  const parts = splitRows(name, training.labels, children, seededRandom(setting.seed, 2));
  const shards = parts.map((part) => pickRows(training, part));
  const alone = await progress.run(
    { split: name, way: 'alone', total: children, unit: 'children' },
    (stage) => trainAlone(shards, stage, setting),
  );
  const gradients = await progress.run(
    { split: name, way: 'gradients', total: plan.gradients.rounds, unit: 'rounds' },
    (stage) => trainByGradients(shards, stage, setting),
  );
  const parameters = await progress.run(
    { split: name, way: 'parameters', total: plan.parameters.rounds, unit: 'rounds' },
    (stage) => trainByParameters(shards, stage, setting),
  );
  return {
    name,
    rowsPerChild: parts.map((part) => part.length),
    classesPerChild: parts.map((part) => countClasses(training.labels, part)),
    results: [alone, gradients, parameters, central],
  };
}
