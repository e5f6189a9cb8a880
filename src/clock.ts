/** How a timer is kept. */
export interface ScheduleOptions {
  /** It keeps no process alive, and no simulation going: for what looks after others, such as heartbeats. */
  readonly isBackground?: boolean;
}

/** Time, as everything in mainstem sees it. Injected, so that a whole federation can run at virtual time. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin. */
  now(): number;
  /** Calls back once after `delayMs`, of which less than 0 counts as 0; the function returned cancels. */
  schedule(callback: () => void, delayMs: number, options?: ScheduleOptions): () => void;
  /** Resolves when the event loop has had a turn. */
  yieldTurn(): Promise<void>;
}

type SetImmediate = (callback: () => void) => unknown;

/** Lets input, timers and the network have their turn, without the 4 ms that browsers add to nested timers. */
function yieldTurn(): Promise<void> {
  const immediate = (globalThis as { setImmediate?: SetImmediate }).setImmediate;
  return new Promise((resolve) => {
    if (immediate !== undefined) {
      immediate(resolve);
      return;
    }
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(undefined);
  });
}

/**
 * Calls back when what happens in this turn of the event loop has happened. Browsers have nothing for it that is not
 * held up in a page that nobody looks at: there it is the end of the running task.
 */
export function afterTurn(callback: () => void): void {
  const immediate = (globalThis as { setImmediate?: SetImmediate }).setImmediate;
  (immediate ?? queueMicrotask)(callback);
}

/** The longest that the platform's timers wait: what is longer runs at once there. It is nearly 25 days. */
const delayMsMax = 2 ** 31 - 1;

/** The platform's own clock: the default wherever a `clock` can be given. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(callback, delayMs, options) {
    const timer: unknown = setTimeout(callback, Math.min(Math.max(0, delayMs), delayMsMax));
    // Browsers have numbers for timers, and pages that end when they are closed.
    if (options?.isBackground === true) (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer as number);
  },
  yieldTurn,
};
