import type { Connection, MainstemError } from 'mainstem';
import {
  Child,
  ConnectionClosedError,
  ConnectionRefusedError,
  DistributedModelParametersCoordinator,
  InvalidOptionError,
  LimitExceededError,
  LinearRegression,
} from 'mainstem';
import type { NetworkFaults } from 'mainstem/testing';
import { runContract, transportContract, type VirtualClock, VirtualNetwork } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { virtualNetworkLimits } from '../../src/limits.ts';

interface End {
  readonly connection: Connection;
  readonly frames: number[];
  readonly times: number[];
  readonly closes: (MainstemError | undefined)[];
  readonly closeTimes: number[];
}

function record(connection: Connection, clock: VirtualClock): End {
  const end: End = { connection, frames: [], times: [], closes: [], closeTimes: [] };
  connection.receive({
    frame(bytes) {
      end.frames.push(bytes[0] as number);
      end.times.push(clock.now());
    },
    drained() {},
    closed(error) {
      end.closes.push(error);
      end.closeTimes.push(clock.now());
    },
  });
  return end;
}

/** A server at `server` and one connection from each of these hosts: [near, far] by host. */
async function connected(network: VirtualNetwork, ...hosts: string[]): Promise<[End, End][]> {
  const far: End[] = [];
  await network.transport('server').listen((connection) => void far.push(record(connection, network.clock)));
  const pairs: [End, End][] = [];
  for (const host of hosts) {
    const near = record(await network.transport(host).connect(), network.clock);
    await network.settle();
    pairs.push([near, far[far.length - 1] as End]);
  }
  return pairs;
}

async function pairOf(network: VirtualNetwork): Promise<[End, End]> {
  return (await connected(network, 'a'))[0] as [End, End];
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
const sendAll = ({ connection }: End, count: number): void => {
  for (const i of range(count)) connection.send(Uint8Array.of(i));
};

describe('hosts', () => {
  test('they find the only listener, or the one that they name', async () => {
    const network = new VirtualNetwork();
    await expect(network.transport('a').connect()).rejects.toThrow(/nobody listens on this network/);
    const [near, far] = await pairOf(network);
    expect([near.connection.peer, far.connection.peer]).toEqual(['server', 'a']);
    const accepted: Connection[] = [];
    await network.transport('other').listen((connection) => void accepted.push(connection));
    await expect(network.transport('a').connect()).rejects.toThrow(/\["server","other"\] listen/);
    await network.transport('a', { to: 'other' }).connect();
    await network.settle();
    expect(accepted.map(({ peer }) => peer)).toEqual(['a']);
    await expect(network.transport('a', { to: 'nobody' }).connect()).rejects.toBeInstanceOf(
      ConnectionRefusedError,
    );
    await expect(network.transport('other').listen(() => {})).rejects.toThrow(/other listens already/);
  });

  test('a listener that closes before a connection has reached it never hears of it', async () => {
    const network = new VirtualNetwork({ faults: { delayMs: 10 } });
    let accepted = 0;
    const listener = await network.transport('server').listen(() => void accepted++);
    const near = record(await network.transport('a').connect(), network.clock);
    await listener.close();
    await network.settle();
    expect(accepted).toBe(0);
    expect(near.closes).toEqual([undefined]);
  });
});

describe('faults', () => {
  test('a delay keeps the order, and frames arrive when they are due', async () => {
    const network = new VirtualNetwork({ seed: 3, faults: { delayMs: [5, 50] } });
    const [near, far] = await pairOf(network);
    const sentMs = network.clock.now();
    sendAll(near, 50);
    expect(await network.settle()).toBe('quiet');
    expect(far.frames).toEqual(range(50));
    const delays = far.times.map((time) => time - sentMs);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...delays)).toBeLessThanOrEqual(50);
    expect(new Set(delays).size).toBeGreaterThan(1);
    network.setFaults({ delayMs: 7 });
    near.connection.send(Uint8Array.of(99));
    const again = network.clock.now();
    await network.settle();
    expect(far.times[50]).toBe(again + 7);
    network.setFaults({ delayMs: (random) => (random.next() < 2 ? 11 : 0) });
    near.connection.send(Uint8Array.of(98));
    await network.settle();
    expect(far.times[51]).toBe(again + 18);
  });

  test('drop loses frames in silence, about as many as it says', async () => {
    const network = new VirtualNetwork({ seed: 1, faults: { drop: 0.25 } });
    const [near, far] = await pairOf(network);
    for (const _ of range(40)) sendAll(near, 100);
    await network.settle();
    const { sent, delivered, dropped, inFlight } = network.statistics;
    expect([sent, delivered + dropped, inFlight]).toEqual([4000, 4000, 0]);
    expect(far.frames).toHaveLength(delivered);
    // Within five standard deviations of 1,000.
    expect(Math.abs(dropped - 1000)).toBeLessThan(5 * Math.sqrt(4000 * 0.25 * 0.75));
    expect(near.closes.length + far.closes.length).toBe(0);
  });

  test('duplicate brings frames again', async () => {
    const network = new VirtualNetwork({ faults: { duplicate: 1 } });
    const seen: Uint8Array[] = [];
    await network.transport('server').listen((connection) =>
      connection.receive({
        frame(bytes) {
          seen.push(bytes);
        },
        drained() {},
        closed() {},
      }),
    );
    const connection = await network.transport('a').connect();
    connection.send(Uint8Array.of(4, 2));
    await network.settle();
    expect(seen).toEqual([Uint8Array.of(4, 2), Uint8Array.of(4, 2)]);
    expect(network.statistics).toMatchObject({ sent: 1, duplicated: 1, delivered: 2, inFlight: 0, bytes: 2 });
  });

  test('reorder lets frames overtake: all arrive once, in another order, and the close stays last', async () => {
    const network = new VirtualNetwork({ seed: 5, faults: { reorder: 0.5 } });
    const [near, far] = await pairOf(network);
    sendAll(near, 50);
    near.connection.close();
    await network.settle();
    expect(far.frames).not.toEqual(range(50));
    expect([...far.frames].sort((a, b) => a - b)).toEqual(range(50));
    expect(far.closes).toEqual([undefined]);
    expect(network.statistics.reordered).toBeGreaterThan(10);
    // One frame at a time overtakes nothing.
    const single = new VirtualNetwork({ faults: { reorder: 1 } });
    const [alone, other] = await pairOf(single);
    for (const i of range(5)) {
      alone.connection.send(Uint8Array.of(i));
      await single.settle();
    }
    expect(other.frames).toEqual(range(5));
    expect(single.statistics.reordered).toBe(0);
  });

  test('they can be set for a link, for a host and for all, the nearest alone counts, and they can be cleared', async () => {
    const network = new VirtualNetwork();
    const [a, b, c] = (await connected(network, 'a', 'b', 'c')) as [[End, End], [End, End], [End, End]];
    network.setFaults({ drop: 1 });
    network.setFaults({ duplicate: 1 }, { from: 'a' });
    network.setFaults({}, { from: 'b', to: 'server' });
    network.setFaults({ duplicate: 1 }, { to: 'b' });
    for (const [near, far] of [a, b, c]) {
      near.connection.send(Uint8Array.of(1));
      far.connection.send(Uint8Array.of(2));
    }
    await network.settle();
    expect([a, b, c].map(([near, far]) => [far.frames, near.frames])).toEqual([
      [[1, 1], []],
      [[1], [2, 2]],
      [[], []],
    ]);
    network.clearFaults();
    c[0].connection.send(Uint8Array.of(3));
    a[0].connection.send(Uint8Array.of(3));
    await network.settle();
    expect([c[1].frames, a[1].frames]).toEqual([[3], [1, 1, 3]]);
  });

  test('a seeded cut breaks the connection, and the receiver may hear later', async () => {
    const network = new VirtualNetwork({ faults: { cut: 1, halfOpenMs: 30 } });
    const [near, far] = await pairOf(network);
    near.connection.send(Uint8Array.of(1));
    expect(near.closes).toEqual([]);
    await network.settle();
    expect([near.closeTimes, far.closeTimes, far.frames]).toEqual([[0], [30], []]);
    for (const end of [near, far]) expect(end.closes[0]).toBeInstanceOf(ConnectionClosedError);
  });
});

describe('cut', () => {
  test('both ends hear of it with an error, once; what is on its way, or sent into it, is lost', async () => {
    const network = new VirtualNetwork({ faults: { delayMs: 10 } });
    const [[near, far], [other, otherFar]] = (await connected(network, 'a', 'b')) as [[End, End], [End, End]];
    const startMs = network.clock.now();
    near.connection.send(Uint8Array.of(1));
    far.connection.send(Uint8Array.of(2));
    expect(network.cut('a', { halfOpenMs: 40 })).toBe(1);
    expect(network.cut('a')).toBe(0);
    expect([near.closes, far.closes]).toEqual([[], []]);
    far.connection.send(Uint8Array.of(3));
    await network.settle();
    expect([near.frames, far.frames]).toEqual([[], []]);
    expect([near.closes.length, far.closes.length]).toEqual([1, 1]);
    expect([near.closeTimes[0], far.closeTimes[0]]).toEqual([startMs, startMs + 40]);
    expect(near.closes[0]).toBeInstanceOf(ConnectionClosedError);
    expect(() => near.connection.send(Uint8Array.of(1))).toThrow(ConnectionClosedError);
    expect(network.statistics).toMatchObject({ sent: 3, dropped: 3, cut: 1, inFlight: 0 });
    expect(near.connection.bufferedBytes + far.connection.bufferedBytes).toBe(0);
    // Nobody else is touched, and the host may come again.
    other.connection.send(Uint8Array.of(5));
    const back = record(await network.transport('a').connect(), network.clock);
    back.connection.send(Uint8Array.of(6));
    await network.settle();
    expect(otherFar.frames).toEqual([5]);
    expect(network.statistics.delivered).toBe(2);
  });

  test('an end that closes before it has heard is told of its own close alone', async () => {
    const network = new VirtualNetwork();
    const [near, far] = await pairOf(network);
    network.cut('a', { halfOpenMs: 20, from: 'server' });
    far.connection.close();
    await network.settle();
    expect(far.closes).toEqual([undefined]);
    expect(near.closes).toHaveLength(1);
    expect(network.cut('a')).toBe(0);
  });
});

describe('partition and heal', () => {
  test('nothing passes, in either direction, and those that lost something break when it heals', async () => {
    const network = new VirtualNetwork();
    const [[a, aFar], [b, bFar], [c, cFar]] = (await connected(network, 'a', 'b', 'c')) as [
      [End, End],
      [End, End],
      [End, End],
    ];
    network.partition(['a', 'b'], ['server']);
    a.connection.send(Uint8Array.of(1));
    c.connection.send(Uint8Array.of(2));
    await network.settle();
    expect([aFar.frames, cFar.frames]).toEqual([[], [2]]);
    expect(a.closes).toEqual([]);
    await expect(network.transport('b').connect()).rejects.toThrow(/a partition is between b and server/);
    network.heal();
    await network.settle();
    for (const end of [a, aFar]) {
      expect(end.closes).toHaveLength(1);
      expect(end.closes[0]).toBeInstanceOf(ConnectionClosedError);
    }
    b.connection.send(Uint8Array.of(3));
    bFar.connection.send(Uint8Array.of(4));
    await network.settle();
    expect([bFar.frames, b.frames]).toEqual([[3], [4]]);
  });

  test('what is on its way when it begins is lost; a close that it swallows is heard of when it heals', async () => {
    const network = new VirtualNetwork({ faults: { delayMs: 10 } });
    const [[a, aFar], [b, bFar]] = (await connected(network, 'a', 'b')) as [[End, End], [End, End]];
    a.connection.send(Uint8Array.of(1));
    network.partition(['server']);
    b.connection.close();
    await network.settle();
    expect([aFar.frames, b.closes, bFar.closes]).toEqual([[], [undefined], []]);
    network.heal();
    await network.settle();
    expect([a.closes.length, aFar.closes.length, b.closes.length, bFar.closes.length]).toEqual([1, 1, 1, 1]);
    expect(bFar.closes[0]).toBeInstanceOf(ConnectionClosedError);
  });

  test('a connection that it catches before it is accepted breaks', async () => {
    const network = new VirtualNetwork({ faults: { delayMs: 10 } });
    let accepted = 0;
    await network.transport('server').listen(() => void accepted++);
    const near = record(await network.transport('a').connect(), network.clock);
    network.partition(['a']);
    await network.settle();
    expect([accepted, near.closes.length]).toEqual([0, 1]);
    expect(near.closes[0]).toBeInstanceOf(ConnectionClosedError);
  });

  test('partitions add up; those who are in no group are not touched', async () => {
    const network = new VirtualNetwork();
    const ends = (await connected(network, 'a', 'b', 'c')) as [End, End][];
    network.partition(['a'], ['server']);
    network.partition(['b'], ['server']);
    for (const [near] of ends) near.connection.send(Uint8Array.of(1));
    await network.settle();
    expect(ends.map(([, far]) => far.frames)).toEqual([[], [], [1]]);
  });
});

describe('settle', () => {
  test('it says why it stopped, and time has come as far as its limit', async () => {
    const network = new VirtualNetwork();
    const { clock } = network;
    expect(await network.settle()).toBe('quiet');
    const again = (): void => void clock.schedule(again, 10);
    again();
    expect(await network.settle({ timeLimitMs: 95 })).toBe('timeLimit');
    expect(clock.now()).toBe(95);
    expect(await network.settle({ timeLimitMs: 0 })).toBe('timeLimit');
    expect(clock.now()).toBe(95);
    expect(await network.settle({ timersMax: 1 })).toBe('timerLimit');
    expect(clock.now()).toBe(100);
    expect(await network.settle({ timeLimitMs: 5 })).toBe('timeLimit');
    let loops = 0;
    const loop = (): void => {
      loops++;
      clock.schedule(loop, 0);
    };
    loop();
    expect(await network.settle({ timersMax: 50 })).toBe('timerLimit');
    expect([loops, clock.now()]).toEqual([51, 105]);
  });

  test('promises that a frame settles run before the next timer', async () => {
    const network = new VirtualNetwork();
    const seen: string[] = [];
    network.clock.schedule(() => {
      void Promise.resolve()
        .then(() => {})
        .then(() => seen.push('promise'));
    }, 1);
    network.clock.schedule(() => seen.push('timer'), 1);
    await network.settle();
    expect(seen).toEqual(['promise', 'timer']);
  });
});

describe('what it remembers', () => {
  const run = async (seed: number, payload: number): Promise<VirtualNetwork> => {
    const network = new VirtualNetwork({ seed, faults: { drop: 0.3, delayMs: [1, 9], duplicate: 0.2 } });
    const [near, far] = await pairOf(network);
    sendAll(near, 20);
    far.connection.send(Uint8Array.of(payload));
    await network.settle();
    return network;
  };

  test('the trace is equal for equal seeds, and its hash is of the bytes too', async () => {
    const first = await run(4, 7);
    expect((await run(4, 7)).trace).toEqual(first.trace);
    expect((await run(4, 7)).traceHash).toBe(first.traceHash);
    expect(first.traceHash).toMatch(/^[0-9a-f]{16}$/);
    const others = [(await run(5, 7)).traceHash, (await run(4, 8)).traceHash, new VirtualNetwork().traceHash];
    expect(new Set([first.traceHash, ...others]).size).toBe(4);
  });

  test('the events are those that are counted, in the order of their times, and the oldest are forgotten', async () => {
    const network = await run(4, 7);
    const count = (kind: string): number => network.trace.filter((event) => event.kind === kind).length;
    const { sent, delivered, dropped, duplicated } = network.statistics;
    expect([count('send'), count('deliver'), count('drop'), count('duplicate')]).toEqual([
      sent,
      delivered,
      dropped,
      duplicated,
    ]);
    expect(network.trace[0]).toEqual({
      atMs: 0,
      kind: 'connect',
      from: 'a',
      to: 'server',
      connection: 1,
      bytes: 0,
    });
    const times = network.trace.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const last = network.trace[network.trace.length - 1];
    for (const _ of range(virtualNetworkLimits.traceEventsMax - 1)) await network.transport('b').connect();
    expect(network.trace).toHaveLength(virtualNetworkLimits.traceEventsMax);
    expect(network.trace[0]).toEqual(last);
  });
});

describe('nonsense', () => {
  test('faults, options and hosts are checked, and then nothing has changed', async () => {
    const network = new VirtualNetwork({ faults: { drop: 1 } });
    const wrong: unknown[] = [
      { drop: -0.1 },
      { duplicate: 1.5 },
      { reorder: Number.NaN },
      { cut: '1' },
      { delayMs: -1 },
      { delayMs: [5, 1] },
      { delayMs: [1] },
      { halfOpenMs: Infinity },
      { lose: 0.1 },
    ];
    for (const faults of wrong) {
      expect(() => network.setFaults(faults as NetworkFaults)).toThrow(InvalidOptionError);
      expect(() => new VirtualNetwork({ faults: faults as NetworkFaults })).toThrow(InvalidOptionError);
    }
    expect(() => network.setFaults({ drop: -1 })).toThrow('drop is -1, expected a probability, 0 to 1');
    expect(() => new VirtualNetwork({ seed: 0.5 })).toThrow(InvalidOptionError);
    expect(() => new VirtualNetwork({ clock: {} as VirtualClock })).toThrow(InvalidOptionError);
    expect(() => network.transport('')).toThrow(InvalidOptionError);
    expect(() => network.transport('a', { too: 'b' } as object)).toThrow(InvalidOptionError);
    expect(() => network.cut('a', { halfOpenMs: -1 })).toThrow(InvalidOptionError);
    expect(() => network.partition([])).toThrow(InvalidOptionError);
    expect(() => network.partition(['a'], ['b', 'a'])).toThrow('a is on both sides of a partition');
    await expect(network.settle({ timeLimitMs: -1 })).rejects.toBeInstanceOf(InvalidOptionError);
    const [near, far] = await pairOf(network);
    near.connection.send(Uint8Array.of(1));
    await network.settle();
    expect(far.frames).toEqual([]);
    network.setFaults({ delayMs: () => Number.NaN });
    expect(() => near.connection.send(Uint8Array.of(1))).toThrow(/delay function returned NaN/);
  });

  test('every queue has its limit', async () => {
    const network = new VirtualNetwork();
    const [near, far] = await pairOf(network);
    const { framesPerEndMax, bytesPerEndMax, partitionsMax } = virtualNetworkLimits;
    for (let i = 0; i < framesPerEndMax; i++) near.connection.send(new Uint8Array(0));
    expect(() => near.connection.send(new Uint8Array(0))).toThrow(LimitExceededError);
    const half = new Uint8Array(bytesPerEndMax / 2);
    far.connection.send(half);
    far.connection.send(half);
    expect(far.connection.bufferedBytes).toBe(bytesPerEndMax);
    expect(() => far.connection.send(Uint8Array.of(1))).toThrow(LimitExceededError);
    for (let i = 0; i < partitionsMax; i++) network.partition([`host-${i}`]);
    expect(() => network.partition(['a'])).toThrow(LimitExceededError);
  });
});

test('drop, duplicate and reorder break the contract of a transport, as they say', async () => {
  for (const faults of [{ drop: 0.5 }, { duplicate: 0.5 }, { reorder: 0.5 }]) {
    const network = new VirtualNetwork({ seed: 2, faults });
    let host = 0;
    const create = () => {
      const name = `host-${host++}`;
      return network.transport(name, { to: name });
    };
    const settle = async (): Promise<void> => void (await network.settle());
    await expect(runContract(transportContract({ create, settle }))).rejects.toThrow(/not kept/);
  }
});

test('the example: a coordinator, two children, a partition, heal', async () => {
  const network = new VirtualNetwork({ seed: 7, faults: { delayMs: [5, 50] } });
  const coordinator = new DistributedModelParametersCoordinator({ clock: network.clock });
  await coordinator.listen(network.transport('coordinator'));
  const connect = (childId: string): Promise<Child> =>
    Child.connect({
      transport: network.transport(childId),
      model: new LinearRegression(),
      childId,
      clock: network.clock,
    });
  const joining = [connect('a'), connect('b')];
  await network.settle();
  const [a, b] = (await Promise.all(joining)) as [Child, Child];
  const events: string[] = [];
  a.on('disconnected', ({ code }) => events.push(code));
  a.on('reconnected', ({ version }) => events.push(`version ${version}`));
  network.partition(['a']);
  const training = b.train([[0], [1]], [1, 3], { clock: network.clock });
  await network.settle();
  expect((await training).receipt.status).toBe('applied');
  expect([coordinator.version, b.version, a.version]).toEqual([1, 1, 0]);
  network.heal();
  await network.settle();
  expect(events).toEqual(['CONNECTION_CLOSED', 'version 1']);
  expect([a.version, coordinator.children.sort()]).toEqual([1, ['a', 'b']]);
});
