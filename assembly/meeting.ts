// Where threads wait for each other. Only threads that may block come here: not the main thread of a browser, nor one
// that has an event loop to serve.

/** A place to meet, in a cache line of its own. All fields are read and written as atomics. */
@unmanaged
export class Meeting {
  /** Threads that have come since the last time. */
  arrived: i32;
  /** How often all have met; it is what threads sleep on. */
  round: i32;
  /** Threads that sleep or are about to. */
  asleep: i32;
}

/**
 * Looks at the round before a thread goes to sleep: some ten microseconds, as long as falling asleep and being woken
 * cost together.
 */
const looks: i32 = 10_000;

/** Returns when `count` threads have called it. What each of them wrote before is seen by all of them after it. */
export function meet(meeting: Meeting, count: i32): void {
  const at = changetype<usize>(meeting);
  const arrived = at + offsetof<Meeting>('arrived');
  const round = at + offsetof<Meeting>('round');
  const asleep = at + offsetof<Meeting>('asleep');
  const before = atomic.load<i32>(round);
  if (atomic.add<i32>(arrived, 1) === count - 1) {
    atomic.store<i32>(arrived, 0);
    atomic.store<i32>(round, before + 1);
    // Who is not counted here has yet to compare the round with its own, and will not fall asleep.
    if (atomic.load<i32>(asleep) !== 0) atomic.notify(round, -1);
    return;
  }
  for (let look = 0; look < looks; look++) {
    if (atomic.load<i32>(round) !== before) return;
  }
  atomic.add<i32>(asleep, 1);
  while (atomic.load<i32>(round) === before) atomic.wait<i32>(round, before, -1);
  atomic.sub<i32>(asleep, 1);
}
