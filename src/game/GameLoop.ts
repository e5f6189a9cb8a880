import { InvalidOptionError } from '../errors.ts';
import { show } from '../show.ts';

/** What a loop calls once in each of its ticks. */
export type TickListener = () => void;

/** A loop that says its ticks as an event: Node's EventEmitter, Phaser's `scene.events`. */
export interface TickEmitter {
  on(event: string, listener: TickListener): unknown;
  off(event: string, listener: TickListener): unknown;
}

/** A loop that has a list of what it calls: PixiJS's `Ticker`. */
export interface Ticker {
  add(listener: TickListener): unknown;
  remove(listener: TickListener): unknown;
}

/**
 * The loop of a game. Any other one is a function that has the listener called once a tick and returns what ends that:
 * `(tick) => { const timer = setInterval(tick, 50); return () => clearInterval(timer); }`.
 */
export type GameLoop = ((tick: TickListener) => () => void) | TickEmitter | Ticker;

/** Has the listener called in each tick; the function returned ends it. Throws InvalidOptionError for what is no loop. */
export function listenToTicks(loop: GameLoop, event: string, listener: TickListener): () => void {
  if (typeof loop === 'function') return requireEnd(loop(listener));
  if (isEmitter(loop)) {
    loop.on(event, listener);
    return () => void loop.off(event, listener);
  }
  if (isTicker(loop)) {
    loop.add(listener);
    return () => void loop.remove(listener);
  }
  throw new InvalidOptionError(
    `loop is ${show(loop)}, expected a function (tick) => end, or an object with on and off, or add and remove`,
  );
}

function isEmitter(loop: unknown): loop is TickEmitter {
  const { on, off } = (loop ?? {}) as Partial<TickEmitter>;
  return typeof on === 'function' && typeof off === 'function';
}

function isTicker(loop: unknown): loop is Ticker {
  const { add, remove } = (loop ?? {}) as Partial<Ticker>;
  return typeof add === 'function' && typeof remove === 'function';
}

function requireEnd(end: () => void): () => void {
  if (typeof end === 'function') return end;
  throw new InvalidOptionError(
    `loop returned ${show(end)}, expected a function after which tick is not called any more`,
  );
}
