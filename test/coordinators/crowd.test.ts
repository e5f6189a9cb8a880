import type { Connection, ServerTransport } from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  Gradients,
  LinearRegression,
  ModelParameters,
  seededRandom,
} from 'mainstem';
import { VirtualNetwork } from 'mainstem/testing';
import { expect, test } from 'vitest';
import { publicationLimits } from '../../src/limits.ts';
import { gradientsOf, parametersOf } from './helpers.ts';

/** What a coordinator sends, and what waits on its connections. */
class Watch {
  readonly connections: Connection[] = [];
  frames = 0;

  over(transport: ServerTransport): ServerTransport {
    const watched = (connection: Connection): Connection => ({
      peer: connection.peer,
      get bufferedBytes() {
        return connection.bufferedBytes;
      },
      send: (bytes) => {
        this.frames++;
        connection.send(bytes);
      },
      receive: (handlers) => connection.receive(handlers),
      close: () => connection.close(),
    });
    return {
      listen: (accept) =>
        transport.listen((connection) => {
          this.connections.push(connection);
          accept(watched(connection));
        }),
    };
  }

  get waitingBytes(): number {
    return this.connections.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0);
  }
}

async function setUp(main: ModelParameters, children: number) {
  const network = new VirtualNetwork();
  const { clock } = network;
  const random = seededRandom(3);
  const coordinator = new DistributedGradientsCoordinator({ clock, random, learningRate: 1 });
  coordinator.setModelParameters(main);
  const watch = new Watch();
  await coordinator.listen(watch.over(network.transport('coordinator')));
  const joining = Array.from({ length: children }, (_, i) =>
    Child.connect({
      transport: network.transport(`child-${i}`, { to: 'coordinator' }),
      model: new LinearRegression(),
      childId: `child-${i}`,
      clock,
      random,
    }),
  );
  await network.settle();
  return { network, coordinator, watch, children: await Promise.all(joining) };
}

test('20 stalled children while main changes 2,000 times: the latest only, and no more waits than at first', async () => {
  const length = 20_000;
  const flat = (value: number): { weights: number[] } => ({
    weights: Array.from({ length }, () => value),
  });
  const { network, coordinator, watch, children } = await setUp(ModelParameters.fromArrays(flat(0)), 21);
  const stalled = children.slice(1);
  const [healthy] = children as [Child];
  for (let i = 1; i <= stalled.length; i++)
    network.setFaults({ delayMs: 3_600_000 }, { from: 'coordinator', to: `child-${i}` });
  const gradients = Gradients.fromArrays(flat(-1), { sampleCount: 1 });
  const waiting: number[] = [];
  let staleness = 0;
  for (let change = 0; change < 2_000; change++) {
    coordinator.addGradients(gradients);
    await network.settle({ timeLimitMs: 10 });
    waiting.push(watch.waitingBytes);
    staleness = Math.max(staleness, coordinator.version - healthy.version);
  }
  expect(coordinator.version).toBe(2_001);
  // One main, 160 kB, for each of them, from the first change to the last, but for heartbeats.
  const [first] = waiting as [number];
  expect(first).toBeGreaterThan(stalled.length * 8 * length);
  expect(first).toBeLessThan(stalled.length * (8 * length + 1_000));
  expect(Math.max(...waiting)).toBeLessThan(first + stalled.length * 1_000);
  expect(stalled.map(({ version }) => version)).toEqual(stalled.map(() => 1));
  // Nobody else waits for them.
  expect(staleness).toBeLessThan(10);
});

test('a child that was stalled gets the newest main as soon as it has taken what was under way', async () => {
  const length = 20_000;
  const start = ModelParameters.fromArrays({ weights: Array.from({ length }, () => 0) });
  const { network, coordinator, children } = await setUp(start, 1);
  const [child] = children as [Child];
  const versions: number[] = [];
  child.on('mainUpdated', ({ version }) => versions.push(version));
  network.setFaults({ delayMs: 5_000 }, { from: 'coordinator' });
  const gradients = Gradients.fromArrays({ weights: Array.from({ length }, () => 1) }, { sampleCount: 1 });
  for (let change = 0; change < 100; change++) {
    coordinator.addGradients(gradients);
    await network.settle({ timeLimitMs: 10 });
  }
  network.clearFaults();
  await network.settle();
  expect(versions).toEqual([2, 101]);
});

test('10,000 updates with 1,000 children are not ten million publications', { timeout: 60_000 }, async () => {
  const { network, coordinator, watch, children } = await setUp(parametersOf(0, 0), 1_000);
  const before = watch.frames;
  const beganMs = network.clock.now();
  for (let i = 0; i < 10_000; i++) {
    coordinator.addGradients(gradientsOf([1, 0]));
    if (i % 10 === 9) await network.settle({ timeLimitMs: 1 });
  }
  await network.settle();
  const tookMs = network.clock.now() - beganMs;
  // No time passes while a publication is sent: it counts as what its bytes cost, 4 KiB and two numbers for each child.
  const costMs = (1_000 * (4_096 + 16)) / publicationLimits.bytesPerMs;
  const publicationsMax = 1 + Math.ceil(tookMs / (publicationLimits.pauseFactor * costMs));
  const publications = (watch.frames - before) / 1_000;
  expect(publications).toBeLessThanOrEqual(publicationsMax);
  expect(publications).toBeLessThan(100);
  expect(coordinator.version).toBe(10_001);
  expect(new Set(children.map(({ version }) => version))).toEqual(new Set([10_001]));
});
