import { readFile, writeFile } from 'node:fs/promises';
import type { ModelParameters } from 'mainstem';
import { kernels, LinearRegression, LogisticRegression, NeuralNetwork, seededRandom } from 'mainstem';
import { writeSafetensors } from 'mainstem/files';
import type { ReplayedMain } from 'mainstem/replay';
import { importLog, replayLog } from 'mainstem/replay';
import type { TableRows } from './table.ts';
import { loadTable } from './table.ts';

/** What `mainstem replay` is asked for. */
export interface ReplayRequest {
  readonly file: string;
  /** Number of the last update. */
  readonly until: number;
  /** Children that are left out. */
  readonly without: readonly string[];
  /** Rows that the cost is of. */
  readonly rows: { readonly data: string; readonly label: string } | undefined;
  /** Where the last main is written. */
  readonly save: string | undefined;
}

/** A main of the replay. */
export interface ReplayStep {
  /** The last update that is in it. */
  readonly update: number;
  readonly version: number;
  /** Seconds since the first one; null where main was set. */
  readonly seconds: number | null;
  readonly children: readonly string[];
  /** How far main has moved, as a Euclidean norm. */
  readonly moved: number;
  /** Of main on the rows that were given; null where there are none. */
  readonly cost: number | null;
}

/** What came of it; what `--json` prints. */
export interface ReplayReport {
  readonly file: string;
  readonly kernel: string;
  readonly updates: number;
  readonly without: readonly string[];
  readonly steps: readonly ReplayStep[];
  /** The step after which main was worse than before by most: by its cost, or unless there is one by how far it moved. */
  readonly worst: ReplayStep | null;
}

type CostOf = (main: ModelParameters) => number;

/** Makes main again of a log, main by main. Rejects with an Error of one line that names the file. */
export async function replayFile(request: ReplayRequest, signal: AbortSignal): Promise<ReplayReport> {
  const { file, until, without, rows, save } = request;
  const steps: ReplayStep[] = [];
  let before: ModelParameters | undefined;
  let startedAt: number | undefined;
  let costOf: CostOf | undefined;
  try {
    const store = importLog(new Uint8Array(await read(file)));
    const table =
      rows &&
      (await loadTable(rows.data, { label: rows.label, classes: undefined, random: seededRandom(1) }));
    const onMain = ({ main, at, ...facts }: ReplayedMain): boolean => {
      startedAt ??= at;
      costOf ??= table && costFunction(main, [table.training, table.heldOut]);
      const moved =
        before === undefined || !sameTensors(before, main) ? main.norm() : main.subtract(before).norm();
      const seconds = at === undefined ? null : (at - (startedAt ?? at)) / 1_000;
      steps.push({ ...facts, seconds, moved, cost: costOf?.(main) ?? null });
      before = main;
      return !signal.aborted;
    };
    const onStart = ({ kernel }: { readonly kernel: string }): void => selectKernel(kernel);
    const replay = await replayLog(store, { ...(until < Infinity && { until }), without, onStart, onMain });
    if (save !== undefined) await writeFile(save, writeSafetensors(replay.getModelParameters()));
    return { file, kernel: replay.kernel, updates: replay.updates, without, steps, worst: worstOf(steps) };
  } catch (thrown) {
    const { message } = thrown as Error;
    throw new Error(message.startsWith(rows?.data ?? file) ? message : `${file}: ${message}`, {
      cause: thrown,
    });
  }
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new Error('there is no such file, or it cannot be read', { cause });
  }
}

/** A model as main's architecture has it, which tells the mean cost over all these rows. */
function costFunction(main: ModelParameters, tables: readonly TableRows[]): CostOf {
  const model = modelFor(main);
  const count = tables.reduce((sum, { labels }) => sum + labels.length, 0);
  return (parameters) => {
    model.setModelParameters(parameters);
    const cost = ({ features, labels }: TableRows): number =>
      labels.length * model.computeCost(features, [...labels]);
    return tables.reduce((sum, rows) => sum + cost(rows), 0) / count;
  };
}

function modelFor({ layout }: ModelParameters): LinearRegression | LogisticRegression | NeuralNetwork {
  const name = layout.architecture?.model;
  if (name === 'LinearRegression') return new LinearRegression({});
  if (name === 'LogisticRegression') return new LogisticRegression({});
  if (name === 'NeuralNetwork') return new NeuralNetwork({});
  throw new Error('main names no model that has a cost; leave --data out');
}

function sameTensors(a: ModelParameters, b: ModelParameters): boolean {
  return a.layout.fingerprint === b.layout.fingerprint;
}

function worstOf(steps: readonly ReplayStep[]): ReplayStep | null {
  let worst: ReplayStep | null = null;
  let most = 0;
  for (const [index, step] of steps.entries()) {
    if (index === 0 || step.children.length === 0) continue;
    const before = steps[index - 1] as ReplayStep;
    const harm = step.cost === null || before.cost === null ? step.moved : step.cost - before.cost;
    if (harm <= most) continue;
    most = harm;
    worst = step;
  }
  return worst;
}

/** The kernel that the log was made with, where this engine has it. */
function selectKernel(kernel: string): void {
  const known = kernels.available.find((name) => name === kernel);
  if (known !== undefined) kernels.select(known);
}
