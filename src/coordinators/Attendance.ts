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
  emit<Name extends 'childJoined' | 'childLeft'>(name: Name, event: CoordinatorEvents[Name]): void;
}

/** How children come and go: in what order membership, plugins and listeners hear of it. */
export class Attendance {
  readonly #parts: AttendanceParts;

  constructor(parts: AttendanceParts) {
    this.#parts = parts;
  }

  /** Counts a member in, where it is not there yet. Throws where a plugin or a limit keeps it out. */
  join(member: Member): void {
    const { membership, plugins, emit } = this.#parts;
    const isNew = membership.join(member, ({ id }) => plugins.onJoin(id));
    if (isNew) emit('childJoined', { childId: member.id });
  }

  /** Counts a child out; false where nothing was known of it. */
  leave(childId: string): boolean {
    const { membership, plugins, forget, forgetReports, emit } = this.#parts;
    forgetReports(childId);
    const member = membership.find(childId);
    if (member === undefined) return false;
    const hasLeft = membership.leave(childId);
    const wasKept = forget(member);
    if (hasLeft) {
      plugins.onLeave(childId);
      emit('childLeft', { childId });
    }
    return hasLeft || wasKept;
  }

  /** Begins a child's next session; returns its number. */
  startSession(childId: string): number {
    const { membership } = this.#parts;
    const member = membership.identify({ childId }, undefined);
    this.join(member);
    membership.startEpoch(member, member.epoch + 1);
    return member.epoch;
  }

  /** A session that a newer one has replaced takes nothing with it. */
  endSession(childId: string, epoch: number): void {
    if (this.#parts.membership.find(childId)?.epoch === epoch) this.leave(childId);
  }
}
