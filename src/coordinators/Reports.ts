import { LimitExceededError, MalformedDataError } from '../errors.ts';
import { Evaluation } from '../evaluation/Evaluation.ts';
import { FeatureStatistics } from '../preprocessing/FeatureStatistics.ts';
import type { ReportSubject } from '../protocol/messages.ts';
import { show } from '../show.ts';
import { checkChildId } from './Membership.ts';

/** What several children together say of one main. */
export interface CombinedEvaluation {
  /** The version of main that was evaluated: the newest that anybody has reported on. */
  readonly version: number;
  /** Ids of the children whose sums are in it, sorted. */
  readonly children: readonly string[];
  /** As if all their rows had been evaluated in one place. */
  readonly evaluation: Evaluation;
}

/** What several children together say of the columns of their rows. */
export interface CombinedFeatureStatistics {
  /** Ids of the children whose sums are in it, sorted. */
  readonly children: readonly string[];
  /** As if all their rows were in one place. */
  readonly statistics: FeatureStatistics;
}

/** What reports need of their coordinator. */
export interface ReportsOptions {
  /** Children whose reports are kept. One more is refused. */
  readonly childrenMax: number;
  /** Version of main. */
  version(): number;
  received(childId: string, subject: ReportSubject): void;
}

interface KeptEvaluation {
  readonly version: number;
  readonly evaluation: Evaluation;
}

/**
 * Sums that children report besides their updates. The latest of each child is kept until the child leaves; they are
 * added up when they are asked for, so that nobody waits for a child that never reports.
 */
export class Reports {
  readonly #options: ReportsOptions;
  readonly #evaluations = new Map<string, KeptEvaluation>();
  readonly #statistics = new Map<string, FeatureStatistics>();

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /**
   * Takes a child's evaluation of a version of main, in place of its earlier one. Throws MalformedDataError for a
   * version that there has not been, InvalidDataError where it is of other classes or outputs than those of others,
   * LimitExceededError where there are too many children.
   */
  addEvaluation(evaluation: Evaluation, { childId, version }: { childId: string; version: number }): void {
    const newest = this.#options.version();
    if (!(Number.isSafeInteger(version) && version >= 0 && version <= newest)) {
      throw new MalformedDataError(`an evaluation of version ${show(version)}, main is at ${newest}`);
    }
    this.#checkRoom(this.#evaluations, childId);
    const other = anyOther(this.#evaluations, childId);
    // Whether sums add up is found out when they come, where their sender hears of it.
    other?.evaluation.merge(evaluation);
    this.#evaluations.set(childId, { version, evaluation });
    this.#options.received(childId, 'evaluation');
  }

  /** Takes the statistics of a child's columns, in place of its earlier ones. Throws as `addEvaluation` does. */
  addFeatureStatistics(statistics: FeatureStatistics, { childId }: { childId: string }): void {
    this.#checkRoom(this.#statistics, childId);
    anyOther(this.#statistics, childId)?.merge(statistics);
    this.#statistics.set(childId, statistics);
    this.#options.received(childId, 'featureStatistics');
  }

  /** The evaluations of the newest version that any child has reported on; undefined before there are any. */
  get evaluation(): CombinedEvaluation | undefined {
    const version = Math.max(...[...this.#evaluations.values()].map((kept) => kept.version));
    const newest = [...this.#evaluations].filter(([, kept]) => kept.version === version);
    const combined = combine(newest.map(([id, kept]) => [id, kept.evaluation] as const));
    return combined && { version, children: combined.children, evaluation: combined.sum };
  }

  /** The statistics of all columns over all children that have reported; undefined before there are any. */
  get featureStatistics(): CombinedFeatureStatistics | undefined {
    const combined = combine([...this.#statistics]);
    return combined && { children: combined.children, statistics: combined.sum };
  }

  /** Forgets all reports. */
  clear(): void {
    this.#evaluations.clear();
    this.#statistics.clear();
  }

  /** Forgets the reports of a child. */
  forget(childId: string): void {
    this.#evaluations.delete(childId);
    this.#statistics.delete(childId);
  }

  /** Reads and takes what a remote child has sent. */
  receive(childId: string, subject: ReportSubject, version: number | null, content: unknown): void {
    switch (subject) {
      case 'evaluation':
        if (version === null) throw new MalformedDataError('an evaluation names the version of main');
        this.addEvaluation(Evaluation.fromJSON(content), { childId, version });
        return;
      case 'featureStatistics':
        this.addFeatureStatistics(FeatureStatistics.fromJSON(content), { childId });
    }
  }

  #checkRoom(kept: ReadonlyMap<string, unknown>, childId: string): void {
    checkChildId(childId);
    const { childrenMax } = this.#options;
    if (kept.has(childId) || kept.size < childrenMax) return;
    throw new LimitExceededError(
      `reports of ${kept.size} children are kept, at most ${childrenMax} are allowed`,
    );
  }
}

/** Sums of the same kind. */
interface Mergeable<T> {
  merge(other: T): T;
}

function anyOther<T>(kept: ReadonlyMap<string, T>, childId: string): T | undefined {
  for (const [id, value] of kept) if (id !== childId) return value;
  return undefined;
}

/** All of them added up, by id, so that the order of arrival does not matter. */
function combine<T extends Mergeable<T>>(
  parts: readonly (readonly [string, T])[],
): { children: string[]; sum: T } | undefined {
  const sorted = [...parts].sort(([a], [b]) => (a < b ? -1 : 1));
  const [first, ...others] = sorted;
  if (first === undefined) return undefined;
  const sum = others.reduce((total, [, part]) => total.merge(part), first[1]);
  return { children: sorted.map(([id]) => id), sum };
}
