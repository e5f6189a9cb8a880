import type { GradientsCoordinatorOptions } from '../coordinators/DistributedGradientsCoordinator.ts';
import { DistributedGradientsCoordinator } from '../coordinators/DistributedGradientsCoordinator.ts';
import type { ModelParametersCoordinatorOptions } from '../coordinators/DistributedModelParametersCoordinator.ts';
import { DistributedModelParametersCoordinator } from '../coordinators/DistributedModelParametersCoordinator.ts';
import type { CoordinatorOptions } from '../coordinators/options.ts';
import type { RoundsCoordinatorOptions } from '../coordinators/RoundsCoordinator.ts';
import type { ModeOption } from '../coordinators/rounds/Mode.ts';
import { InvalidOptionError } from '../errors.ts';
import type { ModelParametersMergerOptions } from '../mergers/ModelParametersMerger.ts';
import { ModelParametersMerger } from '../mergers/ModelParametersMerger.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import { show } from '../show.ts';

/** A coordinator in plain JSON: its kind, and those of its options that the numbers of main depend on. */
export type CoordinatorDescription =
  | ({ readonly kind: 'gradients' } & Omit<GradientsCoordinatorOptions, keyof RoundsCoordinatorOptions> &
      Described)
  | ({ readonly kind: 'parameters'; readonly merger?: ModelParametersMergerOptions } & Omit<
      ModelParametersCoordinatorOptions,
      keyof RoundsCoordinatorOptions | 'merger'
    > &
      Described);

/** What both kinds have. */
interface Described {
  readonly mode?: ModeOption;
  readonly sharedTensors?: readonly string[];
}

/** Either kind. */
export type RecordedCoordinator = DistributedGradientsCoordinator | DistributedModelParametersCoordinator;

/** Throws InvalidOptionError unless the description is one, and survives JSON. */
export function checkDescription(description: CoordinatorDescription): CoordinatorDescription {
  const { kind } = description ?? {};
  if (kind !== 'gradients' && kind !== 'parameters')
    throw new InvalidOptionError(`kind is ${show(kind)}, expected 'gradients' or 'parameters'`);
  if (!isPlain(description))
    throw new InvalidOptionError(
      'a coordinator is described in plain JSON: without functions, and with names and settings for objects',
    );
  const copy = JSON.parse(JSON.stringify(description)) as CoordinatorDescription;
  // Whatever else is wrong with it, its constructor says.
  createCoordinator(copy);
  return copy;
}

/** The coordinator that a description means. Throws InvalidOptionError for an illegal one. */
export function createCoordinator(
  description: CoordinatorDescription,
  more: Pick<RoundsCoordinatorOptions, 'clock' | 'roundClock' | 'random' | 'limits' | 'store'> = {},
): RecordedCoordinator {
  const shared = more as CoordinatorOptions;
  if (description.kind === 'gradients') {
    const { kind, sharedTensors, ...options } = description;
    return new DistributedGradientsCoordinator({ ...shared, ...options, ...partOf(sharedTensors) });
  }
  const { kind, sharedTensors, merger, ...options } = description;
  return new DistributedModelParametersCoordinator({
    ...shared,
    ...options,
    ...partOf(sharedTensors),
    ...(merger && { merger: new ModelParametersMerger(merger) }),
  });
}

/** Sets main, however a coordinator of this kind calls it. */
export function setMain(coordinator: RecordedCoordinator, main: ModelParameters): void {
  if (coordinator instanceof DistributedGradientsCoordinator) coordinator.setModelParameters(main);
  else coordinator.setMainModelParameters(main);
}

/** How updates become a new main, by name. */
export function modeName(mode: ModeOption = 'immediate'): string {
  return typeof mode === 'string' ? mode : mode.mode;
}

/** More updates than a round ever has. */
const never = 1_000_000_000;

/** The same coordinator, whose rounds end when they are told to: nobody is asked and nothing is waited for. */
export function withoutWaiting(description: CoordinatorDescription): CoordinatorDescription {
  if (description.kind === 'gradients') {
    const { childrenPerUpdate = 1 } = description;
    return childrenPerUpdate > 1
      ? { ...description, childrenPerUpdate: never }
      : { ...description, ...patientMode(description.mode) };
  }
  return description.childUpdatesPerMerge === undefined
    ? { ...description, ...patientMode(description.mode) }
    : { ...description, childUpdatesPerMerge: never };
}

function patientMode(mode: ModeOption | undefined): { mode?: ModeOption } {
  if (mode === undefined) return {};
  if (modeName(mode) === 'synchronous')
    return { mode: { mode: 'synchronous', children: never, deadline: 'none' } };
  if (typeof mode === 'object' && mode.mode === 'buffered') return { mode: { ...mode, updates: never } };
  if (typeof mode === 'object' && mode.mode === 'boundedStaleness')
    return { mode: { ...mode, updatesAheadMax: never } };
  return { mode };
}

function partOf(sharedTensors: readonly string[] | undefined): { sharedTensors?: string[] } {
  return sharedTensors === undefined ? {} : { sharedTensors: [...sharedTensors] };
}

/** Whether a value is the same after it was JSON. */
function isPlain(value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean')
    return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isPlain);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value as object).every(isPlain);
}
