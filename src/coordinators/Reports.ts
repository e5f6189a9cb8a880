import { InvalidDataError, LimitExceededError, MalformedDataError } from '../errors.ts';
import { Evaluation } from '../evaluation/Evaluation.ts';
import { architectureClasses } from '../models/classification.ts';
import { rawColumnsOf } from '../models/rawColumns.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { FeatureStatistics } from '../preprocessing/FeatureStatistics.ts';
import type { ReportSubject } from '../protocol/messages.ts';
import { show } from '../show.ts';
import type { Mergeable } from './KeptReports.ts';
import { KeptReports } from './KeptReports.ts';
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
  readonly main: { readonly version: number; readonly layout: ParameterLayout | undefined };
  received(childId: string, subject: ReportSubject): void;
}

/**
 * Sums that children report besides their updates. The latest of each child is kept until the child leaves; they are
 * added up when they are asked for, so that nobody waits for a child that never reports.
 */
export class Reports {
  readonly #options: ReportsOptions;
  readonly #statistics = new KeptReports<FeatureStatistics>();
  #evaluations = new KeptReports<Evaluation>();
  /** Version of main that the evaluations are of: the newest that anybody has reported on. */
  #evaluated = 0;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /**
   * Takes a child's evaluation of a version of main, in place of its earlier one. The first of a newer version takes the
   * place of all; what comes late, for an older one, is not kept. Throws MalformedDataError for a version that there has
   * not been, InvalidDataError where it does not add to those of others, LimitExceededError for too many children.
   */
  addEvaluation(evaluation: Evaluation, { childId, version }: { childId: string; version: number }): void {
    checkChildId(childId);
    const newest = this.#options.main.version;
    if (!(Number.isSafeInteger(version) && version >= 0 && version <= newest)) {
      throw new MalformedDataError(`an evaluation of version ${show(version)}, main is at ${newest}`);
    }
    if (!Evaluation.isEvaluation(evaluation)) {
      throw new MalformedDataError(
        `got ${show(evaluation)}, expected an Evaluation; model.evaluate gives them`,
      );
    }
    this.#checkClasses(evaluation);
    if (version > this.#evaluated) this.#evaluations = new KeptReports<Evaluation>();
    this.#evaluated = Math.max(this.#evaluated, version);
    if (version === this.#evaluated) this.#keep(this.#evaluations, childId, evaluation);
    this.#options.received(childId, 'evaluation');
  }

  /** Takes the statistics of a child's columns, in place of its earlier ones. Throws as `addEvaluation` does. */
  addFeatureStatistics(statistics: FeatureStatistics, { childId }: { childId: string }): void {
    checkChildId(childId);
    if (!FeatureStatistics.isFeatureStatistics(statistics)) {
      throw new MalformedDataError(`got ${show(statistics)}, expected FeatureStatistics`);
    }
    this.#checkColumns(statistics);
    this.#keep(this.#statistics, childId, statistics);
    this.#options.received(childId, 'featureStatistics');
  }

  /** The evaluations of the newest version that any child has reported on; undefined before there are any. */
  get evaluation(): CombinedEvaluation | undefined {
    const combined = this.#evaluations.combine();
    return combined && { version: this.#evaluated, children: combined.children, evaluation: combined.sum };
  }

  /** The statistics of all columns over all children that have reported; undefined before there are any. */
  get featureStatistics(): CombinedFeatureStatistics | undefined {
    const combined = this.#statistics.combine();
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

  /** Main says which classes there are, and not whoever reports first. */
  #checkClasses({ classes }: Evaluation): void {
    const architecture = this.#options.main.layout?.architecture;
    if (architecture === undefined) return;
    const expected = architectureClasses(architecture);
    if (JSON.stringify(classes) === JSON.stringify(expected)) return;
    throw new InvalidDataError(`the evaluation is of classes ${show(classes)}, main has ${show(expected)}`);
  }

  #checkColumns({ columns }: FeatureStatistics): void {
    const { layout } = this.#options.main;
    const expected = layout && rawColumnsOf(layout);
    if (columns === undefined || expected === undefined || columns === expected) return;
    throw new InvalidDataError(`the statistics are of ${columns} columns, main is for ${expected}`);
  }

  #keep<T extends Mergeable<T>>(reports: KeptReports<T>, childId: string, report: T): void {
    const { childrenMax } = this.#options;
    if (!reports.has(childId) && reports.size >= childrenMax) {
      throw new LimitExceededError(
        `reports of ${reports.size} children are kept, at most ${childrenMax} are allowed`,
      );
    }
    reports.set(childId, report);
  }
}
