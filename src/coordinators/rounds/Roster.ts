import type { Member } from '../Membership.ts';

/** What is known of a child that is there. */
export interface Participation {
  /** Updates that it has given, counted from those of the slowest child when it came. */
  steps: number;
  /** Version of main that holds its last update; 0 where it has given none. */
  lastVersion: number;
  sampleCount: number | undefined;
}

/** The children that are there, and which of them is slowest. */
export class Roster {
  readonly #present = new Map<Member, Participation>();
  /** Steps of the slowest, and how many have no more. */
  #steps = 0;
  #slowest = 0;

  get members(): IterableIterator<Member> {
    return this.#present.keys();
  }

  /** Steps of the slowest child. */
  get stepsMin(): number {
    return this.#steps;
  }

  find(member: Member): Participation | undefined {
    return this.#present.get(member);
  }

  /** Who comes holds nobody up more than the slowest does. */
  add(member: Member): void {
    if (this.#present.has(member)) return;
    this.#present.set(member, { steps: this.#steps, lastVersion: 0, sampleCount: undefined });
    this.#slowest++;
  }

  clear(): void {
    this.#present.clear();
    this.#steps = 0;
    this.#slowest = 0;
  }

  remove(member: Member): void {
    const participation = this.#present.get(member);
    if (participation === undefined) return;
    this.#present.delete(member);
    if (participation.steps === this.#steps) this.#dropSlowest();
  }

  /** A child has given an update for this version of main. */
  step(member: Member, version: number, sampleCount: number | undefined): void {
    const participation = this.#present.get(member);
    if (participation === undefined) return;
    participation.lastVersion = version;
    participation.sampleCount = sampleCount;
    if (participation.steps++ === this.#steps) this.#dropSlowest();
  }

  /** The children that have given least. */
  *slowest(): Generator<Member> {
    for (const [member, { steps }] of this.#present) if (steps === this.#steps) yield member;
  }

  #dropSlowest(): void {
    if (--this.#slowest > 0) return;
    if (this.#present.size === 0) {
      this.clear();
      return;
    }
    this.#steps = Infinity;
    for (const { steps } of this.#present.values()) {
      if (steps > this.#steps) continue;
      if (steps < this.#steps) this.#slowest = 0;
      this.#steps = steps;
      this.#slowest++;
    }
  }
}
