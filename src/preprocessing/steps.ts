import { InvalidDataError, InvalidOptionError, MalformedDataError } from '../errors.ts';
import { tableLimits } from '../limits.ts';
import { show } from '../show.ts';
import { requireAscending, requireList, requireObject } from '../strictJson.ts';
import type { FeatureStatistics } from './FeatureStatistics.ts';
import type { MinMaxScalerDescription, MinMaxScalerStep } from './minMaxScaling.ts';
import { minMaxScaling } from './minMaxScaling.ts';
import type { OneHotEncoderDescription, OneHotEncoderStep } from './oneHotEncoding.ts';
import { oneHotEncoding } from './oneHotEncoding.ts';
import type { FittedColumn, Preprocessor, StepDescription, StepOptions } from './Preprocessor.ts';
import type { StandardScalerDescription, StandardScalerStep } from './standardScaling.ts';
import { standardScaling } from './standardScaling.ts';

/** A step: a StandardScaler, MinMaxScaler or OneHotEncoder, or its name and options as plain JSON. */
export type PreprocessingStep = StandardScalerStep | MinMaxScalerStep | OneHotEncoderStep;

/** Whatever a `preprocessing` option takes for its steps: one or several, by object or by name. */
export type PreprocessingSteps =
  | PreprocessingStep
  | PreprocessingStep['name']
  | readonly (PreprocessingStep | PreprocessingStep['name'])[];

/** A fitted step as plain JSON. */
export type FittedStepDescription =
  | StandardScalerDescription
  | MinMaxScalerDescription
  | OneHotEncoderDescription;

const kinds = new Map<unknown, Preprocessor<StepOptions, StepDescription>>(
  // Each kind is only given options and descriptions of its own name.
  ([standardScaling, minMaxScaling, oneHotEncoding] as unknown as readonly Preprocessor<never, never>[]).map(
    (kind) => [kind.name, kind as Preprocessor<StepOptions, StepDescription>],
  ),
);

const kindOf = (step: { readonly name: string }): Preprocessor<StepOptions, StepDescription> =>
  kinds.get(step.name) as Preprocessor<StepOptions, StepDescription>;

/** The steps that an option means, checked, as plain JSON. Throws InvalidOptionError, also for a column of two. */
export function checkSteps(option: PreprocessingSteps): readonly PreprocessingStep[] {
  const list = Array.isArray(option) ? (option as readonly unknown[]) : [option];
  const steps = list.map((entry) => {
    const step = (typeof entry === 'string' ? { name: entry } : entry) as StepOptions | null;
    const kind = typeof step === 'object' ? kinds.get(step?.name) : undefined;
    if (kind === undefined || step === null) {
      throw new InvalidOptionError(
        `preprocessing has ${show(entry)}, expected steps named ${[...kinds.keys()].join(', ')}`,
      );
    }
    return kind.check(step);
  });
  const claimed = new Map<number | 'rest', string>();
  for (const { name, columns } of steps) {
    for (const column of columns ?? (['rest'] as const)) {
      const other = claimed.get(column);
      if (other !== undefined) {
        const what = column === 'rest' ? 'all columns without a step' : `column ${column}`;
        throw new InvalidOptionError(
          `${what} is claimed by ${other} and by ${name}, expected at most one step`,
        );
      }
      claimed.set(column, name);
    }
  }
  return steps as readonly PreprocessingStep[];
}

/** The columns of these steps that are categorical, ascending. */
export function categoricalColumns(steps: readonly StepOptions[]): number[] {
  return steps
    .filter((step) => kindOf(step).isCategorical)
    .flatMap(({ columns = [] }) => columns)
    .sort((a, b) => a - b);
}

/** Fits each step. Throws InvalidDataError where a step names a column that the statistics do not have. */
export function fitSteps(
  steps: readonly PreprocessingStep[],
  statistics: FeatureStatistics,
): readonly FittedStepDescription[] {
  const { columns: count } = statistics;
  if (count === undefined) throw new InvalidDataError('got statistics of no rows, expected at least one row');
  const claimed = new Set(steps.flatMap(({ columns = [] }) => columns));
  const beyond = [...claimed].find((column) => column >= count);
  if (beyond !== undefined) {
    throw new InvalidDataError(`features have ${count} columns, but a step claims column ${beyond}`);
  }
  const rest = Array.from({ length: count }, (_, column) => column).filter((column) => !claimed.has(column));
  return steps.map((step) =>
    kindOf(step).fit(step, step.columns ?? rest, statistics),
  ) as FittedStepDescription[];
}

/** Reads a stranger's list of fitted steps for so many raw columns. Throws MalformedDataError. */
export function readSteps(json: unknown, count: number): readonly FittedStepDescription[] {
  const claimed = new Set<number>();
  return requireList(json, 'steps', { lengthMax: tableLimits.columnsMax }).map((entry, index) => {
    const what = `steps[${index}]`;
    const form = requireObject(entry, what);
    const kind = kinds.get(form.name);
    if (kind === undefined) {
      throw new MalformedDataError(
        `${what} has name ${show(form.name)}, expected one of ${[...kinds.keys()].join(', ')}`,
      );
    }
    const columns = requireAscending(form.columns, `${what}.columns`, 0, count - 1);
    for (const column of columns) {
      if (claimed.has(column)) throw new MalformedDataError(`${what} claims column ${column} a second time`);
      claimed.add(column);
    }
    const step = kind.read(form, columns);
    // What is not read would be lost, and two sides that agree would differ.
    const unknown = Object.keys(form).find((key) => !Object.hasOwn(step, key));
    if (unknown !== undefined)
      throw new MalformedDataError(`${what} has ${show(unknown)}, expected ${Object.keys(step)}`);
    return step as FittedStepDescription;
  });
}

/** What becomes of each of `count` raw columns; undefined where nothing does. */
export function compileSteps(
  steps: readonly FittedStepDescription[],
  count: number,
): readonly (FittedColumn | undefined)[] {
  const columns = new Array<FittedColumn | undefined>(count).fill(undefined);
  for (const step of steps) {
    const fitted = kindOf(step).compile(step);
    step.columns.forEach((column, index) => {
      columns[column] = fitted[index];
    });
  }
  return columns;
}
