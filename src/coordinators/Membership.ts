import { LimitExceededError, MalformedDataError } from '../errors.ts';
import type { CoordinatorLimits } from '../limits.ts';
import { idLengthMax } from '../limits.ts';
import type { Origin } from '../parameters/NamedTensors.ts';
import { show } from '../show.ts';
import { SequenceWindow } from './SequenceWindow.ts';

/** Who sent an update, as its sender says. */
export interface UpdateIdentity {
  /** The child. Unless given, the model instance that the update came from; without that it is anonymous. */
  readonly childId?: string | undefined;
  /** Number of the update within the session; an update that comes again with it is a duplicate. */
  readonly sequence?: number | undefined;
  /** Session of the child, 0 unless given. A higher one makes updates of lower ones stale. */
  readonly epoch?: number | undefined;
}

/** One child, as its coordinator knows it. */
export interface Member {
  readonly id: string;
  /** Its place among the children, from 0, in the order in which they first came. */
  index: number;
  readonly isAnonymous: boolean;
  epoch: number;
  window: SequenceWindow;
  /** False after it left; what is known of its sequence numbers is kept until the room is needed. */
  isPresent: boolean;
}

/** The children of a coordinator: who is there, and which of their updates have been taken. */
export class Membership {
  readonly #members = new Map<string, Member>();
  readonly #origins = new WeakMap<Origin, string>();
  readonly #limits: CoordinatorLimits;
  #count = 0;
  #anonymous = 0;
  #models = 0;

  constructor(limits: CoordinatorLimits) {
    this.#limits = limits;
  }

  /** Ids of the children that are there, in the order in which they first came. */
  get ids(): string[] {
    return [...this.#members.values()].filter(({ isPresent }) => isPresent).map(({ id }) => id);
  }

  /** All that is known, also of children that left. */
  get all(): IterableIterator<Member> {
    return this.#members.values();
  }

  find(id: string): Member | undefined {
    return this.#members.get(id);
  }

  /**
   * The child behind an update. Nothing is remembered of a new one before `join`. Throws MalformedDataError for an illegal id.
   */
  identify({ childId }: UpdateIdentity, origin: Origin | undefined): Member {
    if (childId !== undefined) {
      if (typeof childId !== 'string' || childId.length === 0 || childId.length > idLengthMax) {
        throw new MalformedDataError(`childId is ${show(childId)}, expected 1 to ${idLengthMax} characters`);
      }
      return this.#members.get(childId) ?? this.#create(childId, false);
    }
    if (origin === undefined) return this.#create(`anonymous#${++this.#anonymous}`, true);
    const known = this.#origins.get(origin);
    if (known !== undefined) return this.#members.get(known) ?? this.#create(known, false);
    const id = `model#${++this.#models}`;
    this.#origins.set(origin, id);
    return this.#create(id, false);
  }

  /** Counts a child in; true where it was not there. Throws LimitExceededError where there is no room. */
  join(member: Member): boolean {
    if (member.isPresent) return false;
    if (!member.isAnonymous) {
      if (!this.#members.has(member.id)) this.#makeRoom();
      this.#members.set(member.id, member);
    }
    if (member.index < 0) member.index = this.#count++;
    member.isPresent = true;
    return !member.isAnonymous;
  }

  /** Counts a child out; false where it was not there. */
  leave(id: string): boolean {
    const member = this.#members.get(id);
    if (member === undefined || !member.isPresent) return false;
    member.isPresent = false;
    return true;
  }

  /** Starts a newer session of a child; updates of older ones are stale from now on. */
  startEpoch(member: Member, epoch: number): void {
    if (epoch === member.epoch) return;
    member.epoch = epoch;
    member.window = new SequenceWindow();
  }

  /** Puts a stored child back. */
  restore(id: string, epoch: number, window: SequenceWindow): Member {
    const member: Member = { id, index: this.#count++, isAnonymous: false, epoch, window, isPresent: false };
    this.#members.set(id, member);
    return member;
  }

  #create(id: string, isAnonymous: boolean): Member {
    return { id, index: -1, isAnonymous, epoch: 0, window: new SequenceWindow(), isPresent: false };
  }

  /** The child that left first makes room for a new one. */
  #makeRoom(): void {
    if (this.#members.size < this.#limits.childrenMax) return;
    for (const [id, member] of this.#members) {
      if (member.isPresent) continue;
      this.#members.delete(id);
      return;
    }
    throw new LimitExceededError(
      `there are ${this.#members.size} children, at most ${this.#limits.childrenMax} are allowed`,
    );
  }
}
