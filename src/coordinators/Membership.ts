import { LimitExceededError, MalformedDataError } from '../errors.ts';
import type { CoordinatorLimits } from '../limits.ts';
import { idLengthMax } from '../limits.ts';
import type { Origin } from '../parameters/NamedTensors.ts';
import { show } from '../show.ts';
import { InFlight } from './InFlight.ts';
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
  /** False for anonymous ones and for model instances: nothing is kept of them in the store. */
  readonly isDurable: boolean;
  epoch: number;
  /** What the child calls its newest session; empty where it came otherwise than over a connection. */
  session: string;
  /** Numbers of the updates that are in main. */
  window: SequenceWindow;
  /** Updates that are taken in and not in main yet. */
  readonly inFlight: InFlight;
  /** False after it left; what is known of its sequence numbers is kept until the room is needed. */
  isPresent: boolean;
}

/** What the store knows of a child. */
export type StoredMember = Pick<Member, 'index' | 'epoch' | 'session' | 'window'>;

/** The children of a coordinator: who is there, and which of their updates have been taken. */
export class Membership {
  readonly #members = new Map<string, Member>();
  readonly #origins = new WeakMap<Origin, string>();
  readonly #limits: CoordinatorLimits;
  readonly #onForgotten: (member: Member) => void;
  #count = 0;
  #anonymous = 0;
  #models = 0;

  /** `onForgotten` hears of children whose place was needed. */
  constructor(limits: CoordinatorLimits, onForgotten: (member: Member) => void) {
    this.#limits = limits;
    this.#onForgotten = onForgotten;
  }

  /** Ids of the children that are there, in the order in which they first came. */
  get ids(): string[] {
    return this.present.sort((a, b) => a.index - b.index).map(({ id }) => id);
  }

  /** The children that are there, in no order. */
  get present(): Member[] {
    return [...this.#members.values()].filter(({ isPresent }) => isPresent);
  }

  find(id: string): Member | undefined {
    return this.#members.get(id);
  }

  /**
   * The child behind an update. Nothing is remembered of a new one before `join`. Throws MalformedDataError for an illegal id.
   */
  identify({ childId }: UpdateIdentity, origin: Origin | undefined): Member {
    if (childId !== undefined) {
      const known = this.#members.get(childId);
      // What is known by a name of its own has a legal one.
      if (known?.isDurable === true) return known;
      checkChildId(childId);
      return known ?? this.#create(childId, 'named');
    }
    if (origin === undefined) return this.#create(`anonymous#${++this.#anonymous}`, 'anonymous');
    const known = this.#origins.get(origin);
    if (known !== undefined) return this.#members.get(known) ?? this.#create(known, 'model');
    const id = `model#${++this.#models}`;
    this.#origins.set(origin, id);
    return this.#create(id, 'model');
  }

  /**
   * Counts a child in; true where it was not there. `mayJoin` is asked before anything of it is remembered, and throws
   * to keep it out. Throws LimitExceededError where there is no room.
   */
  join(member: Member, mayJoin: (member: Member) => void): boolean {
    if (member.isPresent) return false;
    if (!member.isAnonymous) {
      const needsRoom = !this.#members.has(member.id) && this.#members.size >= this.#limits.childrenMax;
      const forgotten = needsRoom ? this.#findAbsent() : undefined;
      mayJoin(member);
      if (this.#members.get(member.id)?.isPresent === true) {
        throw new MalformedDataError(`${member.id} has joined from inside its own onJoin`);
      }
      if (forgotten !== undefined) {
        this.#members.delete(forgotten.id);
        this.#onForgotten(forgotten);
      }
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
    // Behind all others: the child that left first is the first to make room.
    this.#members.delete(id);
    this.#members.set(id, member);
    return true;
  }

  /** Starts a newer session of a child; updates of older ones are stale from now on. */
  startEpoch(member: Member, epoch: number): void {
    if (epoch === member.epoch) return;
    member.epoch = epoch;
    member.session = '';
    member.window = new SequenceWindow();
  }

  /** Puts a stored child back, as one that is not there now. */
  restore(id: string, { index, epoch, session, window }: StoredMember): void {
    if (this.#members.size >= this.#limits.childrenMax) return;
    this.#count = Math.max(this.#count, index + 1);
    this.#members.set(id, { ...this.#create(id, 'named'), index, epoch, session, window });
  }

  #create(id: string, kind: 'named' | 'model' | 'anonymous'): Member {
    return {
      id,
      index: -1,
      isAnonymous: kind === 'anonymous',
      isDurable: kind === 'named',
      epoch: 0,
      session: '',
      window: new SequenceWindow(),
      inFlight: new InFlight(),
      isPresent: false,
    };
  }

  /** The child that left first: it makes room for a new one. */
  #findAbsent(): Member {
    for (const member of this.#members.values()) if (!member.isPresent) return member;
    throw new LimitExceededError(
      `there are ${this.#members.size} children, at most ${this.#limits.childrenMax} are allowed`,
    );
  }
}

/** Half a surrogate pair has no UTF-8: such a text cannot be a key or travel. */
const loneSurrogate = /\p{Surrogate}/u;

/** Throws MalformedDataError unless the value may name a child. */
export function checkChildId(childId: unknown): void {
  const isText = typeof childId === 'string' && childId.length > 0 && childId.length <= idLengthMax;
  if (!isText || loneSurrogate.test(childId)) {
    throw new MalformedDataError(
      `childId is ${show(childId)}, expected well-formed text of 1 to ${idLengthMax} characters`,
    );
  }
  if (/^(anonymous|model)#/.test(childId)) {
    throw new MalformedDataError(
      `childId is ${show(childId)}; anonymous# and model# are for children without an id`,
    );
  }
}
