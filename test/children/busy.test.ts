import { VirtualClock } from 'mainstem/testing';
import { expect, test } from 'vitest';
import { Scene } from './sessionHelpers.ts';

/** A child whose thread is held up by a training: its own time stands still, and it sends nothing. */
async function setUp(busyMs?: number) {
  const scene = new Scene();
  const coordinator = await scene.start();
  const options = busyMs === undefined ? {} : { busyMs };
  const watched = await scene.connect('a', { clock: new VirtualClock(), ...options });
  let end: (costs: number[]) => void = () => {};
  const train = watched.model as unknown as { train: () => Promise<number[]> };
  train.train = () =>
    new Promise((resolve) => {
      end = resolve;
    });
  return { scene, coordinator, ...watched, endTraining: () => end([]) };
}

test('a child from which nothing comes for three heartbeats is given up', async () => {
  const { scene, events } = await setUp();
  await scene.pass(25_000);
  expect(events).toEqual([]);
  await scene.pass(25_000);
  expect(events).toEqual(['disconnected']);
});

test('one that has said that it will be busy is not, for ten minutes unless it says otherwise', async () => {
  const { scene, coordinator, child, events, endTraining } = await setUp();
  const training = child.train([[1]], [1]);
  await scene.pass(590_000);
  expect([events, coordinator.children]).toEqual([[], ['a']]);
  endTraining();
  await scene.pass(10);
  expect((await training).receipt.status).toBe('applied');
  // What it has sent ends the lease.
  await scene.pass(50_000);
  expect(events).toEqual(['disconnected']);
});

test('one that is busy for longer than it said is given up', async () => {
  const { scene, child, events } = await setUp(60_000);
  void child.train([[1]], [1]).catch(() => {});
  await scene.pass(85_000);
  expect(events).toEqual([]);
  await scene.pass(25_000);
  expect(events).toEqual(['disconnected']);
});

test('a coordinator from which nothing comes is given up, and found again', async () => {
  const scene = new Scene();
  await scene.start();
  const { events } = await scene.connect('a');
  // Neither end hears that the connection is of no use any more.
  scene.network.setFaults({ drop: 1 });
  await scene.pass(50_000);
  expect(events).toEqual(['disconnected']);
  scene.network.clearFaults();
  await scene.pass(60_000);
  expect(events).toEqual(['disconnected', 'reconnected']);
});
