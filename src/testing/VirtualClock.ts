import { TickClock } from '../TickClock.ts';

/** A clock of virtual milliseconds, for a whole federation in one thread: a turn of the event loop is over at once. */
export class VirtualClock extends TickClock {
  /** How often `yieldTurn` was called. */
  turns = 0;

  override async yieldTurn(): Promise<void> {
    this.turns++;
  }
}
