import type { Clock } from '../clock.ts';
import type { Compression } from '../compression/Compression.ts';
import { ConnectionRefusedError, StaleSessionError } from '../errors.ts';
import { restoringAwayMs } from '../limits.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { ReportMessage, UpdateKind } from '../protocol/messages.ts';
import type { Random } from '../random.ts';
import { show } from '../show.ts';
import { BufferPool } from '../transport/BufferPool.ts';
import type { SessionClaim, SessionTerms } from './Attendance.ts';
import { LayoutPool } from './LayoutPool.ts';
import type { UpdateIdentity } from './Membership.ts';
import type { Subscriber } from './Publications.ts';
import { Publications } from './Publications.ts';
import type { PublishedMain } from './PublishedMain.ts';
import { PublishedMains } from './PublishedMains.ts';
import type { RoadReceipt } from './receipts.ts';
import { UnsettledUpdates } from './UnsettledUpdates.ts';

/** What a coordinator wants of its children. */
export interface Terms {
  readonly kind: UpdateKind;
  /** Tensors that children share with main; undefined for all. */
  readonly sharedTensors: readonly string[] | undefined;
}

/** What a coordinator offers to children. */
export interface Offer {
  readonly terms: Terms;
  /** Main as children may see it. */
  main(): ModelParameters | undefined;
  /** Whether there is a main that a model of this layout fits; false before there is one. Throws where it does not. */
  checkLayout(layout: ParameterLayout): boolean;
  /** Throws where there is a main, and a layout larger than it that it does not fit. */
  checkSize(layout: ParameterLayout): void;
}

/** What a server of children needs of its coordinator. */
export interface ServedCoordinator extends Offer {
  /** Names this life of the coordinator. */
  readonly instance: string;
  /** It takes nobody in now, but will soon. */
  readonly isBeingRestored: boolean;
  /** Of main. */
  readonly version: number;
  /** Counts a child in, for a new session or for one that comes back. Throws to keep it out. */
  join(claim: SessionClaim): SessionTerms;
  leave(childId: string, epoch: number): void;
  submit(content: Gradients | ModelParameters, identity: UpdateIdentity): RoadReceipt;
  /** Something may refer to the content of an update after `submit`. */
  readonly keepsUpdates: boolean;
  /** Whether this update is in main, or on its way there. */
  hasTaken(childId: string, epoch: number, sequence: number): boolean;
  /** From here on commits wait for `release`: one for all that comes in a turn. */
  hold(): void;
  release(): void;
  /** Throws where a report cannot be taken. */
  takeReport(childId: string, report: ReportMessage): void;
  report(error: Error): void;
}

/** A child that is in, as its coordinator's server sees it. */
export interface JoinedSession {
  readonly childId: string | undefined;
  /**
   * Sends main, unless the child has this version; a child that has not taken what was sent before gets the newest when
   * it has. True where it was sent.
   */
  offerMain(main: PublishedMain): boolean;
  /** The open round is to have an update of it, from this version of main. */
  ask(version: number): void;
  /** Says why, and ends the session. */
  refuse(error: Error): void;
  /** Says goodbye, and ends the session. */
  dismiss(returnAfterMs: number | null): void;
  /** The same session of the child goes on over another connection. */
  replace(): void;
}

/** Main as a certain child gets it. */
export type Personalise = (childId: string, main: PublishedMain) => PublishedMain;

/** Options of a ChildServer. */
export interface ChildServerOptions {
  readonly clock: Clock;
  /** How long a child whose connection broke counts as there, so that it may come back. */
  readonly resumeMs: number;
  readonly compression: Compression | undefined;
  readonly random: Random;
  /** Mains that are kept for packed parameters. */
  readonly keptMainsMax: number;
}

/** The children of one coordinator that have come over a connection. */
export class ChildServer {
  readonly federation: string;
  readonly coordinator: ServedCoordinator;
  /** How updates and main are packed, where a child can. */
  readonly compression: Compression | undefined;
  readonly unsettled: UnsettledUpdates = new UnsettledUpdates();
  /** Of updates, while they are folded in. */
  readonly buffers: BufferPool = new BufferPool();
  readonly #options: ChildServerOptions;
  readonly #sessions = new Map<string, JoinedSession>();
  /** Children whose connection broke, and how to stop counting them out. */
  readonly #suspended = new Map<string, () => void>();
  readonly #publications: Publications;
  readonly #layouts = new LayoutPool();
  #isAsked: (childId: string) => boolean = () => false;
  #personalise: Personalise | undefined;
  readonly #mains: PublishedMains;
  /** Another process takes over: children may come back after so many milliseconds. */
  #returnAfterMs: number | undefined;

  constructor(federation: string, coordinator: ServedCoordinator, options: ChildServerOptions) {
    this.federation = federation;
    this.coordinator = coordinator;
    this.#options = options;
    const { clock, compression, random, keptMainsMax } = options;
    this.compression = compression;
    this.#publications = new Publications(clock, () => this.#subscribers());
    this.#mains = new PublishedMains({
      main: () => coordinator.main(),
      ...{ compression, random },
      // Gradients are no differences to a main, nor are parameters that are sent whole.
      basesMax: () =>
        compression !== undefined && coordinator.terms.kind === 'parameters' ? keptMainsMax : 0,
    });
  }

  /** The updates that this coordinator gives up now are for whoever takes over. */
  get isHandingOver(): boolean {
    return this.#returnAfterMs !== undefined;
  }

  /** After how many milliseconds a child that comes back now may come again; undefined: it may come in. */
  get awayMs(): number | undefined {
    return this.#returnAfterMs ?? (this.coordinator.isBeingRestored ? restoringAwayMs : undefined);
  }

  /** From now on no update is answered that is not in main: the children send them again to whoever takes over. */
  handOver(returnAfterMs: number): void {
    this.#returnAfterMs = returnAfterMs;
  }

  /** This server, where a child of this federation and layout belongs to it. Throws where it does not. */
  choose(federation: string, layout: ParameterLayout | undefined): ChildServer {
    if (federation !== this.federation) {
      throw new ConnectionRefusedError(
        `the child asks for federation ${show(federation)}, this is ${show(this.federation)}`,
      );
    }
    if (layout !== undefined) this.coordinator.checkLayout(layout);
    return this;
  }

  /**
   * Takes a child in. One that comes again takes the place of its older session, which is told so. Throws where the
   * coordinator keeps it out.
   */
  add(session: JoinedSession, claim: SessionClaim): SessionTerms {
    const { childId } = claim;
    const terms = this.coordinator.join(claim);
    this.#suspended.get(childId)?.();
    this.#suspended.delete(childId);
    const older = this.#sessions.get(childId);
    this.#sessions.set(childId, session);
    if (terms.isResumed) older?.replace();
    else
      older?.refuse(
        new StaleSessionError(`another session of child ${childId} has begun; ids must be unique`),
      );
    return terms;
  }

  /** A child has said goodbye, or has been sent away. */
  remove(session: JoinedSession, childId: string, epoch: number): void {
    if (this.#sessions.get(childId) !== session) return;
    this.#sessions.delete(childId);
    this.coordinator.leave(childId, epoch);
  }

  /** Who is asked for an update from now on. */
  askWhere(isAsked: (childId: string) => boolean): void {
    this.#isAsked = isAsked;
  }

  isAsked(childId: string): boolean {
    return this.#isAsked(childId);
  }

  /** Asks a child for an update, where it is connected; else when it comes. */
  ask(childId: string): void {
    this.#sessions.get(childId)?.ask(this.coordinator.version);
  }

  /** Sends a child away, which may not come back with what it has. */
  expel(childId: string): void {
    this.#suspended.get(childId)?.();
    this.#suspended.delete(childId);
    this.#sessions.get(childId)?.refuse(new ConnectionRefusedError(`child ${childId} was removed`));
  }

  /** The connection of a child broke: it counts as there for a while. */
  suspend(session: JoinedSession, childId: string, epoch: number): void {
    const { clock, resumeMs } = this.#options;
    if (resumeMs === 0) this.remove(session, childId, epoch);
    if (this.#sessions.get(childId) !== session) return;
    this.#sessions.delete(childId);
    const countOut = (): void => {
      this.#suspended.delete(childId);
      this.coordinator.leave(childId, epoch);
    };
    const cancel = clock.schedule(countOut, resumeMs, { isBackground: true });
    this.#suspended.set(childId, cancel);
  }

  /**
   * An equal layout that another child has shown, so that a thousand children have one. Throws where it is larger than any
   * that fits main: updates of such a size are not read in before they are refused.
   */
  intern(layout: ParameterLayout): ParameterLayout {
    this.coordinator.checkSize(layout);
    return this.#layouts.intern(layout);
  }

  /** Main has changed: children get it soon, and only the newest then. */
  publish(): void {
    this.#mains.changed();
    if (this.#sessions.size > 0) this.#publications.request();
  }

  /** An update has come. */
  heard(): void {
    this.#publications.heard();
  }

  /** The newest main that this child may see. */
  latestMain(childId: string): PublishedMain | undefined {
    const main = this.#mains.latest();
    return main && (this.#personalise?.(childId, main) ?? main);
  }

  /** From now on each child gets a main of its own, made of what all could see. */
  personaliseMain(personalise: Personalise): void {
    this.#personalise = personalise;
  }

  /** Main of a version that packed parameters may have started from; undefined where it is not kept any more. */
  baseMain(version: number): ModelParameters | undefined {
    return this.#mains.base(version);
  }

  /** Ends the sessions of all children: with a reason, or with a goodbye. */
  dismiss(reason?: Error, returnAfterMs: number | null = null): void {
    this.#publications.stop();
    for (const session of [...this.#sessions.values()]) {
      if (reason === undefined) session.dismiss(returnAfterMs);
      else session.refuse(reason);
    }
    for (const cancel of this.#suspended.values()) cancel();
    this.#suspended.clear();
  }

  *#subscribers(): Generator<Subscriber> {
    for (const session of this.#sessions.values()) {
      yield {
        // The newest of the moment: the rest of them may have their turn later.
        offer: () => {
          const main = this.latestMain(session.childId ?? '');
          return main !== undefined && session.offerMain(main) ? main.bytes : 0;
        },
      };
    }
  }
}
