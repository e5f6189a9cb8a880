import type { Plugin } from 'mainstem';
import {
  BestMainKeeper,
  Child,
  CoordinatorHost,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  InProcessTransport,
  LinearRegression,
  MemoryStore,
  ModelParametersMerger,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf, settle } from './helpers.ts';

/** A store whose reads and batches end when they are let. */
class SlowStore extends MemoryStore {
  readonly waiting: (() => void)[] = [];
  override get(key: string): never {
    return new Promise((resolve) => this.waiting.push(() => resolve(super.get(key)))) as never;
  }
  async letAll(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      for (const go of this.waiting.splice(0)) go();
      await settle();
    }
  }
}

describe('restore', () => {
  test('refuses updates, children and a new main until it is done; then all is as it was', async () => {
    const store = new SlowStore();
    const first = new DistributedModelParametersCoordinator({ store });
    first.addModelParameters(parametersOf(1, 1), { childId: 'x' });
    const second = new DistributedModelParametersCoordinator({ store });
    const transport = new InProcessTransport();
    await second.listen(transport);
    const restoring = second.restore();
    const refused = second.addModelParameters(parametersOf(9, 9), { childId: 'y' });
    expect([refused.status, refused.reason?.message]).toEqual([
      'refused',
      'the coordinator is being restored',
    ]);
    expect(() => second.setMainModelParameters(parametersOf(9, 9))).toThrow(/being restored/);
    const model = new LinearRegression();
    await expect(Child.connect({ transport, model, childId: 'x' })).rejects.toThrow(/being restored/);
    await store.letAll();
    expect(await restoring).toBe(true);
    expect(numbersOf(second.getModelParameters())).toEqual([1, 1]);
    expect(second.addModelParameters(parametersOf(3, 3), { childId: 'y' }).status).toBe('applied');
    expect(numbersOf(second.getModelParameters())).toEqual([2, 2]);
  });

  test('tells of main when everything is in its place', async () => {
    const store = new MemoryStore();
    const first = new DistributedGradientsCoordinator({ store, optimizer: 'adam', learningRate: 1 });
    first.setModelParameters(parametersOf(0, 0));
    first.addGradients(gradientsOf([1, 1]), { childId: 'a' });
    const second = new DistributedGradientsCoordinator({ store, optimizer: 'adam', learningRate: 1 });
    const statuses: string[] = [];
    let isFirst = true;
    second.on('mainPublished', () => {
      if (!isFirst) return;
      isFirst = false;
      statuses.push(second.addGradients(gradientsOf([1, 1]), { childId: 'a' }).status);
    });
    await second.restore();
    expect(statuses).toEqual(['applied']);
    first.addGradients(gradientsOf([1, 1]), { childId: 'a' });
    expect(numbersOf(second.getModelParameters())).toEqual(numbersOf(first.getModelParameters()));
  });
});

describe('close', () => {
  test('keeps what a crash would keep: the latest parameters of remote children, and what plugins saw last', async () => {
    const store = new MemoryStore();
    const memory = { left: 0 };
    const make = (): DistributedModelParametersCoordinator =>
      new DistributedModelParametersCoordinator({
        store,
        merger: new ModelParametersMerger({ mode: 'average' }),
      }).use({
        name: 'counter',
        onLeave: () => void memory.left++,
        save: () => ({ ...memory }),
        load: (state) => void Object.assign(memory, state),
      });
    const first = make();
    const transport = new InProcessTransport();
    await first.listen(transport);
    for (const [childId, value] of [
      ['a', 1],
      ['b', 3],
    ] as const) {
      const model = new LinearRegression();
      model.setModelParameters(parametersOf(value, value));
      await (await (await Child.connect({ transport, model, childId })).send()).committed;
    }
    await first.close();
    expect(memory.left).toBe(2);
    memory.left = 0;
    const second = make();
    await second.restore();
    expect(memory.left).toBe(2);
    second.addModelParameters(parametersOf(1, 1), { childId: 'a', epoch: 1 });
    expect(numbersOf(second.getModelParameters())).toEqual([2, 2]);
  });

  test('ends the connections of a hosted coordinator, and takes no more', async () => {
    const host = new CoordinatorHost();
    const coordinator = new DistributedModelParametersCoordinator();
    const transport = new InProcessTransport();
    await host.add(coordinator).listen(transport);
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    let isClosed = false;
    child.on('closed', () => {
      isClosed = true;
    });
    await coordinator.close();
    await settle();
    expect(isClosed).toBe(true);
    await expect(Child.connect({ transport, model: new LinearRegression(), childId: 'b' })).rejects.toThrow(
      /closed and takes no children/,
    );
  });

  test('from a listener lets the job at hand and what waits behind it end', async () => {
    const clock = new VirtualClock();
    const coordinator = new DistributedGradientsCoordinator({ drive: 'tick', clock });
    coordinator.setModelParameters(parametersOf(0, 0));
    const receipts = [1, 2, 3].map(() => coordinator.addGradients(gradientsOf([1, 1])));
    let closing: Promise<void> | undefined;
    coordinator.on('mainUpdated', () => {
      closing ??= coordinator.close();
    });
    coordinator.tick(0);
    await closing;
    await Promise.all(receipts.map(({ committed }) => committed));
    expect(coordinator.version).toBe(4);
  });

  test('during a canary publishes nothing afterwards, and calls no plugin that is disposed of', async () => {
    const clock = new VirtualClock();
    const calls: string[] = [];
    let answer: (verdict: boolean) => void = () => {};
    const slow: Plugin = {
      name: 'slow',
      beforePublish: () =>
        new Promise<boolean>((resolve) => {
          answer = resolve;
        }),
    };
    const second: Plugin = {
      name: 'second',
      beforePublish: () => void calls.push('publish'),
      dispose: () => void calls.push('dispose'),
    };
    const coordinator = new DistributedGradientsCoordinator({ clock }).use(slow).use(second);
    coordinator.on('mainPublished', () => calls.push('published'));
    coordinator.setModelParameters(parametersOf(0, 0));
    await coordinator.close();
    answer(true);
    await settle();
    expect(calls).toEqual(['dispose']);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('plugins that call back', () => {
  test('a newer main that a judge brings about is published after the one at hand, never before', () => {
    const published: number[] = [];
    const coordinator = new DistributedGradientsCoordinator();
    let isFirst = true;
    coordinator.on('mainPublished', ({ version }) => published.push(version));
    coordinator.use({
      name: 'eager',
      beforePublish() {
        if (isFirst) {
          isFirst = false;
          coordinator.addGradients(gradientsOf([1, 1]));
        }
      },
    });
    coordinator.setModelParameters(parametersOf(0, 0));
    expect(published).toEqual([1, 2]);
  });

  test('one that is removed by another is not called any more', () => {
    const calls: string[] = [];
    const coordinator = new DistributedGradientsCoordinator();
    coordinator.setModelParameters(parametersOf(0, 0));
    coordinator.use({ name: 'a', onUpdate: () => void coordinator.removePlugin('b') }).use({
      name: 'b',
      onUpdate: () => void calls.push('update'),
      dispose: () => void calls.push('dispose'),
    });
    coordinator.addGradients(gradientsOf([1, 1]));
    expect(calls).toEqual(['dispose']);
  });

  test('an update that is given up while its merge is under way is not part of main', async () => {
    const average = new ModelParametersMerger({ mode: 'average' });
    const merger = {
      needs: { minimumChildren: 2, sampleCounts: false },
      begin: average.begin.bind(average),
      add: average.add.bind(average),
      finish: average.finish.bind(average),
    };
    const coordinator = new DistributedModelParametersCoordinator({ merger });
    coordinator.use({ name: 'bouncer', afterMerge: () => void coordinator.removeChild('a') });
    const a = coordinator.addModelParameters(parametersOf(10, 10), { childId: 'a', sequence: 1 });
    const b = coordinator.addModelParameters(parametersOf(0, 0), { childId: 'b', sequence: 1 });
    await expect(a.committed).rejects.toThrow(/left before the merge/);
    expect([b.status, coordinator.version]).toEqual(['refused', 0]);
  });

  test('a child that joins from inside its own onJoin is refused, and its update counts once', () => {
    const coordinator = new DistributedGradientsCoordinator({ learningRate: 1 });
    coordinator.setModelParameters(parametersOf(0, 0));
    let depth = 0;
    coordinator.use({
      name: 'twice',
      onJoin: () => {
        if (depth++ === 0) coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a', sequence: 1 });
      },
    });
    const outer = coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a', sequence: 1 });
    expect(outer.reason?.message).toMatch(/inside its own onJoin/);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-1, 0]);
    expect(coordinator.children).toEqual(['a']);
  });

  test('a logger that fails stops nothing', async () => {
    const fail = (): never => {
      throw new Error('disk full');
    };
    const coordinator = new DistributedGradientsCoordinator({
      logger: { debug: fail, info: fail, warn: fail, error: fail },
    }).use({ name: 'clumsy', save: fail, beforePublish: fail });
    coordinator.setModelParameters(parametersOf(0, 0));
    const receipt = coordinator.addGradients(gradientsOf([1, 0]));
    expect(receipt.status).toBe('applied');
    await receipt.committed;
  });

  test('a memory that is no JSON is reported, and restore still works', async () => {
    const store = new MemoryStore();
    const errors: string[] = [];
    const first = new DistributedGradientsCoordinator({ store }).use({
      name: 'odd',
      save: (() => () => {}) as never,
    });
    first.on('error', ({ message }) => errors.push(message));
    first.setModelParameters(parametersOf(0, 0));
    expect(errors[0]).toMatch(/save of plugin odd failed: the memory of a plugin is no JSON/);
    const second = new DistributedGradientsCoordinator({ store }).use({ name: 'odd', load: () => {} });
    expect(await second.restore()).toBe(true);
  });

  test.each([
    [class Log {} as never, /expected an object/],
    [{ name: 'x', onUpdates() {} } as never, /has onUpdates; hooks are/],
    [{ name: 'x', onUpdate: 3 } as never, /onUpdate of plugin x is 3/],
  ])('what is no plugin is refused (%#)', (plugin, message) => {
    expect(() => new DistributedGradientsCoordinator().use(plugin)).toThrow(message);
  });

  test('an onUpdate that returns no update is named', () => {
    const coordinator = new DistributedGradientsCoordinator();
    coordinator.setModelParameters(parametersOf(0, 0));
    coordinator.use({ name: 'x', onUpdate: ({ content }) => content as never });
    expect(coordinator.addGradients(gradientsOf([1, 0])).reason?.message).toMatch(
      /^onUpdate of plugin x failed: it returned .* expected \{ \.\.\.update, content \}/,
    );
  });
});

describe('BestMainKeeper', () => {
  const make = (
    store: MemoryStore,
    keeper: BestMainKeeper,
    published: number[],
  ): DistributedModelParametersCoordinator => {
    const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 1, store }).use(
      keeper,
    );
    coordinator.on('mainPublished', ({ version }) => published.push(version));
    return coordinator;
  };
  const options = {
    score: (main: { values: ArrayLike<number> }) => main.values[0] as number,
    publishOnlyBest: true,
  };

  test('holds worse mains back with a slow store, and after a restart', async () => {
    class LateStore extends MemoryStore {
      override batch(operations: Parameters<MemoryStore['batch']>[0]): never {
        return Promise.resolve().then(() => super.batch(operations)) as never;
      }
    }
    const store = new LateStore();
    const published: number[] = [];
    const coordinator = make(store, new BestMainKeeper(options), published);
    for (const value of [10, 3, 2]) coordinator.addModelParameters(parametersOf(value, 0));
    await coordinator.close();
    expect(published).toEqual([1]);
    const again: number[] = [];
    await make(store, new BestMainKeeper(options), again).restore();
    expect(again).toEqual([]);
  });

  test('does not remember a main that a later plugin refused, nor a score that is no number', () => {
    const keeper = new BestMainKeeper(options);
    const coordinator = make(new MemoryStore(), keeper, []);
    coordinator.use({
      name: 'late no',
      afterMerge: ({ main }) => {
        if (main.values[0] === 99) throw new Error('no');
      },
    });
    for (const value of [5, 99]) coordinator.addModelParameters(parametersOf(value, 0));
    expect(keeper.best).toMatchObject({ version: 1, score: 5 });
    coordinator.setMainModelParameters(parametersOf(1, 0));
    expect(keeper.best).toMatchObject({ version: 1, score: 5 });
    const odd = new BestMainKeeper({ score: (async () => 1) as never });
    const receipt = make(new MemoryStore(), odd, []).addModelParameters(parametersOf(1, 0));
    expect(receipt.reason?.message).toMatch(/expected a number/);
  });
});
