import type { Clock, Model, ModelParameters } from 'mainstem';
import {
  AlreadyContributedError,
  Child,
  ConnectionClosedError,
  ConnectionRefusedError,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  InProcessTransport,
  InvalidOptionError,
  LinearRegression,
  ModelParametersMerger,
  seededRandom,
  UpdateDiscardedError,
  UpdateRefusedError,
} from 'mainstem';
import { VirtualNetwork } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf, settle } from '../coordinators/helpers.ts';

const rows = [[1], [2], [3]];
const labels = [3, 5, 7];

async function gradientsSetup(options: { childrenPerUpdate?: number; drive?: 'tick' } = {}) {
  const coordinator = new DistributedGradientsCoordinator(options);
  coordinator.setModelParameters(parametersOf(0, 0));
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  return { coordinator, transport };
}

describe('Child', () => {
  test('gradients over a transport move main exactly as direct calls do', async () => {
    const { coordinator, transport } = await gradientsSetup();
    const direct = new DistributedGradientsCoordinator();
    direct.setModelParameters(parametersOf(0, 0));
    const model = new LinearRegression();
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    model.setAreGradientsSaved(true);
    for (let round = 0; round < 3; round++) {
      const { receipt, costs } = await child.train(rows, labels, { maximumNumberOfIterations: 1 });
      expect(costs).toHaveLength(1);
      expect(receipt).toMatchObject({ status: 'applied', version: round + 2 });
      await receipt.committed;
      model.setModelParameters(direct.getModelParameters());
      model.train(rows, labels, { maximumNumberOfIterations: 1 });
      direct.addGradients(model.getGradients());
    }
    expect(numbersOf(coordinator.getModelParameters())).toEqual(numbersOf(direct.getModelParameters()));
    expect(coordinator.version).toBe(direct.version);
  });

  test('parameters over a transport are merged by their rows, and main comes back', async () => {
    const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 2 });
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const make = (childId: string): Promise<Child> =>
      Child.connect({ transport, model: new LinearRegression({ solver: 'exact' }), childId });
    const [a, b] = await Promise.all([make('a'), make('b')]);
    expect(a?.kind).toBe('parameters');
    expect(a?.main).toBeUndefined();
    const first = await a.train([[0], [1], [2]], [0, 1, 2]);
    expect(first.receipt.status).toBe('accepted');
    const second = await b.train([[0], [1]], [0, 6]);
    expect(second.receipt.status).toBe('applied');
    await first.receipt.committed;
    expect(a.version).toBe(1);
    const [slope, intercept] = numbersOf(a.main as NonNullable<Child['main']>);
    expect(slope).toBeCloseTo((3 * 1 + 2 * 6) / 5, 12);
    expect(intercept).toBeCloseTo(0, 12);
  });

  test('a late joiner gets the latest main, and adopts it when it wants', async () => {
    const { coordinator, transport } = await gradientsSetup();
    coordinator.addGradients(gradientsOf([-10, -20]));
    const model = new LinearRegression();
    const child = await Child.connect({ transport, model, childId: 'late' });
    expect(child.version).toBe(2);
    expect(await child.adopt()).toBe(true);
    expect(await child.adopt()).toBe(false);
    expect(numbersOf(model.getModelParameters())).toEqual([1, 2]);
    coordinator.addGradients(gradientsOf([10, 0]));
    await settle();
    expect(child.version).toBe(3);
    expect(numbersOf(model.getModelParameters())).toEqual([1, 2]);
  });

  test('a training takes its turns from the clock that is given', async () => {
    const { transport } = await gradientsSetup();
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    let nowMs = 0;
    let turns = 0;
    const clock: Clock = {
      now: () => (nowMs += 10),
      schedule: () => () => {},
      async yieldTurn() {
        turns++;
      },
    };
    const { receipt } = await child.train(rows, labels, { clock, maximumNumberOfIterations: 3 });
    expect(receipt.status).toBe('applied');
    expect(turns).toBeGreaterThan(0);
  });

  test('a main that comes again, or after a newer one, is nothing new', async () => {
    const network = new VirtualNetwork({ seed: 2 });
    const coordinator = new DistributedGradientsCoordinator({ clock: network.clock });
    coordinator.setModelParameters(parametersOf(0, 0));
    await coordinator.listen(network.transport('coordinator'));
    const connecting = Child.connect({
      transport: network.transport('a'),
      model: new LinearRegression(),
      childId: 'a',
      clock: network.clock,
      random: seededRandom(2),
    });
    await network.settle();
    const child = await connecting;
    const versions: number[] = [];
    child.on('mainUpdated', ({ version }) => versions.push(version));
    network.setFaults({ duplicate: 1, reorder: 0.7 });
    for (let i = 0; i < 20; i++) {
      coordinator.addGradients(gradientsOf([1, i]));
      await settle();
    }
    await network.settle();
    expect(network.statistics.reordered).toBeGreaterThan(0);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(versions.length).toBeLessThan(20);
    expect(child.version).toBe(21);
    expect(numbersOf(child.main as ModelParameters)).toEqual(numbersOf(coordinator.getModelParameters()));
  });

  test('main that is given to the user is a copy', async () => {
    const { transport } = await gradientsSetup();
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    child.main?.values.fill(9);
    expect(numbersOf(child.main as NonNullable<Child['main']>)).toEqual([0, 0]);
  });

  test('publication and events reach every child', async () => {
    const { coordinator, transport } = await gradientsSetup();
    const seen: string[] = [];
    const joined: string[] = [];
    coordinator.on('childJoined', ({ childId }) => joined.push(childId));
    for (const childId of ['a', 'b']) {
      const child = await Child.connect({ transport, model: new LinearRegression(), childId });
      child.on('mainUpdated', ({ version }) => seen.push(`${childId} ${version}`));
    }
    coordinator.addGradients(gradientsOf([1, 1]));
    await settle();
    expect(joined).toEqual(['a', 'b']);
    expect(seen).toEqual(['a 2', 'b 2']);
  });

  test('a model that answers with promises is a full child', async () => {
    const coordinator = new DistributedModelParametersCoordinator();
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const inner = new LinearRegression({ solver: 'exact' });
    const model: Model = {
      train: async (features, targets, options) => inner.train(features, targets, options),
      predict: async (features) => inner.predict(features),
      getModelParameters: async () => inner.getModelParameters(),
      setModelParameters: async (parameters) => inner.setModelParameters(parameters),
    };
    const child = await Child.connect({ transport, model, childId: 'promises' });
    const { receipt } = await child.train(rows, labels);
    await receipt.committed;
    expect(coordinator.getMainModelParameters().values[0]).toBeCloseTo(2, 12);
  });

  test('a model without gradients cannot serve a gradients coordinator, and is told so', async () => {
    const { transport } = await gradientsSetup();
    const inner = new LinearRegression();
    const model: Model = {
      train: (features, targets) => inner.train(features, targets),
      predict: (features) => inner.predict(features),
      getModelParameters: () => inner.getModelParameters(),
      setModelParameters: (parameters) => inner.setModelParameters(parameters),
    };
    const child = await Child.connect({ transport, model, childId: 'a' });
    await expect(child.train(rows, labels)).rejects.toBeInstanceOf(InvalidOptionError);
  });
});

describe('refusals', () => {
  test('a refused update comes back with its code and message', async () => {
    const { coordinator, transport } = await gradientsSetup();
    const model = new LinearRegression({ fitIntercept: false });
    // Untrained: what it will send is not known yet.
    const child = await Child.connect({ transport, model, childId: 'a' });
    model.train(rows, labels, { maximumNumberOfIterations: 1 });
    const receipt = await child.send();
    expect(receipt.status).toBe('refused');
    expect(receipt.reason?.code).toBe('LAYOUT_MISMATCH');
    expect(receipt.reason?.message).toMatch(/gradients have 1 values, main has 2/);
    await expect(receipt.committed).rejects.toBe(receipt.reason);
    expect(coordinator.version).toBe(1);
  });

  test('a second update within a round is refused, and the child may go on', async () => {
    const { transport } = await gradientsSetup({ childrenPerUpdate: 2 });
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    await child.train(rows, labels, { maximumNumberOfIterations: 1 });
    const { receipt } = await child.train(rows, labels, { maximumNumberOfIterations: 1 });
    expect(receipt.reason?.code).toBe(new AlreadyContributedError('').code);
    const other = await Child.connect({ transport, model: new LinearRegression(), childId: 'b' });
    await (await other.train(rows, labels, { maximumNumberOfIterations: 1 })).receipt.committed;
    expect((await child.train(rows, labels, { maximumNumberOfIterations: 1 })).receipt.status).toBe(
      'accepted',
    );
  });

  test("with drive 'tick' the receipt says accepted, and a later refusal rejects committed", async () => {
    const { coordinator, transport } = await gradientsSetup({ drive: 'tick' });
    coordinator.use({
      name: 'refuse all',
      onUpdate: () => {
        throw new UpdateRefusedError('not today');
      },
    });
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    const { receipt } = await child.train(rows, labels, { maximumNumberOfIterations: 1 });
    expect(receipt.status).toBe('accepted');
    const rejection = expect(receipt.committed).rejects.toMatchObject({
      code: 'UPDATE_REFUSED',
      message: 'not today',
    });
    coordinator.tick(1000);
    await rejection;
  });

  test('nobody listens, another federation, an illegal id: connect says why', async () => {
    const model = new LinearRegression();
    await expect(
      Child.connect({ transport: new InProcessTransport(), model, childId: 'a' }),
    ).rejects.toBeInstanceOf(ConnectionRefusedError);
    const { transport } = await gradientsSetup();
    await expect(Child.connect({ transport, model, childId: 'a', federation: 'arena' })).rejects.toThrow(
      /asks for federation "arena", this is "default"/,
    );
    await expect(Child.connect({ model, childId: 'a' } as never)).rejects.toThrow(/needs a transport/);
    await expect(Child.connect({ transport, childId: 'a' } as never)).rejects.toThrow(/needs a model/);
    await expect(Child.connect({ transport, model, childId: '' })).rejects.toBeInstanceOf(InvalidOptionError);
  });
});

describe('leaving', () => {
  test('leave counts the child out and is idempotent; nothing can be sent afterwards', async () => {
    const { coordinator, transport } = await gradientsSetup();
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    const closed: unknown[] = [];
    const left: string[] = [];
    child.on('closed', (error) => closed.push(error));
    coordinator.on('childLeft', ({ childId }) => left.push(childId));
    await child.leave();
    await child.leave();
    await settle();
    expect(left).toEqual(['a']);
    expect(closed).toEqual([undefined]);
    expect(coordinator.children).toEqual([]);
    await expect(child.train(rows, labels)).rejects.toBeInstanceOf(ConnectionClosedError);
  });

  test('a leaving child takes its kept parameters out of the next merge', async () => {
    const coordinator = new DistributedModelParametersCoordinator({
      merger: new ModelParametersMerger({ mode: 'average' }),
    });
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const child = await Child.connect({
      transport,
      model: new LinearRegression({ solver: 'exact' }),
      childId: 'a',
    });
    await (await child.train(rows, labels)).receipt.committed;
    await child.leave();
    await settle();
    coordinator.addModelParameters(parametersOf(8, 9), { childId: 'b' });
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([8, 9]);
  });

  test('a coordinator that closes tells its children, and what was accepted is given up', async () => {
    const { coordinator, transport } = await gradientsSetup({ childrenPerUpdate: 2 });
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    const closed: unknown[] = [];
    child.on('closed', (error) => closed.push(error));
    const { receipt } = await child.train(rows, labels, { maximumNumberOfIterations: 1 });
    const rejection = expect(receipt.committed).rejects.toMatchObject({
      code: new UpdateDiscardedError('').code,
    });
    await coordinator.close();
    await rejection;
    await settle();
    expect(closed[0]).toBeInstanceOf(ConnectionClosedError);
  });

  test('a newer session of a child fences the older one, and tells it', async () => {
    const { coordinator, transport } = await gradientsSetup();
    const older = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    const reasons: string[] = [];
    older.on('closed', (error) => reasons.push(error?.message ?? ''));
    const newer = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    await settle();
    expect(reasons).toEqual(['another session of child a has begun; ids must be unique']);
    await expect(older.train(rows, labels)).rejects.toBeInstanceOf(ConnectionClosedError);
    expect((await newer.train(rows, labels, { maximumNumberOfIterations: 1 })).receipt.status).toBe(
      'applied',
    );
    // The older session's end does not count the child out.
    expect(coordinator.children).toEqual(['a']);
  });
});
