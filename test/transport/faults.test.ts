import type { Clock, Random } from 'mainstem';
import { seededRandom, systemClock } from 'mainstem';
import { HttpServerTransport, HttpTransport } from 'mainstem/http';
import { WebSocketServerTransport, WebSocketTransport } from 'mainstem/websocket';
import { beforeAll, describe, expect, test } from 'vitest';
import { ByteProxy } from './byteProxy.ts';
import type { Exchange, Outcome } from './faultFederation.ts';
import { children, FaultFederation, fastClock } from './faultFederation.ts';
import type { Faults, FaultyRoad } from './faultProxy.ts';
import { FaultProxy } from './faultProxy.ts';
import type { HttpFaults } from './httpFaultProxy.ts';
import { HttpFaultProxy } from './httpFaultProxy.ts';
import { urlOf } from './webSocketSupport.ts';

// Children and their coordinator over real sockets, with something between them that loses, repeats, delays, mixes up and
// cuts. Where a frame is lost at the end of a row, a heartbeat brings it to light; they come every 100 ms here.

const rounds = 8;
const exchanges: readonly Exchange[] = ['gradients', 'parameters', 'pipelined'];
const clock: Clock = fastClock(100);

interface Run extends Outcome {
  readonly counts: Readonly<Record<string, number>>;
}

type OpenRoad = (port: number, random: Random) => Promise<FaultyRoad>;

async function overWebSockets(exchange: Exchange, seed: number, open: OpenRoad): Promise<Run> {
  const federation = new FaultFederation(exchange, rounds, clock);
  const server = new WebSocketServerTransport({ port: 0 });
  await federation.listen(server);
  const road = await open(server.address?.port ?? 0, seededRandom(seed));
  const transport = new WebSocketTransport(`ws://127.0.0.1:${road.port}/`);
  const outcome = await federation.play(transport, () => road.calm());
  await road.close();
  return { ...outcome, counts: road.counts };
}

async function overHttp(exchange: Exchange, seed: number, faults: HttpFaults): Promise<Run> {
  // What is lost here is asked for again at once, and has no need of heartbeats.
  const slower = fastClock(20);
  const federation = new FaultFederation(exchange, rounds, slower);
  const server = new HttpServerTransport({ port: 0, clock: slower });
  await federation.listen(server);
  const road = await HttpFaultProxy.open(server.address?.port ?? 0, faults, seededRandom(seed));
  const transport = new HttpTransport({ url: `http://127.0.0.1:${road.port}/mainstem`, clock: slower });
  const outcome = await federation.play(transport, () => road.calm());
  await road.close();
  return { ...outcome, counts: road.counts };
}

const clean = new Map<Exchange, Outcome>();

beforeAll(async () => {
  for (const exchange of exchanges) {
    const federation = new FaultFederation(exchange, rounds, systemClock);
    const server = new WebSocketServerTransport({ port: 0 });
    await federation.listen(server);
    clean.set(exchange, await federation.play(new WebSocketTransport(urlOf(server)), () => {}));
  }
});

/** Plays all seeds of all exchanges at once, since they wait more than they work, and compares each with the clean run. */
async function compare(
  seeds: readonly number[],
  play: (exchange: Exchange, seed: number) => Promise<Run>,
): Promise<Record<string, number>> {
  const total: Record<string, number> = { disconnections: 0 };
  const playOne = async (exchange: Exchange, seed: number): Promise<void> => {
    const { version, main, acknowledged, disconnections, counts } = await play(exchange, seed);
    const expected = clean.get(exchange) as Outcome;
    expect({ exchange, seed, version, main }).toEqual({
      exchange,
      seed,
      version: expected.version,
      main: expected.main,
    });
    expect(acknowledged).toBe(children * rounds);
    for (const [what, count] of Object.entries({ ...counts, disconnections }))
      total[what] = (total[what] ?? 0) + count;
  };
  await Promise.all(exchanges.flatMap((exchange) => seeds.map((seed) => playOne(exchange, seed))));
  return total;
}

const situations: readonly (readonly [string, Faults])[] = [
  ['drops', { drop: 0.05 }],
  ['duplicates', { duplicate: 0.5 }],
  ['reorders', { reorder: 0.05 }],
  ['delays', { delay: 0.08 }],
  ['cuts', { cut: 0.06 }],
  ['does all of that', { drop: 0.02, duplicate: 0.2, reorder: 0.02, delay: 0.04, cut: 0.03 }],
];

describe('main over real sockets is the clean main bit for bit, each update in it once', {
  timeout: 30_000,
}, () => {
  test('without faults', () => {
    for (const exchange of exchanges) {
      const { version, acknowledged, disconnections } = clean.get(exchange) as Outcome;
      const versions = exchange === 'pipelined' ? children * rounds : rounds;
      expect([version, acknowledged, disconnections]).toEqual([versions + 1, children * rounds, 0]);
    }
  });

  test.each(situations)('where the network %s', async (_name, faults) => {
    const total = await compare([1, 2, 3], (exchange, seed) =>
      overWebSockets(exchange, seed, (port, random) =>
        FaultProxy.open(`ws://127.0.0.1:${port}/`, faults, random),
      ),
    );
    for (const fault of Object.keys(faults)) expect(total[fault], fault).toBeGreaterThan(0);
    if ('drop' in faults || 'cut' in faults) expect(total.disconnections).toBeGreaterThan(0);
  });

  test('where connections are cut in the middle of anything', async () => {
    const total = await compare([1, 2, 3], (exchange, seed) =>
      overWebSockets(exchange, seed, (port, random) =>
        ByteProxy.open(port, exchange === 'gradients' ? 3_000 : 100_000, random),
      ),
    );
    expect(total.cut).toBeGreaterThan(0);
    expect(total.disconnections).toBeGreaterThan(0);
  });

  test('where HTTP requests and answers are lost, doubled and cut', async () => {
    const faults = { dropRequest: 0.05, dropAnswer: 0.1, duplicate: 0.15, cut: 0.1 };
    const total = await compare([1, 2], (exchange, seed) => overHttp(exchange, seed, faults));
    for (const fault of Object.keys(faults)) expect(total[fault], fault).toBeGreaterThan(0);
  });
});
