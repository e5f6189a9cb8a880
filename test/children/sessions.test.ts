import type { ChildReceipt } from 'mainstem';
import { isMainstemError } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { numbersOf } from '../coordinators/helpers.ts';
import { HeldStore, Scene, stateOf } from './sessionHelpers.ts';

describe('a child whose connection breaks', () => {
  test('is there all the while, and comes back to its session', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    const { child, events, send } = await scene.connect('a');
    scene.network.cut('a', { halfOpenMs: 5_000 });
    await scene.pass(10_000);
    expect(events).toEqual(['disconnected', 'reconnected']);
    expect([scene.attendance, coordinator.children]).toEqual([['+a'], ['a']]);
    const sending = send(1, 2, 3);
    await scene.pass(10);
    expect(await sending).toMatchObject({ status: 'applied', version: 2 });
    expect(child.version).toBe(2);
  });

  test('sends while there is no connection: it waits and is delivered, in order', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    const order: number[] = [];
    coordinator.use({
      name: 'order',
      onUpdate: ({ content }) => void order.push(content.values[0] as number),
    });
    const { send } = await scene.connect('a');
    await scene.isolate('a');
    const sending = [];
    for (let i = 1; i <= 5; i++) {
      sending.push(send(i, 0, 0));
      await scene.pass(1);
    }
    const all = stateOf(Promise.all(sending));
    await scene.pass(20_000);
    expect([all.is, coordinator.version]).toEqual(['pending', 1]);
    await scene.heal();
    expect(order).toEqual([1, 2, 3, 4, 5]);
    for (const receipt of await Promise.all(sending)) await receipt.committed;
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-15, 0, 0]);
  });

  test('hears of an update whose answer was lost what became of it, and it counts once', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    const { send } = await scene.connect('a');
    scene.network.setFaults({ drop: 1 }, { from: 'coordinator', to: 'a' });
    const sending = send(1, 0, 0);
    const state = stateOf(sending);
    await scene.pass(10);
    expect([coordinator.version, state.is]).toEqual([2, 'pending']);
    scene.network.clearFaults();
    await scene.heal();
    const receipt = await sending;
    expect(receipt.status).toBe('applied');
    await receipt.committed;
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-1, 0, 0]);
  });

  test('is counted out after resumeMs, comes back later, and goes on', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    const { send, events } = await scene.connect('a');
    scene.network.setFaults({ drop: 1 }, { from: 'coordinator', to: 'a' });
    const lost = send(1, 0, 0);
    await scene.pass(10);
    scene.network.clearFaults();
    await scene.isolate('a');
    await scene.pass(59_000);
    expect(scene.attendance).toEqual(['+a']);
    await scene.pass(2_000);
    expect([scene.attendance, coordinator.children]).toEqual([['+a', '-a'], []]);
    const waiting = send(2, 0, 0);
    await scene.heal();
    expect([scene.attendance, coordinator.children]).toEqual([['+a', '-a', '+a'], ['a']]);
    expect(events).toEqual(['disconnected', 'reconnected']);
    expect([(await lost).status, (await waiting).status]).toEqual(['applied', 'applied']);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-3, 0, 0]);
  });

  test('counted out or not, nothing is acknowledged before the store has it', async () => {
    const scene = new Scene();
    const store = new HeldStore();
    const coordinator = await scene.start({ store, resumeMs: 1_000 });
    const { send } = await scene.connect('a');
    store.isHeld = true;
    const sending = send(1, 0, 0);
    await scene.pass(10);
    const { committed } = await sending;
    const state = stateOf(committed);
    await scene.isolate('a');
    await scene.pass(5_000);
    expect(coordinator.children).toEqual([]);
    await scene.heal();
    expect([coordinator.children, coordinator.version, state.is]).toEqual([['a'], 2, 'pending']);
    store.letAll();
    await scene.pass(10);
    expect(state.is).toBe('fulfilled');
  });

  test('what it sends again within a new allowance is not refused where it was taken before', async () => {
    const scene = new Scene();
    const coordinator = await scene.start({ limits: { updatesPerSecondMax: 4 } });
    const { send } = await scene.connect('a');
    const receipts: Promise<ChildReceipt>[] = [];
    scene.network.setFaults({ drop: 1 }, { from: 'coordinator', to: 'a' });
    for (let i = 1; i <= 10; i++) {
      receipts.push(send(i, 0, 0));
      await scene.pass(300);
    }
    expect(coordinator.version).toBe(11);
    scene.network.clearFaults();
    await scene.heal();
    expect((await Promise.all(receipts)).map(({ status }) => status)).toEqual(Array(10).fill('applied'));
    expect(coordinator.version).toBe(11);
  });

  test('leaves without it: what waits is given up, nobody is looked for, and it is counted out', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    const { child, events, send } = await scene.connect('a');
    await scene.isolate('a');
    const sending = stateOf(send(1, 0, 0));
    await scene.pass(10);
    await child.leave();
    await scene.pass(10);
    expect(events).toEqual(['disconnected', 'closed: undefined']);
    expect(sending.is).toBe('CONNECTION_CLOSED');
    const { connections } = scene;
    await scene.heal();
    await scene.pass(60_000);
    expect(scene.connections).toBe(connections);
    expect([coordinator.children, coordinator.version]).toEqual([[], 1]);
  });

  test('finds nobody for giveUpAfterMs, and ends', async () => {
    const scene = new Scene();
    await scene.start();
    const { events, send } = await scene.connect('a', { reconnect: { giveUpAfterMs: 20_000 } });
    await scene.isolate('a');
    const sending = stateOf(send(1, 0, 0));
    await scene.pass(19_000);
    expect([events, sending.is]).toEqual([['disconnected'], 'pending']);
    await scene.pass(60_000);
    expect(events).toEqual(['disconnected', 'closed: a partition is between a and coordinator']);
    expect(sending.is).toBe('CONNECTION_REFUSED');
  });

  test('and that does not want to come back ends with it', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    const { events } = await scene.connect('a', { reconnect: false });
    scene.network.cut('a');
    await scene.pass(1_000);
    expect(events).toEqual(['closed: the connection of a was cut']);
    await scene.pass(60_000);
    expect(coordinator.children).toEqual([]);
  });
});

describe('a newer session of the same child', () => {
  test('ends the older one, which does not come back', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    const older = await scene.connect('a', { host: 'old host' });
    const errors: unknown[] = [];
    older.child.on('closed', (error) => errors.push(error));
    const newer = await scene.connect('a', { host: 'new host' });
    expect(
      errors.map((error) => isMainstemError(error) && [error.code, (error.cause as Error).message]),
    ).toEqual([['CONNECTION_REFUSED', 'another session of child a has begun; ids must be unique']]);
    const { connections } = scene;
    await scene.pass(3_600_000);
    expect(scene.connections).toBe(connections);
    const sending = newer.send(1, 0, 0);
    await scene.pass(10);
    expect((await sending).status).toBe('applied');
    expect([coordinator.children, newer.events]).toEqual([['a'], []]);
  });

  test('ends the older one when that comes back, and takes nothing from it', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    const older = await scene.connect('a', { host: 'old host' });
    await scene.isolate('old host');
    const sending = stateOf(older.send(100, 0, 0));
    const newer = await scene.connect('a', { host: 'new host' });
    await scene.heal();
    expect(older.events).toEqual([
      'disconnected',
      'closed: session 1 of child a is over, its newest is 2; ids must be unique',
    ]);
    expect(sending.is).toBe('CONNECTION_REFUSED');
    const { connections } = scene;
    await scene.pass(600_000);
    expect([scene.connections, newer.events]).toEqual([connections, []]);
    expect([coordinator.children, coordinator.version]).toEqual([['a'], 1]);
  });

  test('keeps its own numbers apart from those of the older one that are still under way', async () => {
    const scene = new Scene();
    const store = new HeldStore();
    const coordinator = await scene.start({ store });
    const older = await scene.connect('a', { host: 'old host' });
    store.isHeld = true;
    const first = older.send(1, 0, 0);
    await scene.pass(10);
    await first;
    const newer = await scene.connect('a', { host: 'new host' });
    const second = newer.send(2, 0, 0);
    await scene.pass(10);
    const state = stateOf((await second).committed);
    // The first batch holds the update of the older session, the next one that of the newer.
    store.waiting.shift()?.();
    await scene.pass(10);
    scene.network.cut('new host');
    await scene.pass(1_000);
    expect([newer.events, state.is]).toEqual([['disconnected', 'reconnected'], 'pending']);
    store.letAll();
    await scene.pass(10);
    expect([state.is, coordinator.version]).toEqual(['fulfilled', 3]);
  });
});

describe('a round', () => {
  test('a second update that is refused, cut off and sent again is in main where it was not refused to its sender', async () => {
    const scene = new Scene();
    const coordinator = await scene.start({ childrenPerUpdate: 2 });
    const [a, b] = [await scene.connect('a'), await scene.connect('b')];
    scene.network.setFaults({ drop: 1 }, { from: 'coordinator', to: 'a' });
    const first = a.send(1, 0, 0);
    await scene.pass(1);
    // The coordinator refuses it, and nobody hears of that.
    const second = a.send(5, 0, 0);
    await scene.pass(1);
    const other = b.send(3, 0, 0);
    await scene.pass(1);
    expect([(await other).status, coordinator.version]).toEqual(['applied', 2]);
    scene.network.clearFaults();
    scene.network.setFaults({ duplicate: 1 });
    await scene.heal();
    expect([(await first).status, (await second).status]).toEqual(['applied', 'accepted']);
    const last = b.send(7, 0, 0);
    await scene.pass(10);
    await (await last).committed;
    await (await second).committed;
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-2 - 6, 0, 0]);
  });

  test('a second update that was refused to its sender is never in main, on a network that duplicates', async () => {
    const scene = new Scene();
    const coordinator = await scene.start({ childrenPerUpdate: 2 });
    scene.network.setFaults({ duplicate: 1, delayMs: [0, 20] });
    const [a, b] = [await scene.connect('a'), await scene.connect('b')];
    const first = a.send(1, 0, 0);
    const second = a.send(5, 0, 0);
    await scene.pass(100);
    const { status, reason, committed } = await second;
    expect([status, reason?.code]).toEqual(['refused', 'ALREADY_CONTRIBUTED']);
    await expect(committed).rejects.toMatchObject({ code: 'ALREADY_CONTRIBUTED' });
    scene.network.cut('a');
    const third = b.send(3, 0, 0);
    await scene.pass(1_000);
    await (await first).committed;
    await (await third).committed;
    expect([coordinator.version, numbersOf(coordinator.getModelParameters())]).toEqual([2, [-2, 0, 0]]);
  });
});

test('1,024 updates may wait for their ends; the next send waits for room, and ends with the child', async () => {
  const scene = new Scene();
  const coordinator = await scene.start({ drive: 'tick', limits: { queuedUpdatesMax: 2_000 } });
  const { child, send } = await scene.connect('a');
  const receipts = Array.from({ length: 1_024 }, () => send(1, 0, 0));
  const next = [send(1, 0, 0), send(1, 0, 0)];
  const states = next.map(stateOf);
  await scene.pass(100);
  expect(coordinator.queuedUpdates).toBe(1_024);
  // Answered is not settled.
  expect((await Promise.all(receipts)).every(({ status }) => status === 'accepted')).toBe(true);
  await scene.isolate('a');
  expect(coordinator.tick(Number.POSITIVE_INFINITY)).toBe(true);
  await scene.pass(100);
  expect(states.map(({ is }) => is)).toEqual(['pending', 'pending']);
  await scene.heal();
  expect(states.map(({ is }) => is)).toEqual(['fulfilled', 'fulfilled']);
  await Promise.all((await Promise.all(receipts)).map(({ committed }) => committed));
  expect([coordinator.version, coordinator.queuedUpdates]).toEqual([1_025, 2]);
  await scene.isolate('a');
  const more = Array.from({ length: 1_023 }, () => stateOf(send(1, 0, 0)));
  await child.leave();
  await scene.pass(10);
  expect(new Set(more.map(({ is }) => is))).toEqual(new Set(['CONNECTION_CLOSED']));
});
