/** Time, as everything in mainstem sees it. Injected, so that a whole federation can run at virtual time. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin. */
  now(): number;
  /** Calls back once after `delayMs`; the function returned cancels. */
  schedule(callback: () => void, delayMs: number): () => void;
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

/** The platform's own clock: the default wherever a `clock` can be given. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  yieldTurn,
};
