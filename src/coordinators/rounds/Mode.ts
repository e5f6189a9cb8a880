import { InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import { checkCount } from '../options.ts';
import type { DeadlineOption } from './Deadline.ts';
import { Deadline } from './Deadline.ts';
import type { ChildSelection } from './selection.ts';
import type { StalenessWeight } from './staleness.ts';
import { createStalenessWeight } from './staleness.ts';

/** Rounds: one update from each child, all from the same main; main moves once for all of them. */
export interface SynchronousMode {
  readonly mode: 'synchronous';
  /** Updates that end a round; `'all'` (default): one of each child that is there. */
  readonly children?: number | 'all';
  /**
   * Fewest updates that a round ends with when its deadline has passed, or when the last child that could add to it has
   * left; `children` unless given, or 1 where that is `'all'`.
   */
  readonly quorum?: number;
  /** Children that are asked in each round, the first `children` of which end it: over-selection. All unless given. */
  readonly ask?: number;
  /** Which children are asked; `'random'` unless given. `ask` is `children` then, unless given. */
  readonly selection?: ChildSelection;
  /** When a round stops waiting; `{ factor: 3, floor: 0, ceiling: 60_000 }` unless given. */
  readonly deadline?: DeadlineOption;
}

/** What modes that take updates from older mains have in common. */
export interface StalenessOptions {
  /** `'inverseSquareRoot'` unless given. */
  readonly stalenessWeight?: StalenessWeight;
  /**
   * Versions that main may have moved since the update was begun; 16. Above: refused. A parameters coordinator keeps so
   * many mains.
   */
  readonly stalenessMax?: number;
}

/** Main moves with each so many arrivals, of whichever children (FedBuff, Nguyen et al. 2022). */
export interface BufferedMode extends StalenessOptions {
  readonly mode: 'buffered';
  /** Arrivals for each move of main. */
  readonly updates: number;
}

/** Main moves with every update (FedAsync, Xie et al. 2019, with the child's difference instead of its parameters). */
export interface AsynchronousMode extends StalenessOptions {
  readonly mode: 'asynchronous';
  /** Share of an update that main takes over, above 0 and at most 1; 0.6 for parameters, 1 for gradients. */
  readonly mixing?: number;
}

/** As `asynchronous`, but no child may be far ahead of another (stale synchronous parallel, Ho et al. 2013). */
export interface BoundedStalenessMode extends StalenessOptions {
  readonly mode: 'boundedStaleness';
  /** Updates that a child may have given more than the slowest child that is there. Above: refused until that one has. */
  readonly updatesAheadMax: number;
  /** As of `asynchronous`. */
  readonly mixing?: number;
}

/** A mode, in full. */
export type ModeDescription = SynchronousMode | BufferedMode | AsynchronousMode | BoundedStalenessMode;

/**
 * How updates become a new main. `'immediate'` (default): at once, whatever main they started from; a parameters coordinator
 * merges the latest parameters of every child then.
 */
export type ModeOption = 'immediate' | 'synchronous' | 'asynchronous' | ModeDescription;

/** A mode with every default in place: what a round needs to know. Modes differ in nothing else. */
export interface Mode {
  readonly name: ModeDescription['mode'] | 'immediate';
  /** Updates that end a round; Infinity: as many as there are children. */
  readonly needed: number;
  readonly quorum: number;
  readonly isOnePerChild: boolean;
  /** Children that are asked; undefined: all. */
  readonly ask: number | undefined;
  readonly selection: ChildSelection;
  readonly deadline: Deadline | undefined;
  readonly stalenessMax: number;
  weigh(staleness: number): number;
  /** Undefined: what the coordinator thinks best. */
  readonly mixing: number | undefined;
  readonly updatesAheadMax: number;
  /** What an update of parameters says is how far it has come from the main that it started from. */
  readonly takesDifferences: boolean;
}

const immediate: Mode = {
  name: 'immediate',
  needed: 1,
  quorum: 1,
  isOnePerChild: false,
  ask: undefined,
  selection: 'random',
  deadline: undefined,
  stalenessMax: Infinity,
  weigh: () => 1,
  mixing: 1,
  updatesAheadMax: Infinity,
  takesDifferences: false,
};

/** Main moves with each `count` updates, whatever main they started from. */
export function everyUpdates(count: number, isOnePerChild: boolean): Mode {
  const name = isOnePerChild ? 'synchronous' : 'buffered';
  return { ...immediate, name, needed: count, quorum: count, isOnePerChild };
}

/** The mode that an option means. Throws InvalidOptionError for an illegal one. */
export function createMode(option: ModeOption): Mode {
  if (option === 'immediate') return immediate;
  const description = (typeof option === 'string' ? { mode: option } : option) as ModeDescription;
  switch (description?.mode) {
    case 'synchronous':
      return synchronous(description);
    case 'buffered':
      return buffered(description);
    case 'asynchronous':
      refuseUnknownOptions(description, ['mode', 'mixing', ...stalenessNames], 'mode asynchronous');
      return { ...staleMode(description), name: 'asynchronous', mixing: checkMixing(description.mixing) };
    case 'boundedStaleness':
      return boundedStaleness(description);
    default:
      throw new InvalidOptionError(
        `mode is ${show(option)}, expected 'immediate', or { mode: 'synchronous' | 'buffered' | 'asynchronous' | 'boundedStaleness', … }`,
      );
  }
}

const stalenessNames = ['stalenessWeight', 'stalenessMax'];

function synchronous(description: SynchronousMode): Mode {
  const names = ['mode', 'children', 'quorum', 'ask', 'selection', 'deadline'];
  refuseUnknownOptions(description, names, 'mode synchronous');
  const { children = 'all', deadline = {} } = description;
  const needed = children === 'all' ? Infinity : checkCount(children, 'children');
  const { quorum = children === 'all' ? 1 : needed, selection } = description;
  checkCount(quorum, 'quorum');
  if (quorum > needed)
    throw new InvalidOptionError(`quorum is ${quorum}, expected at most children, ${needed}`);
  const { ask = selection === undefined ? undefined : needed } = description;
  if (ask === Infinity)
    throw new InvalidOptionError(
      "selection needs ask, the number of children to select, with children 'all'",
    );
  if (ask !== undefined && needed !== Infinity && checkCount(ask, 'ask') < needed)
    throw new InvalidOptionError(`ask is ${ask}, expected children, ${needed}, or more`);
  if (ask !== undefined) checkCount(ask, 'ask');
  return {
    ...immediate,
    name: 'synchronous',
    needed,
    quorum,
    isOnePerChild: true,
    ask,
    selection: selection ?? 'random',
    deadline: deadline === 'none' ? undefined : new Deadline(deadline),
    stalenessMax: 0,
  };
}

function buffered(description: BufferedMode): Mode {
  refuseUnknownOptions(description, ['mode', 'updates', ...stalenessNames], 'mode buffered');
  const updates = checkCount(description.updates, 'updates');
  return { ...staleMode(description), name: 'buffered', needed: updates, quorum: updates };
}

function boundedStaleness(description: BoundedStalenessMode): Mode {
  const names = ['mode', 'updatesAheadMax', 'mixing', ...stalenessNames];
  refuseUnknownOptions(description, names, 'mode boundedStaleness');
  return {
    ...staleMode(description),
    name: 'boundedStaleness',
    mixing: checkMixing(description.mixing),
    updatesAheadMax: checkCount(description.updatesAheadMax, 'updatesAheadMax'),
  };
}

function staleMode({ stalenessWeight = 'inverseSquareRoot', stalenessMax = 16 }: StalenessOptions): Mode {
  if (!(Number.isSafeInteger(stalenessMax) && stalenessMax >= 0))
    throw new InvalidOptionError(
      `stalenessMax is ${show(stalenessMax)}, expected a whole number of versions, 0 or more`,
    );
  const weigh = createStalenessWeight(stalenessWeight);
  return { ...immediate, stalenessMax, weigh, takesDifferences: true };
}

function checkMixing(mixing: number | undefined): number | undefined {
  if (mixing === undefined || (mixing > 0 && mixing <= 1)) return mixing;
  throw new InvalidOptionError(`mixing is ${mixing}, expected 0 < mixing ≤ 1`);
}
