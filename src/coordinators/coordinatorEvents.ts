import type { MainstemError } from '../errors.ts';
import type { RoundReport } from '../models/bayesian/Convergence.ts';
import type { ReportSubject } from '../protocol/messages.ts';
import type { RoundWait } from './rounds/RoundWait.ts';

/** The events of a coordinator. They are emitted when the state is final. */
export interface CoordinatorEvents {
  /** An update has passed admission and the plugins. */
  updateReceived: { readonly childId: string; readonly sequence: number | undefined };
  /** An update changes nothing: refused, duplicate or stale. */
  updateRejected: {
    readonly childId: string | undefined;
    readonly sequence: number | undefined;
    readonly reason: MainstemError;
    /** Whether it had passed admission and the plugins, and `updateReceived` had said so. */
    readonly wasReceived: boolean;
  };
  /** Main has changed. */
  mainUpdated: { readonly version: number; readonly children: readonly string[] };
  /** A durable main has gone to the children. A slow plugin, or one that keeps a version back, makes it skip some. */
  mainPublished: { readonly version: number };
  /** A child has reported an evaluation of main or statistics of its columns: `coordinator.reports` has them. */
  reportReceived: { readonly childId: string; readonly subject: ReportSubject };
  childJoined: { readonly childId: string };
  childLeft: { readonly childId: string };
  /** The open round is to have an update of this child. Only where rounds are of certain children (`ask`). */
  childAsked: { readonly childId: string; readonly version: number };
  /** Every child has spoken since the last time: what that has changed. Only of a posteriors coordinator. */
  messagesExchanged: RoundReport;
  /** A round goes on waiting though its deadline has passed, or nobody is there any more who could end it. */
  waiting: RoundWait;
  /** Something failed that no caller waits for: a listener, the store, a connection. */
  error: Error;
}

/** What is called at an event. */
export type CoordinatorListener<Name extends keyof CoordinatorEvents> = (
  event: CoordinatorEvents[Name],
) => void;
