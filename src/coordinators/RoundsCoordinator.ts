import type { Clock } from '../clock.ts';
import { toError } from '../errors.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { Steps } from '../steps.ts';
import { inSteps } from '../steps.ts';
import { Coordinator } from './Coordinator.ts';
import type { Member } from './Membership.ts';
import type { CloseOptions, CoordinatorOptions } from './options.ts';
import { requireClock } from './options.ts';
import type { Mode, ModeOption } from './rounds/Mode.ts';
import { createMode } from './rounds/Mode.ts';
import { Rounds } from './rounds/Rounds.ts';
import type { RoundWait } from './rounds/RoundWait.ts';

/** Options of coordinators whose updates are brought together in rounds. */
export interface RoundsCoordinatorOptions extends CoordinatorOptions {
  /** How updates become a new main; `'immediate'` unless given. `setMode` changes it. */
  mode?: ModeOption;
  /** What deadlines are measured on: `clock` unless given, or a TickClock that pauses with the game. */
  roundClock?: Clock;
}

/** A coordinator with rounds: who may add to them, how long they wait, and what would end the wait. */
export abstract class RoundsCoordinator<T extends Gradients | ModelParameters> extends Coordinator<T> {
  protected readonly rounds: Rounds;

  constructor(options: RoundsCoordinatorOptions, ownOptions: readonly string[], mode: Mode) {
    super(options, ['mode', 'roundClock', ...ownOptions]);
    const { clock, random } = this.options;
    const { roundClock = clock } = options;
    this.rounds = new Rounds(
      {
        clock: requireClock(roundClock, 'roundClock'),
        random,
        version: () => this.main.version,
        present: () => this.membership.present,
        end: () => this.road.enqueue(() => this.#endRound()),
        asked: ({ id }) => {
          this.server.ask(id);
          this.events.emit('childAsked', { childId: id, version: this.main.version });
        },
        waiting: (wait) => {
          this.events.emit('waiting', wait);
          this.roundWaits();
        },
      },
      mode,
    );
    this.server.askWhere((childId) => {
      const member = this.membership.find(childId);
      return member !== undefined && this.rounds.isAsked(member);
    });
  }

  /** Makes main of what the open round has; undefined where it has nothing. Where it throws, its updates are given up. */
  protected abstract finishOpenRound(): Steps<unknown>;

  /**
   * Brings updates together by other rules from now on; what the open round has stays in it, but for the latest parameters
   * of each child that a parameters coordinator keeps in `'immediate'` alone. Throws InvalidOptionError, and then nothing
   * has changed.
   */
  setMode(mode: ModeOption): void {
    this.changeMode(createMode(mode));
  }

  protected changeMode(mode: Mode): void {
    this.rounds.setMode(mode);
  }

  /** What the open round waits for, since when, and what would end it; undefined where the next update is enough. */
  waitingFor(): RoundWait | undefined {
    return this.rounds.waitingFor();
  }

  /**
   * Ends the open round with the updates that it has, however many it waits for; false where it has none. With `drive:
   * 'tick'` or `'timers'` that is work like any other.
   */
  endRound(): boolean {
    if (this.rounds.updates === 0) return false;
    this.road.enqueue(() => this.#finishRound());
    return true;
  }

  override async restore(): Promise<boolean> {
    const isRestored = await super.restore();
    if (isRestored) this.rounds.restart();
    return isRestored;
  }

  override async close(options: CloseOptions = {}): Promise<void> {
    await super.close(options);
    this.rounds.stop();
  }

  /** The open round goes on waiting, though its deadline has passed or nobody is there who could end it. */
  protected roundWaits(): void {}

  protected override replaceMain(parameters: ModelParameters): void {
    super.replaceMain(parameters);
    this.rounds.restart();
  }

  protected override admitMember(member: Member, { baseVersion }: T): void {
    this.rounds.check(member, baseVersion);
  }

  protected override memberJoined(member: Member): void {
    this.rounds.joined(member);
  }

  protected override memberLeft(member: Member): void {
    this.rounds.left(member);
  }

  /** Nobody who could hear of it has called for this. */
  *#endRound(): Generator<undefined, void> {
    // Whatever waited before may have ended it.
    if (this.rounds.isDue) yield* this.#finishRound();
  }

  *#finishRound(): Generator<undefined, void> {
    if (this.rounds.updates === 0) return;
    try {
      yield* inSteps(this.finishOpenRound());
    } catch (thrown) {
      this.report(toError(thrown));
    }
  }
}
