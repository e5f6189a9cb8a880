import { StaleSessionError } from '../errors.ts';
import { hasTaken } from './admission.ts';
import type { CoordinatorEvents } from './coordinatorEvents.ts';
import type { Member, Membership } from './Membership.ts';
import type { PluginList } from './plugins/PluginList.ts';

/** What coming and going touches. */
export interface AttendanceParts {
  readonly membership: Membership;
  readonly plugins: PluginList;
  forgetReports(childId: string): void;
  /** Forgets what is kept of a child; true where there was something. */
  forget(member: Member): boolean;
  /** Before listeners hear of it. */
  joined(member: Member): void;
  left(member: Member): void;
  emit<Name extends 'childJoined' | 'childLeft'>(name: Name, event: CoordinatorEvents[Name]): void;
}

/** The session that a child says it has. */
export interface SessionClaim {
  readonly childId: string;
  /** Chosen by the child; the same as long as the session lasts. */
  readonly session: string;
  /** Its number, 0 for a new one. */
  readonly epoch: number;
  /** The number was given by this life of the coordinator. */
  readonly isOfThisInstance: boolean;
}

/** The session that a child has from now on. */
export interface SessionTerms {
  readonly epoch: number;
  readonly isResumed: boolean;
}

/** So many sessions of a child may have begun since the store last heard of it. */
const epochLeapMax = 1_024;

/** How children come and go: in what order membership, plugins and listeners hear of it. */
export class Attendance {
  readonly #parts: AttendanceParts;

  constructor(parts: AttendanceParts) {
    this.#parts = parts;
  }

  /** Counts a member in, where it is not there yet. Throws where a plugin or a limit keeps it out. */
  join(member: Member): void {
    const { membership, plugins, joined, emit } = this.#parts;
    if (!membership.join(member, ({ id }) => plugins.onJoin(id))) return;
    joined(member);
    emit('childJoined', { childId: member.id });
  }

  /** Counts a child in that has not sent anything; false where it is there. Throws as `join`. */
  enter(childId: string): boolean {
    const member = this.#parts.membership.identify({ childId }, undefined);
    if (member.isPresent) return false;
    this.join(member);
    return true;
  }

  /** Counts a child out; false where nothing was known of it. */
  leave(childId: string): boolean {
    const { membership, plugins, forget, forgetReports, left, emit } = this.#parts;
    forgetReports(childId);
    const member = membership.find(childId);
    if (member === undefined) return false;
    const hasLeft = membership.leave(childId);
    const wasKept = forget(member);
    if (hasLeft) {
      left(member);
      plugins.onLeave(childId);
      emit('childLeft', { childId });
    }
    return hasLeft || wasKept;
  }

  /**
   * Begins a child's next session, or goes on with the one that it claims: where it is the newest one known, or where
   * this coordinator has begun after it. Throws StaleSessionError where there has been a newer one.
   */
  startSession({ childId, session, epoch, isOfThisInstance }: SessionClaim): SessionTerms {
    const { membership } = this.#parts;
    const member = membership.identify({ childId }, undefined);
    const isLatest = epoch === member.epoch && member.session === session;
    const isOld = epoch < member.epoch || (epoch === member.epoch && !isLatest && member.session !== '');
    if (epoch > 0 && isOld)
      throw new StaleSessionError(
        `session ${epoch} of child ${childId} is over, its newest is ${member.epoch}; ids must be unique`,
      );
    // What this coordinator has forgotten may be in main; what an earlier life of it knew is in the store, or gone.
    const isPlausible = epoch > 0 && epoch <= member.epoch + epochLeapMax;
    const isResumed = isPlausible && (isLatest || !isOfThisInstance);
    this.join(member);
    membership.startEpoch(member, isResumed ? epoch : member.epoch + 1);
    member.session = session;
    return { epoch: member.epoch, isResumed };
  }

  /** Whether an update is in main, or on its way there. */
  hasTaken(childId: string, epoch: number, sequence: number): boolean {
    const member = this.#parts.membership.find(childId);
    return member !== undefined && hasTaken(member, epoch, sequence);
  }

  /** A session that a newer one has replaced takes nothing with it. */
  endSession(childId: string, epoch: number): void {
    if (this.#parts.membership.find(childId)?.epoch === epoch) this.leave(childId);
  }
}
