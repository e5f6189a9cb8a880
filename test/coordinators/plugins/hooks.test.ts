import type { Plugin, Store } from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  InProcessTransport,
  LinearRegression,
  MalformedDataError,
  MemoryStore,
  ModelParametersMerger,
  PluginError,
  UpdateRefusedError,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf, settle } from '../helpers.ts';

function make(options: { childrenPerUpdate?: number; store?: Store } = {}): DistributedGradientsCoordinator {
  return new DistributedGradientsCoordinator({ learningRate: 1, ...options });
}

function started(options: { childrenPerUpdate?: number } = {}): DistributedGradientsCoordinator {
  const coordinator = make(options);
  coordinator.setModelParameters(parametersOf(0, 0));
  return coordinator;
}

/** A plugin that writes down each hook that is called. */
function recorder(name: string, calls: string[]): Plugin {
  const note = (text: string): void => void calls.push(`${name} ${text}`);
  return {
    name,
    setup: () => note('setup'),
    onJoin: ({ childId }) => note(`onJoin ${childId}`),
    onUpdate: ({ childId }) => note(`onUpdate ${childId}`),
    beforeRound: ({ version }) => note(`beforeRound ${version}`),
    beforeMerge: ({ version, children }) => note(`beforeMerge ${version} ${children}`),
    afterMerge: ({ version }) => note(`afterMerge ${version}`),
    save: () => {
      note('save');
      return null;
    },
    beforePublish: ({ version }) => note(`beforePublish ${version}`),
    onLeave: ({ childId }) => note(`onLeave ${childId}`),
    dispose: () => note('dispose'),
  };
}

describe('hooks', () => {
  test('all are called, plugin by plugin, in the order of the road', async () => {
    const calls: string[] = [];
    const coordinator = started();
    coordinator.use(recorder('a', calls)).use(recorder('b', calls));
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'x' });
    coordinator.removeChild('x');
    await coordinator.close();
    const road = [
      'setup',
      'onJoin x',
      'onUpdate x',
      'beforeRound 1',
      'beforeMerge 2 1',
      'afterMerge 2',
      'save',
      'beforePublish 2',
      'onLeave x',
      'save',
      'dispose',
    ];
    expect(calls).toEqual(road.flatMap((call) => [`a ${call}`, `b ${call}`]));
  });

  test('a round begins once, with its first update', () => {
    const rounds: number[] = [];
    const note: Plugin = { name: 'rounds', beforeRound: ({ version }) => void rounds.push(version) };
    const gradients = started({ childrenPerUpdate: 2 }).use(note);
    for (const childId of ['a', 'b', 'a', 'b', 'a']) gradients.addGradients(gradientsOf([1, 0]), { childId });
    expect(rounds).toEqual([1, 2, 3]);
    rounds.length = 0;
    const parameters = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 3 }).use(note);
    for (let i = 0; i < 7; i++) parameters.addModelParameters(parametersOf(i, 0), { childId: 'a' });
    expect(rounds).toEqual([0, 1, 2]);
    rounds.length = 0;
    const latest = new DistributedModelParametersCoordinator().use(note);
    for (let i = 0; i < 3; i++) latest.addModelParameters(parametersOf(i, 0), { childId: 'a' });
    expect(rounds).toEqual([0, 1, 2]);
  });

  test('a round that a plugin refuses stays closed; the next update may open it', () => {
    let isOpen = false;
    const coordinator = started({ childrenPerUpdate: 2 }).use({
      name: 'closing time',
      beforeRound: () => {
        if (!isOpen) throw new UpdateRefusedError('come back later');
      },
    });
    const refused = coordinator.addGradients(gradientsOf([8, 0]), { childId: 'a' });
    expect([refused.status, refused.reason?.message]).toEqual(['refused', 'come back later']);
    isOpen = true;
    expect(coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a' }).status).toBe('accepted');
    expect(coordinator.addGradients(gradientsOf([3, 0]), { childId: 'b' }).status).toBe('applied');
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-2, 0]);
  });

  test('onJoin keeps a child out, in process and over a connection, and nothing is remembered of it', async () => {
    const left: string[] = [];
    const coordinator = started()
      .use({ name: 'first', onLeave: ({ childId }) => void left.push(childId) })
      .use({
        name: 'list of guests',
        onJoin: ({ childId }) => {
          if (childId !== 'friend') throw new UpdateRefusedError(`${childId} is not on the list`);
        },
      });
    const { reason } = coordinator.addGradients(gradientsOf([1, 0]), { childId: 'stranger' });
    expect(reason?.message).toBe('stranger is not on the list');
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const model = new LinearRegression();
    await expect(Child.connect({ transport, model, childId: 'stranger' })).rejects.toThrow('not on the list');
    expect(coordinator.children).toEqual([]);
    expect(left).toEqual(['stranger', 'stranger']);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 0]);
    await Child.connect({ transport, model, childId: 'friend' });
    expect(coordinator.addGradients(gradientsOf([1, 0]), { childId: 'friend', epoch: 1 }).status).toBe(
      'applied',
    );
    expect(coordinator.children).toEqual(['friend']);
  });

  test.each([
    'onLeave',
    'dispose',
    'save',
  ] as const)('a failing %s is reported by name, and stops nothing', async (hook) => {
    const errors: Error[] = [];
    const coordinator = started().use({
      name: 'clumsy',
      [hook]: () => {
        throw new TypeError('oops');
      },
    });
    coordinator.on('error', (error) => errors.push(error));
    const receipt = coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a' });
    await receipt.committed;
    coordinator.removeChild('a');
    expect(coordinator.children).toEqual([]);
    coordinator.removePlugin('clumsy');
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      expect(error).toBeInstanceOf(PluginError);
      expect(error).toMatchObject({ plugin: 'clumsy', hook });
      expect(error.message).toBe(`${hook} of plugin clumsy failed: oops`);
    }
  });

  test("an error of mainstem's own in a hook is the plugin's failure, and keeps its cause", () => {
    const coordinator = started().use({
      name: 'adder',
      afterMerge: ({ main }) => main.add(parametersOf(1, 2, 3)),
    });
    const { reason } = coordinator.addGradients(gradientsOf([1, 0]));
    expect(reason).toBeInstanceOf(PluginError);
    expect(reason?.message).toMatch(/^afterMerge of plugin adder failed: .*3 values/);
    expect(reason?.cause).toMatchObject({ code: 'LAYOUT_MISMATCH' });
  });

  test('a plugin may remove itself, or another, from inside a hook', () => {
    const seen: string[] = [];
    const coordinator = started();
    coordinator
      .use({
        name: 'once',
        onUpdate: () => {
          seen.push('once');
          coordinator.removePlugin('once');
        },
      })
      .use({ name: 'always', onUpdate: () => void seen.push('always') });
    for (let i = 0; i < 2; i++) coordinator.addGradients(gradientsOf([1, 0]));
    expect(seen).toEqual(['once', 'always', 'always']);
  });
});

describe('memory', () => {
  /** Counts the updates that it has seen, over restarts. */
  function counter(): Plugin & { count: number } {
    return {
      name: 'counter',
      count: 0,
      onUpdate() {
        this.count++;
      },
      save() {
        return { count: this.count };
      },
      load(state) {
        const { count } = state as { count?: unknown };
        if (!Number.isSafeInteger(count)) throw new MalformedDataError('a counter has a count');
        this.count = count as number;
      },
    };
  }

  test('comes back with main, from the same batch', async () => {
    const store = new MemoryStore();
    const first = make({ store });
    const before = counter();
    first.use(before);
    first.setModelParameters(parametersOf(0, 0));
    for (let i = 0; i < 3; i++) await first.addGradients(gradientsOf([1, 0]), { childId: 'a' }).committed;
    const second = make({ store });
    const after = counter();
    second.use(after);
    expect(await second.restore()).toBe(true);
    expect(after.count).toBe(3);
    expect(second.version).toBe(4);
  });

  test('is stored again only when it has changed, and once more at the end', async () => {
    const keys: string[] = [];
    class Watched extends MemoryStore {
      override batch(operations: Parameters<MemoryStore['batch']>[0]): void {
        keys.push(operations.map(({ key }) => key.replace('default/', '')).join(' '));
        super.batch(operations);
      }
    }
    const state = { n: 1 };
    const coordinator = make({ store: new Watched() }).use({ name: 'lazy one', save: () => state });
    coordinator.setModelParameters(parametersOf(0, 0));
    coordinator.addGradients(gradientsOf([1, 0]));
    expect(keys).toEqual(['main optimizer plugin/lazy%20one', 'main optimizer']);
    await coordinator.close();
    expect(keys).toHaveLength(2);
  });

  test('that is damaged, or that the plugin refuses, stops restore, and nothing has changed', async () => {
    const store = new MemoryStore();
    const first = make({ store }).use(counter());
    first.setModelParameters(parametersOf(0, 0));
    const damaged: [Uint8Array, string][] = [
      [Uint8Array.of(1, 2, 3), 'memory of plugin counter is damaged'],
      [
        (await recordOf({ count: 'many' })) as Uint8Array,
        'load of plugin counter failed: a counter has a count',
      ],
    ];
    for (const [value, message] of damaged) {
      store.batch([{ key: 'default/plugin/counter', value }]);
      const second = make({ store }).use(counter());
      await expect(second.restore()).rejects.toThrow(message);
      expect(second.version).toBe(0);
    }
  });

  test('of a plugin that is removed is removed too', () => {
    const store = new MemoryStore();
    const coordinator = make({ store }).use(counter());
    coordinator.setModelParameters(parametersOf(0, 0));
    expect(store.keys('')).toContain('default/plugin/counter');
    coordinator.removePlugin('counter');
    expect(store.keys('')).not.toContain('default/plugin/counter');
  });

  /** The record that a plugin with this memory leaves in a store. */
  async function recordOf(state: Record<string, string>): Promise<Uint8Array | undefined> {
    const store = new MemoryStore();
    make({ store })
      .use({ name: 'counter', save: () => state })
      .setModelParameters(parametersOf(0, 0));
    return store.get('default/plugin/counter');
  }
});

test('plugins serve a parameters coordinator too', async () => {
  const calls: string[] = [];
  const coordinator = new DistributedModelParametersCoordinator({
    merger: new ModelParametersMerger({ mode: 'average' }),
  }).use(recorder('p', calls));
  coordinator.addModelParameters(parametersOf(1, 1), { childId: 'x' });
  await settle();
  expect(calls).toEqual(
    [
      'setup',
      'onJoin x',
      'onUpdate x',
      'beforeRound 0',
      'beforeMerge 1 1',
      'afterMerge 1',
      'save',
      'beforePublish 1',
    ].map((call) => `p ${call}`),
  );
});
