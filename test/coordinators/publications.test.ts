import type { Clock } from 'mainstem';
import { Child, DistributedGradientsCoordinator, InProcessTransport, LinearRegression } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { Publications } from '../../src/coordinators/Publications.ts';
import { publicationLimits } from '../../src/limits.ts';
import { gradientsOf, parametersOf, settle } from './helpers.ts';

/** A clock whose turns and time are the test's own. */
function manualClock() {
  let nowMs = 0;
  let turns: (() => void)[] = [];
  const timers: { callback: () => void; atMs: number; isCancelled: boolean }[] = [];
  const clock: Clock = {
    now: () => nowMs,
    schedule(callback, delayMs) {
      const timer = { callback, atMs: nowMs + delayMs, isCancelled: false };
      timers.push(timer);
      return () => {
        timer.isCancelled = true;
      };
    },
    yieldTurn: () => new Promise((resolve) => turns.push(resolve)),
  };
  return {
    clock,
    timers,
    pass(ms: number): void {
      nowMs += ms;
    },
    async turn(): Promise<void> {
      const ended = turns;
      turns = [];
      for (const end of ended) end();
      await settle();
    },
    async fire(): Promise<void> {
      for (const timer of timers.splice(0)) if (!timer.isCancelled) timer.callback();
      await settle();
    },
  };
}

function setUp(count: number, offer: (index: number) => number = () => 8) {
  const manual = manualClock();
  const offered: number[] = [];
  const subscribers = Array.from({ length: count }, (_, index) => ({
    offer: () => {
      offered.push(index);
      return offer(index);
    },
  }));
  const publications = new Publications(manual.clock, () => subscribers);
  return { ...manual, offered, publications };
}

describe('publications', () => {
  test('wait for a turn without updates, and not longer than 50 ms', async () => {
    const { publications, offered, turn, pass } = setUp(1);
    publications.request();
    publications.heard();
    for (let i = 0; i < 49; i++) {
      await turn();
      publications.heard();
      pass(1);
    }
    expect(offered).toEqual([]);
    pass(1);
    await turn();
    expect(offered).toEqual([0]);
    publications.request();
    await turn();
    expect(offered).toEqual([0, 0]);
  });

  test('are one, however many changes there are before it', async () => {
    const { publications, offered, turn } = setUp(3);
    for (let i = 0; i < 100; i++) publications.request();
    await turn();
    await turn();
    expect(offered).toEqual([0, 1, 2]);
  });

  test('give the event loop its turn, and begin again for what changed meanwhile', async () => {
    const manual = manualClock();
    const offered: number[] = [];
    const subscribers = Array.from({ length: 10 }, (_, index) => ({
      offer: () => {
        offered.push(index);
        manual.pass(publicationLimits.sliceMs / 4);
        return 8;
      },
    }));
    const publications = new Publications(manual.clock, () => subscribers);
    publications.request();
    await manual.turn();
    expect(offered).toEqual([0, 1, 2, 3]);
    publications.request();
    await manual.turn();
    await manual.turn();
    expect(offered).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // 5 ms of work: the next is 20 ms later.
    expect(manual.timers.map(({ atMs }) => atMs)).toEqual([25]);
    manual.pass(20);
    await manual.fire();
    await manual.turn();
    expect(offered.slice(10)).toEqual([0, 1, 2, 3]);
  });

  test('cost what their bytes cost, where the clock sees no time pass', async () => {
    const { publications, timers, turn } = setUp(10, () => publicationLimits.bytesPerMs);
    publications.request();
    await turn();
    publications.request();
    expect(timers.map(({ atMs }) => atMs)).toEqual([40]);
  });

  test('that were stopped do not come, whatever they wait for', async () => {
    const { publications, offered, turn, fire } = setUp(10, () => publicationLimits.bytesPerMs);
    publications.request();
    publications.stop();
    await turn();
    expect(offered).toEqual([]);
    publications.request();
    await turn();
    expect(offered).toHaveLength(10);
    publications.request();
    publications.stop();
    await fire();
    await turn();
    expect(offered).toHaveLength(10);
  });
});

describe('a child that uses what it gets', () => {
  const rows = [[0], [1], [2]];
  const labels = [1, 3, 5];

  /** The clock's turns never end: nothing is published but with a commit. */
  const busyClock: Clock = { ...manualClock().clock, now: () => 0 };

  test('has the new main when it hears of its commit, however busy the coordinator is', async () => {
    const coordinator = new DistributedGradientsCoordinator({ clock: busyClock, childrenPerUpdate: 2 });
    coordinator.setModelParameters(parametersOf(0, 0));
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const run = async (childId: string): Promise<number[]> => {
      const child = await Child.connect({ transport, model: new LinearRegression(), childId });
      const seen: number[] = [];
      for (let round = 0; round < 5; round++) {
        const { receipt } = await child.train(rows, labels, { maximumNumberOfIterations: 1 });
        await receipt.committed;
        seen.push(child.version);
      }
      return seen;
    };
    expect(await Promise.all([run('a'), run('b')])).toEqual([
      [2, 3, 4, 5, 6],
      [2, 3, 4, 5, 6],
    ]);
  });

  test('one that does not gets main when there is time for it', async () => {
    const coordinator = new DistributedGradientsCoordinator({ clock: busyClock });
    coordinator.setModelParameters(parametersOf(0, 0));
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const model = new LinearRegression();
    model.train(rows, labels, { maximumNumberOfIterations: 1 });
    model.setAreGradientsSaved(true);
    model.train(rows, labels, { maximumNumberOfIterations: 1 });
    const child = await Child.connect({ transport, model, childId: 'a' });
    for (let i = 0; i < 5; i++) await (await child.send()).committed;
    expect([child.version, coordinator.version]).toEqual([1, 6]);
    coordinator.addGradients(gradientsOf([1, 0]));
    expect(child.version).toBe(1);
  });
});
