import {
  Child,
  CoordinatorHost,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  InProcessTransport,
  InvalidOptionError,
  LinearRegression,
  MemoryStore,
  ModelParameters,
  warmStart,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf, settle } from './helpers.ts';

const two = {
  features: [
    [1, 0],
    [0, 1],
    [1, 1],
  ],
  labels: [1, 2, 3],
};
const three = {
  features: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 1, 1],
  ],
  labels: [1, 2, 5, 8],
};

function trained({ features, labels }: typeof two): LinearRegression {
  const model = new LinearRegression({ solver: 'exact', penalty: { l2: 1e-6 } });
  model.train(features, labels);
  return model;
}

async function patchDay() {
  const store = new MemoryStore();
  const host = new CoordinatorHost();
  const transport = new InProcessTransport();
  await host.listen(transport);
  const old = new DistributedModelParametersCoordinator({ store });
  old.addModelParameters(trained(two).getModelParameters(), { childId: 'veteran' });
  const next = new DistributedModelParametersCoordinator({ store, generation: 1 });
  const fresh = ModelParameters.fromArrays(
    { weights: [[0], [0], [0]], bias: [0] },
    { architecture: old.getMainModelParameters().layout.architecture ?? {} },
  );
  next.setMainModelParameters(warmStart(fresh, old.getMainModelParameters(), { overlap: true }).parameters);
  return { store, host, transport, old, next };
}

describe('generations', () => {
  test('old and new children train side by side, each with their own main', async () => {
    const { host, transport, old, next } = await patchDay();
    host.add(old);
    const veteran = await Child.connect({ transport, model: trained(two), childId: 'veteran' });
    host.add(next);
    const rookie = await Child.connect({ transport, model: trained(three), childId: 'rookie' });
    const [oldMain, newMain] = [numbersOf(old.getModelParameters()), numbersOf(next.getModelParameters())];
    expect(newMain).toEqual([oldMain[0], oldMain[1], 0, oldMain[2]]);
    expect(Array.from(veteran.main?.values ?? [])).toEqual(oldMain);
    expect(Array.from(rookie.main?.values ?? [])).toEqual(newMain);
    expect((await veteran.train(two.features, two.labels)).receipt.status).toBe('applied');
    expect((await rookie.train(three.features, three.labels)).receipt.status).toBe('applied');
    await settle();
    expect([old.children, next.children]).toEqual([['veteran'], ['rookie']]);
    expect([veteran.version, rookie.version]).toEqual([old.version, next.version]);
    expect([veteran.main?.layout.length, rookie.main?.layout.length]).toEqual([3, 4]);
  });

  test('a child without parameters gets the newest', async () => {
    const { host, transport, old, next } = await patchDay();
    host.add(next).add(old);
    const model = new LinearRegression();
    const child = await Child.connect({ transport, model, childId: 'new here' });
    await child.adopt();
    expect(model.getModelParameters().layout.length).toBe(4);
  });

  test('a child that fits none is told what the newest expects', async () => {
    const { host, transport, old, next } = await patchDay();
    host.add(old).add(next);
    const model = new LinearRegression({ fitIntercept: false });
    model.train([[1]], [1]);
    await expect(Child.connect({ transport, model, childId: 'lost' })).rejects.toThrow(
      /fits no generation; the newest is 1: the model of the child have 1 values, main has 4/,
    );
    expect([...old.children, ...next.children]).toEqual(['veteran']);
  });

  test('a generation that has ended says so to its children, and may be restored', async () => {
    const { store, host, transport, old, next } = await patchDay();
    host.add(old).add(next);
    const child = await Child.connect({ transport, model: trained(two), childId: 'veteran' });
    const reasons: (string | undefined)[] = [];
    child.on('closed', (error) => reasons.push(error?.message));
    expect(host.remove(old)).toBe(true);
    expect(host.remove(old)).toBe(false);
    await settle();
    expect(reasons).toEqual(['generation 0 of federation "default" has ended']);
    for (const [generation, coordinator] of [old, next].entries()) {
      const again = new DistributedModelParametersCoordinator({ store, generation });
      expect(await again.restore()).toBe(true);
      expect(numbersOf(again.getModelParameters())).toEqual(numbersOf(coordinator.getModelParameters()));
    }
  });

  test('a name with an @ meets no generation of another federation in the store', async () => {
    const store = new MemoryStore();
    new DistributedModelParametersCoordinator({
      store,
      federation: 'arena',
      generation: 1,
    }).setMainModelParameters(parametersOf(1, 1));
    const other = new DistributedModelParametersCoordinator({ store, federation: 'arena@1' });
    expect(await other.restore()).toBe(false);
  });
});

describe('CoordinatorHost', () => {
  test('hosts federations of both kinds behind one listener', async () => {
    const host = new CoordinatorHost();
    const transport = new InProcessTransport();
    const aim = new DistributedGradientsCoordinator({ federation: 'aim', learningRate: 1 });
    aim.setModelParameters(parametersOf(0, 0));
    const loot = new DistributedModelParametersCoordinator({ federation: 'loot' });
    host.add(aim).add(loot);
    await host.listen(transport);
    const connect = (federation: string): Promise<Child> =>
      Child.connect({ transport, model: new LinearRegression(), childId: 'a', federation });
    expect([(await connect('aim')).kind, (await connect('loot')).kind]).toEqual(['gradients', 'parameters']);
    await expect(connect('chess')).rejects.toThrow('there is no federation "chess" here');
    expect([aim.children, loot.children]).toEqual([['a'], ['a']]);
    aim.addGradients(gradientsOf([1, 1]));
    await host.close();
    await expect(connect('aim')).rejects.toThrow('nobody listens');
    expect(aim.version).toBe(2);
  });

  test('refuses twins and nonsense', () => {
    const host = new CoordinatorHost().add(new DistributedModelParametersCoordinator());
    expect(() => host.add(new DistributedGradientsCoordinator())).toThrow(
      /generation 0 of federation "default" is hosted/,
    );
    expect(() => new CoordinatorHost({ connections: 3 } as object)).toThrow(InvalidOptionError);
    expect(() => new CoordinatorHost({ connectionsMax: 0 })).toThrow(InvalidOptionError);
    expect(() => new DistributedModelParametersCoordinator({ generation: -1 })).toThrow(/generation is -1/);
  });

  test('closes connections beyond its limit', async () => {
    const host = new CoordinatorHost({ connectionsMax: 1 }).add(new DistributedModelParametersCoordinator());
    const transport = new InProcessTransport();
    await host.listen(transport);
    const connect = (childId: string): Promise<Child> =>
      Child.connect({ transport, model: new LinearRegression(), childId });
    await connect('a');
    await expect(connect('b')).rejects.toThrow('1 connections are open');
  });
});
