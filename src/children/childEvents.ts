import type { MainstemError } from '../errors.ts';

/** The events of a child. */
export interface ChildEvents {
  /** A new main has come. `adopt` puts it into the model. */
  mainUpdated: { readonly version: number };
  /**
   * The open round is to have an update of this child, from this main or a newer one. Only where the coordinator's rounds are
   * of certain children (`ask`).
   */
  asked: { readonly version: number };
  /** The connection broke. The child looks for another; what is sent meanwhile waits. */
  disconnected: MainstemError;
  /** It has found one. */
  reconnected: { readonly version: number };
  /** It is over, for good; undefined where this child left. */
  closed: MainstemError | undefined;
  /** Something failed that no caller waits for. */
  error: Error;
}
