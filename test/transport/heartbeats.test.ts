import {
  BrokenConnectionError,
  type Clock,
  ConnectionClosedError,
  DistributedGradientsCoordinator,
} from 'mainstem';
import { VirtualClock, VirtualNetwork } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { linkLimits } from '../../src/limits.ts';
import { encodeFrame } from '../../src/transport/frame.ts';
import { Heart } from '../../src/transport/Heart.ts';
import { helloOf, Speaker } from '../protocol/speaker.ts';
import { type AcceptingLink, acceptingLink, nothing } from './linkSupport.ts';

const { heartbeatMs, silentBeatsMax, handshakeMsMax, leaseMsMax } = linkLimits;

/** The payload of a heartbeat that says for how long nothing need come. */
function leaseOf(forMs: number): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, forMs, true);
  return payload;
}

/** A link on which somebody has begun to speak. */
function spokenWith(): AcceptingLink {
  const made = acceptingLink();
  made.connection.bringFrame({});
  return made;
}

/** When a link is given up, in milliseconds from now; undefined where it is not within `untilMs`. */
function givenUpAfter({ clock, ends }: AcceptingLink, untilMs: number): number | undefined {
  const startMs = clock.now();
  while (ends.length === 0 && clock.now() < startMs + untilMs) clock.advance(heartbeatMs / 10);
  return ends.length === 0 ? undefined : clock.now() - startMs;
}

describe('silence', () => {
  test('is filled with heartbeats, one for each interval, and none where something else is sent', () => {
    const made = spokenWith();
    const { clock, connection, channels } = made;
    for (let beat = 0; beat < 10; beat++) {
      clock.advance(heartbeatMs);
      connection.bringFrame({});
    }
    const beats = connection.sent.filter(({ kind, payload }) => kind === 0 && payload.length === 0);
    expect(beats).toHaveLength(10);
    for (let beat = 0; beat < 10; beat++) {
      clock.advance(heartbeatMs - 1);
      connection.bringFrame({});
      channels[0]?.send(16, nothing);
      clock.advance(1);
    }
    expect(connection.sent.filter(({ kind }) => kind === 0)).toHaveLength(10);
  });

  test('is given up after three intervals, at the beat that follows', () => {
    const made = spokenWith();
    const afterMs = givenUpAfter(made, 100 * heartbeatMs) as number;
    expect(afterMs).toBeGreaterThan(silentBeatsMax * heartbeatMs);
    expect(afterMs).toBeLessThanOrEqual((silentBeatsMax + 1) * heartbeatMs);
    expect(made.ends).toEqual([expect.any(BrokenConnectionError)]);
    expect(made.heard[0]?.ends[0]?.message).toMatch(/nothing has come from the test for 40 s/);
    expect(made.connection.isClosed).toBe(true);
    // The last connection takes the timer with it.
    expect(made.clock.runNext()).toBe(false);
  });

  test('ends with any frame, be it a heartbeat, unknown, or one that came before', () => {
    for (const head of [{ kind: 0 }, { kind: 9 }, { kind: 16 }, { kind: 16, number: 0 }]) {
      const made = spokenWith();
      made.clock.advance(2.5 * heartbeatMs);
      made.connection.bringFrame(head);
      expect(givenUpAfter(made, 100 * heartbeatMs)).toBeGreaterThan(silentBeatsMax * heartbeatMs);
    }
  });
});

describe('a thread that is held up', () => {
  /** A link whose clock stands still while the thread is busy: `holdUp` lets a beat come late. */
  function setUp() {
    let nowMs = 0;
    let next: { dueMs: number; callback: () => void } | undefined;
    const clock: Clock = {
      now: () => nowMs,
      schedule(callback, delayMs) {
        next = { dueMs: nowMs + delayMs, callback };
        return () => {
          next = undefined;
        };
      },
      async yieldTurn() {},
    };
    const made = acceptingLink({ heart: new Heart(clock, heartbeatMs) });
    made.connection.bringFrame({});
    const holdUp = (lateMs: number): void => {
      const due = next;
      if (due === undefined) throw new Error('no beat is due');
      nowMs = due.dueMs + lateMs;
      due.callback();
    };
    return { ...made, holdUp };
  }

  test('gives nobody up: what the others have said meanwhile waits to be read', () => {
    const { connection, ends, holdUp } = setUp();
    for (let training = 0; training < 5; training++) {
      holdUp(20 * heartbeatMs);
      expect(ends).toEqual([]);
      // The event loop has its turn: frames that were there all the time are read now.
      connection.bringFrame({ kind: 0 });
      holdUp(0);
      expect(ends).toEqual([]);
    }
  });

  test('gives up those who have said nothing meanwhile, at the beat after', () => {
    const { ends, holdUp } = setUp();
    holdUp(20 * heartbeatMs);
    expect(ends).toEqual([]);
    holdUp(1);
    expect(ends).toEqual([expect.any(BrokenConnectionError)]);
  });

  test('a beat that is late by less than an interval counts', () => {
    const { ends, holdUp } = setUp();
    for (let beat = 0; beat < 3; beat++) holdUp(heartbeatMs / 2);
    expect(ends).toHaveLength(1);
  });
});

describe('a lease', () => {
  test('lets the other end be silent for as long as it says, and three intervals more', () => {
    const made = spokenWith();
    made.connection.bringFrame({ kind: 0 }, nothing, leaseOf(60 * heartbeatMs));
    const afterMs = givenUpAfter(made, 1_000 * heartbeatMs) as number;
    expect(afterMs).toBeGreaterThan(63 * heartbeatMs);
    expect(afterMs).toBeLessThanOrEqual(64 * heartbeatMs);
  });

  test('ends with the next frame, and with a lease of 0', () => {
    for (const end of [nothing, leaseOf(0)]) {
      const made = spokenWith();
      made.connection.bringFrame({ kind: 0 }, nothing, leaseOf(60 * heartbeatMs));
      made.connection.bringFrame({ kind: 0 }, nothing, end);
      expect(givenUpAfter(made, 1_000 * heartbeatMs)).toBeLessThanOrEqual(4 * heartbeatMs);
    }
  });

  test('has a longest time, here and there', () => {
    const made = spokenWith();
    made.channels[0]?.announceBusy(1e12);
    const sent = made.connection.sent[0]?.payload as Uint8Array;
    expect(new DataView(sent.buffer, sent.byteOffset).getUint32(0, true)).toBe(leaseMsMax);
    made.connection.bringFrame({ kind: 0 }, nothing, leaseOf(2 ** 32 - 1));
    const afterMs = givenUpAfter(made, 2 * leaseMsMax) as number;
    expect(afterMs).toBeGreaterThan(leaseMsMax);
    expect(afterMs).toBeLessThanOrEqual(leaseMsMax + 4 * heartbeatMs);
  });

  test('of fewer than four bytes is an ordinary heartbeat', () => {
    const made = spokenWith();
    for (let length = 0; length < 4; length++)
      made.connection.bringFrame({ kind: 0 }, nothing, new Uint8Array(length).fill(255));
    expect(givenUpAfter(made, 1_000 * heartbeatMs)).toBeLessThanOrEqual(4 * heartbeatMs);
  });
});

describe('those who do not say who they are', () => {
  test('a connection on which nobody speaks is closed, heartbeats or not', () => {
    const made = acceptingLink();
    made.clock.schedule(() => made.connection.bringFrame({ kind: 0 }), handshakeMsMax - 1);
    const afterMs = givenUpAfter(made, 100 * heartbeatMs) as number;
    expect(afterMs).toBeGreaterThan(handshakeMsMax);
    expect(afterMs).toBeLessThanOrEqual(handshakeMsMax + heartbeatMs);
    expect(made.ends).toEqual([expect.any(ConnectionClosedError)]);
  });

  test('a conversation without a hello is refused, though it says other things all the time', async () => {
    const network = new VirtualNetwork();
    const { clock } = network;
    const coordinator = new DistributedGradientsCoordinator({ clock });
    await coordinator.listen(network.transport('coordinator'));
    const stranger = new Speaker(await network.transport('stranger').connect());
    const child = new Speaker(await network.transport('child').connect());
    child.say(helloOf());
    for (let beat = 0; beat < 4; beat++) {
      // Kinds that nobody knows are skipped: they are no hello.
      if (stranger.closes === 0)
        stranger.sayBytes(
          encodeFrame(
            { kind: 99, flags: 0, channel: 0, number: beat, totalLength: 0 },
            Uint8Array.of(0x90),
            nothing,
          ),
        );
      clock.schedule(() => {}, handshakeMsMax / 2);
      await network.settle();
    }
    clock.advance(heartbeatMs);
    await network.settle();
    expect(stranger.answers).toMatchObject([
      { type: 'refusal', error: { code: 'LIMIT_EXCEEDED', message: 'no hello within 10000 ms' } },
    ]);
    expect(stranger.closes).toBe(1);
    expect(child.closes).toBe(0);
    expect(coordinator.children).toEqual(['x']);
  });
});

test('one timer serves all connections, keeps nothing going, and stops with the last', () => {
  const clock = new VirtualClock();
  const heart = new Heart(clock, 100);
  const beats: string[] = [];
  const one = (name: string) => ({ beat: (nowMs: number) => void beats.push(`${name} ${nowMs}`) });
  const [a, b] = [one('a'), one('b')];
  heart.add(a);
  heart.add(b);
  expect(clock.pendingTimers).toBe(0);
  clock.advance(200);
  heart.remove(a);
  heart.remove(a);
  clock.advance(100);
  heart.remove(b);
  clock.advance(1_000);
  expect(beats).toEqual(['a 100', 'b 100', 'a 200', 'b 200', 'b 300']);
  heart.add({
    beat: () => {
      heart.remove(a);
      heart.add(a);
    },
  });
  clock.advance(100);
  expect(beats.at(-1)).toBe('b 300');
  clock.advance(100);
  expect(beats.at(-1)).toBe('a 1500');
});
