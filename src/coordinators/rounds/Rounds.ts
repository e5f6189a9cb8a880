import type { Clock } from '../../clock.ts';
import {
  AlreadyContributedError,
  NotSelectedError,
  StaleUpdateError,
  TooFarAheadError,
} from '../../errors.ts';
import type { Random } from '../../random.ts';
import type { Member } from '../Membership.ts';
import type { Mode } from './Mode.ts';
import { Roster } from './Roster.ts';
import type { RoundWait } from './RoundWait.ts';
import { describeWait, namedMax } from './RoundWait.ts';
import type { Candidate, Selector } from './selection.ts';
import { createSelector } from './selection.ts';

/** What rounds need of their coordinator. */
export interface RoundsParts {
  /** Milliseconds, or ticks of a simulation. */
  readonly clock: Clock;
  readonly random: Random;
  /** Version of main. */
  version(): number;
  /** The children that are there. */
  present(): Iterable<Member>;
  /** The open round is to end with what it has, now or as soon as the work that is under way is done. */
  end(): void;
  /** A child is to give an update to the round that is open, which is of certain children. */
  asked(member: Member): void;
  /** The round goes on waiting, though its deadline has passed or nobody is there who could end it. */
  waiting(wait: RoundWait): void;
}

/** A round that ended before some of its children had given an update. */
interface EarlierRound {
  readonly startedAt: number;
  readonly missing: Set<Member>;
}

/** Earlier rounds that are remembered. */
const earlierMax = 8;

/**
 * The round that is open: who may add to it, who has, and whether it is complete. It knows no arithmetic. Each wait has an
 * end or is stated: a round ends with `needed` updates, or with `quorum` of them once its deadline has passed or the last
 * child that could add to it has left; `waitingFor` says which of these is missing.
 */
export class Rounds {
  readonly #parts: RoundsParts;
  readonly #roster = new Roster();
  readonly #earlier = new Map<number, EarlierRound>();
  #mode: Mode;
  #selector: Selector;
  #updates = 0;
  readonly #contributors = new Set<Member>();
  /** Those that are asked and have not given anything yet. */
  readonly #missing = new Set<Member>();
  #askedCount = 0;
  #startedAt = 0;
  /** Of main, as the round began. */
  #version = 0;
  #deadlineAt: number | undefined;
  #isOverdue = false;
  /** A child that was to add to the round has left. */
  #hasLost = false;
  #cancel: (() => void) | undefined;
  /** Children that wait for slower ones. */
  readonly #ahead = new Set<Member>();

  constructor(parts: RoundsParts, mode: Mode) {
    this.#parts = parts;
    this.#mode = mode;
    this.#selector = createSelector(mode.selection, parts.random);
    this.#startedAt = parts.clock.now();
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** Updates that the open round has. */
  get updates(): number {
    return this.#updates;
  }

  /** Goes on by other rules; what the round has stays. */
  setMode(mode: Mode): void {
    // Nobody is followed while nobody is waited for: ten thousand children cost nothing then.
    if (this.#mode.name === 'immediate') for (const member of this.#parts.present()) this.#roster.add(member);
    this.#mode = mode;
    if (mode.name === 'immediate') this.#roster.clear();
    this.#selector = createSelector(mode.selection, this.#parts.random);
    this.#ahead.clear();
    this.#ask();
    this.#endIfDue();
  }

  joined(member: Member): void {
    if (this.#mode.name === 'immediate') return;
    this.#roster.add(member);
    if (!this.#mode.isOnePerChild || this.#contributors.has(member)) return;
    const { ask = Infinity } = this.#mode;
    if (this.#askedCount < ask) this.#askOne(member);
  }

  left(member: Member): void {
    this.#roster.remove(member);
    this.#ahead.delete(member);
    if (!this.#missing.delete(member)) return;
    this.#askedCount--;
    this.#hasLost = true;
    // Another one takes its place.
    if (this.#mode.ask !== undefined) this.#fill(1);
    if (!this.#endIfDue() && this.#updates > 0 && this.#missing.size === 0) this.#sayThatItWaits();
  }

  /** Throws where the open round takes no update of this child, or none from a main of this version. */
  check(member: Member, baseVersion: number | undefined): void {
    const { isOnePerChild, ask, updatesAheadMax } = this.#mode;
    this.#checkStaleness(member, baseVersion);
    if (isOnePerChild && this.#contributors.has(member))
      throw new AlreadyContributedError(
        `${member.id} has given an update to this round; it has ${this.#updates} of ${this.#mode.needed}`,
      );
    if (ask !== undefined && !this.#missing.has(member) && this.#askedCount >= ask)
      throw new NotSelectedError(`${member.id} is not among the ${ask} children that this round asks`);
    if (updatesAheadMax !== Infinity) this.#checkPace(member);
  }

  /** Whether the open round, which is of certain children, is to have an update of this one and has none. */
  isAsked(member: Member): boolean {
    return this.#mode.ask !== undefined && this.#missing.has(member);
  }

  /** Versions of main that have passed since an update was begun; a claim to be of the future is worth no more than 0. */
  staleness(baseVersion: number | undefined): number {
    return baseVersion === undefined ? 0 : Math.max(0, this.#parts.version() - baseVersion);
  }

  /** An update is in the sums of the round. True where the round is complete with it. */
  took(member: Member, sampleCount: number | undefined): boolean {
    if (this.#mode.name === 'immediate') return true;
    this.#updates++;
    this.#contributors.add(member);
    this.#missing.delete(member);
    this.#ahead.delete(member);
    this.#roster.step(member, this.#version + 1, sampleCount);
    this.#mode.deadline?.saw(this.#parts.clock.now() - this.#startedAt);
    return this.isDue;
  }

  /** The round that was open is over: whoever has given to it may give to the next, though that has not begun yet. */
  close(): void {
    if (this.#mode.name === 'immediate') return;
    if (this.#mode.deadline !== undefined && this.#missing.size > 0) this.#rememberMissing();
    this.#updates = 0;
    this.#contributors.clear();
    this.#missing.clear();
    this.#askedCount = 0;
  }

  /** The next round begins. */
  begin(): void {
    if (this.#mode.name === 'immediate') return;
    this.close();
    this.restart();
  }

  /** The next round begins. Who was asked and has not answered is still asked; all others are, where `asksRest` says so. */
  goOn(asksRest: boolean): void {
    this.#updates = 0;
    this.#contributors.clear();
    this.#askedCount = this.#missing.size;
    this.#version = this.#parts.version();
    if (asksRest) this.#fill(Infinity);
  }

  /** Nothing will come of what this child was asked for. */
  unask(member: Member): void {
    if (this.#missing.delete(member)) this.#askedCount--;
  }

  /** Main was set: what the round has stays, and the rest of it is to start from that main. */
  restart(): void {
    if (this.#mode.name === 'immediate') return;
    if (this.#updates === 0) this.#startedAt = this.#parts.clock.now();
    this.#ask();
  }

  /** What the open round waits for; undefined where no round is open that waits for more than the next update. */
  waitingFor(): RoundWait | undefined {
    if (this.#ahead.size > 0) return this.#waitForSlowest();
    const { needed, quorum, isOnePerChild, ask = Infinity } = this.#mode;
    // The next update is enough, whoever gives it.
    if (needed === 1 && ask === Infinity) return undefined;
    const missing = isOnePerChild ? this.#missing : this.#roster.members;
    const now = this.#parts.clock.now();
    return said({
      version: this.#parts.version(),
      updates: this.#updates,
      needed,
      quorum,
      ...named(missing),
      elapsed: now - this.#startedAt,
      remaining: this.#deadlineAt === undefined ? undefined : Math.max(0, this.#deadlineAt - now),
    });
  }

  /** Its timers end. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Whether the round may end with what it has. */
  get isDue(): boolean {
    const { needed, quorum, isOnePerChild } = this.#mode;
    if (this.#updates >= needed) return true;
    if (this.#updates === 0 || this.#updates < quorum) return false;
    if (this.#isOverdue) return true;
    // Fewer than a number of children at the beginning are not all: others may be on their way.
    return isOnePerChild && this.#missing.size === 0 && (needed === Infinity || this.#hasLost);
  }

  #endIfDue(): boolean {
    const isDue = this.isDue;
    if (isDue) this.#parts.end();
    return isDue;
  }

  /** Asks children anew, and starts the deadline anew. */
  #ask(): void {
    this.stop();
    this.#missing.clear();
    this.#isOverdue = false;
    this.#hasLost = false;
    this.#deadlineAt = undefined;
    this.#askedCount = this.#contributors.size;
    this.#version = this.#parts.version();
    if (!this.#mode.isOnePerChild) return;
    const { ask } = this.#mode;
    if (ask !== undefined) this.#fill(ask - this.#askedCount);
    else for (const member of this.#roster.members) if (!this.#contributors.has(member)) this.#askOne(member);
  }

  /** Asks so many more of those that are there. */
  #fill(count: number): void {
    if (count <= 0) return;
    const members = new Map<string, Member>();
    for (const member of this.#roster.members)
      if (!this.#missing.has(member) && !this.#contributors.has(member)) members.set(member.id, member);
    const candidates: Candidate[] = [...members.values()].map((member) => {
      const { lastVersion = 0, sampleCount } = this.#roster.find(member) ?? {};
      return { childId: member.id, index: member.index, lastVersion, sampleCount };
    });
    for (const childId of this.#selector.select(candidates, count).slice(0, count)) {
      const member = members.get(childId);
      if (member !== undefined && !this.#missing.has(member)) this.#askOne(member);
    }
  }

  #askOne(member: Member): void {
    this.#missing.add(member);
    this.#askedCount++;
    this.#startDeadline();
    if (this.#mode.ask !== undefined) this.#parts.asked(member);
  }

  /** From when there is somebody to wait for. */
  #startDeadline(): void {
    const { deadline } = this.#mode;
    if (deadline === undefined || this.#deadlineAt !== undefined) return;
    const { clock } = this.#parts;
    const length = deadline.length;
    this.#startedAt = clock.now();
    this.#deadlineAt = this.#startedAt + length;
    this.#cancel = clock.schedule(
      () => {
        this.#cancel = undefined;
        this.#isOverdue = true;
        if (!this.#endIfDue()) this.#sayThatItWaits();
      },
      length,
      { isBackground: true },
    );
  }

  #sayThatItWaits(): void {
    const wait = this.waitingFor();
    if (wait !== undefined) this.#parts.waiting(wait);
  }

  /** Those that are late may still say how long they took. */
  #rememberMissing(): void {
    this.#earlier.set(this.#version, { startedAt: this.#startedAt, missing: new Set(this.#missing) });
    for (const version of this.#earlier.keys()) {
      if (this.#earlier.size <= earlierMax) break;
      this.#earlier.delete(version);
    }
  }

  #checkStaleness(member: Member, baseVersion: number | undefined): void {
    const { stalenessMax, deadline } = this.#mode;
    const staleness = this.staleness(baseVersion);
    if (staleness <= stalenessMax) return;
    // Once for each child and round: nobody moves the deadline by sending again.
    const round = this.#earlier.get(baseVersion as number);
    if (round?.missing.delete(member)) deadline?.saw(this.#parts.clock.now() - round.startedAt);
    throw new StaleUpdateError(
      `the update of ${member.id} started from version ${baseVersion}, main has ${this.#parts.version()}; at most ${stalenessMax} versions may have passed`,
    );
  }

  #checkPace(member: Member): void {
    const { updatesAheadMax } = this.#mode;
    const steps = this.#roster.find(member)?.steps ?? this.#roster.stepsMin;
    const ahead = steps - this.#roster.stepsMin;
    if (ahead < updatesAheadMax) return;
    this.#ahead.add(member);
    const { missing } = named(this.#roster.slowest());
    throw new TooFarAheadError(
      `${member.id} has given ${ahead} updates more than ${missing[0]}, at most ${updatesAheadMax} are allowed`,
    );
  }

  #waitForSlowest(): RoundWait {
    const facts = named(this.#roster.slowest());
    const { needed, quorum } = this.#mode;
    const wait = {
      version: this.#parts.version(),
      updates: this.#updates,
      needed,
      quorum,
      ...facts,
      elapsed: this.#parts.clock.now() - this.#startedAt,
      remaining: undefined,
    };
    const others = [...this.#ahead].map(({ id }) => id).slice(0, namedMax);
    return {
      ...wait,
      reason: `${others.join(', ')} may go on when ${facts.missing.join(', ')} have given an update`,
    };
  }
}

function said(facts: Omit<RoundWait, 'reason'>): RoundWait {
  return { ...facts, reason: describeWait(facts) };
}

function named(members: Iterable<Member>): Pick<RoundWait, 'missing' | 'missingCount'> {
  const missing: string[] = [];
  let missingCount = 0;
  for (const { id } of members) if (missingCount++ < namedMax) missing.push(id);
  return { missing, missingCount };
}
