import { DistributedGradientsCoordinator, MemoryStore } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { numbersOf, parametersOf } from '../coordinators/helpers.ts';
import { HeldStore, Scene, stateOf } from './sessionHelpers.ts';

describe('a coordinator', () => {
  test('that has forgotten the session says so: what was sent is uncertain, what was not goes out', async () => {
    const scene = new Scene();
    const coordinator = await scene.start({ limits: { childrenMax: 1 }, resumeMs: 1_000 });
    const { send, events } = await scene.connect('a');
    scene.network.setFaults({ drop: 1 }, { from: 'coordinator', to: 'a' });
    const sent = stateOf(send(1, 0, 0));
    await scene.pass(10);
    scene.network.clearFaults();
    await scene.isolate('a');
    const unsent = send(2, 0, 0);
    await scene.pass(2_000);
    const other = await scene.connect('b');
    await other.child.leave();
    await scene.heal();
    expect(sent.is).toBe('SESSION_LOST');
    expect((await unsent).status).toBe('applied');
    expect(events).toEqual(['disconnected', 'reconnected']);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-3, 0, 0]);
  });

  test('that begins anew with nothing takes up what its former life had not acknowledged', async () => {
    const scene = new Scene();
    const first = await scene.start({ drive: 'tick' });
    const { send, child, model } = await scene.connect('a');
    await child.adopt();
    const sending = send(1, 0, 0);
    await scene.pass(10);
    const { status, committed } = await sending;
    expect([status, first.queuedUpdates]).toEqual(['accepted', 1]);
    scene.network.cut('coordinator');
    await first.close();
    const adopted: number[] = [];
    model.adopted = (parameters) => adopted.push(...numbersOf(parameters));
    const second = await scene.start();
    await scene.pass(31_000);
    await committed;
    expect(numbersOf(second.getModelParameters())).toEqual([-1, 0, 0]);
    expect([child.version, await child.adopt(), adopted]).toEqual([2, true, [-1, 0, 0]]);
  });

  test('that begins anew with another main of the same version has it adopted', async () => {
    const scene = new Scene();
    const first = await scene.start();
    const { child } = await scene.connect('a');
    expect([await child.adopt(), await child.adopt()]).toEqual([true, false]);
    scene.network.cut('coordinator');
    await first.close({ returnAfterMs: 0 });
    const second = new DistributedGradientsCoordinator({ clock: scene.network.clock, random: scene.random });
    second.setModelParameters(parametersOf(7, 8, 9));
    await second.listen(scene.network.transport('coordinator'));
    await scene.pass(31_000);
    expect([child.version, numbersOf(child.main as never), await child.adopt()]).toEqual([
      1,
      [7, 8, 9],
      true,
    ]);
  });

  test('that begins anew without a main lets a child in that waits for one', async () => {
    const scene = new Scene();
    const first = await scene.start();
    // The welcome arrives, and no main.
    let frames = 0;
    scene.network.setFaults({ delayMs: () => (frames++ === 0 ? 0 : 500) }, { from: 'coordinator', to: 'a' });
    const joining = scene.connect('a', { reconnect: { initialMs: 10 } });
    const state = stateOf(joining);
    await Promise.resolve();
    const { clock } = scene.network;
    const startAnew = async (): Promise<void> => {
      scene.network.clearFaults();
      scene.network.cut('coordinator');
      await first.close();
      const empty = new DistributedGradientsCoordinator({ clock, random: scene.random });
      await empty.listen(scene.network.transport('coordinator'));
    };
    clock.schedule(() => void startAnew(), 100);
    await scene.pass(2_000);
    expect(state.is).toBe('fulfilled');
    expect((await joining).child.version).toBe(0);
  });

  test('that closes with returnAfterMs is followed by another: nobody ends, all is sent there', async () => {
    const scene = new Scene();
    const store = new MemoryStore();
    const first = await scene.start({ store, childrenPerUpdate: 2 });
    const [a, b] = [await scene.connect('a'), await scene.connect('b')];
    const early = a.send(1, 0, 0);
    await scene.pass(10);
    expect((await early).status).toBe('accepted');
    const closing = first.close({ returnAfterMs: 2_000 });
    await scene.pass(10);
    await closing;
    expect([a.events, b.events]).toEqual([['disconnected'], ['disconnected']]);
    const late = b.send(3, 0, 0);
    const second = await scene.start({ store, childrenPerUpdate: 2 }, { restores: true });
    const { connections } = scene;
    await scene.pass(1_900);
    expect(scene.connections).toBe(connections);
    await scene.pass(1_000);
    await (await late).committed;
    await (await early).committed;
    expect(numbersOf(second.getModelParameters())).toEqual([-2, 0, 0]);
    expect([a.events, b.events]).toEqual([
      ['disconnected', 'reconnected'],
      ['disconnected', 'reconnected'],
    ]);
  });

  test('that waits for its store before it hands over asks who comes back meanwhile to come again', async () => {
    const scene = new Scene();
    const store = new HeldStore();
    const first = await scene.start({ store });
    const { send, events } = await scene.connect('a');
    store.isHeld = true;
    const early = send(1, 0, 0);
    await scene.pass(10);
    const closing = first.close({ returnAfterMs: 1_000 });
    scene.network.cut('a');
    await scene.pass(600);
    const late = send(2, 0, 0);
    await scene.pass(10);
    store.letAll();
    await scene.pass(10);
    await closing;
    const second = await scene.start({ store }, { restores: true });
    await scene.pass(10_000);
    expect(events.filter((event) => event !== 'disconnected')).toEqual(['reconnected']);
    await (await early).committed;
    await (await late).committed;
    expect(numbersOf(second.getModelParameters())).toEqual([-3, 0, 0]);
  });

  test('that is full, or being restored, has children of a session come again instead of ending', async () => {
    const scene = new Scene();
    const store = new MemoryStore();
    const first = await scene.start({ store });
    const { events, send } = await scene.connect('a', { reconnect: { maxMs: 1_000 } });
    scene.network.cut('coordinator');
    await first.close({ returnAfterMs: 0 });
    const second = new DistributedGradientsCoordinator({
      ...{ clock: scene.network.clock, random: scene.random, store, learningRate: 1 },
      limits: { connectionsMax: 1 },
    });
    // Somebody else has the only place.
    await second.listen(scene.network.transport('coordinator'));
    const stranger = await scene.network.transport('b', { to: 'coordinator' }).connect();
    await scene.pass(3_000);
    stranger.close();
    let isDone: (() => void) | undefined;
    const get = store.get.bind(store);
    store.get = ((key: string) =>
      new Promise((resolve) => {
        isDone = () => resolve(get(key));
      })) as never;
    const restoring = second.restore();
    await scene.pass(3_000);
    expect(events).toEqual(['disconnected']);
    for (let i = 0; i < 10; i++) {
      isDone?.();
      await scene.pass(1);
    }
    await restoring;
    await scene.pass(3_000);
    expect(events).toEqual(['disconnected', 'reconnected']);
    const sending = send(1, 0, 0);
    await scene.pass(10);
    expect((await sending).status).toBe('applied');
  });
});
