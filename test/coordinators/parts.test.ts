import type { Labels } from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  InProcessTransport,
  InvalidOptionError,
  LinearRegression,
  MemoryStore,
  ModelParameters,
  NeuralNetwork,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { numbersOf, settle } from './helpers.ts';

const features = [
  [0, 1],
  [1, 0],
  [1, 1],
  [0, 0],
];
const labels: Labels = [1, 2, 3, 0];
const body = ['layers.0.*'];

function network(seed = 1): NeuralNetwork {
  return new NeuralNetwork({
    layers: [2, { units: 3, activation: 'tanh' }, 1],
    seed,
    dtype: 'float64',
    optimizer: 'gradientDescent',
  });
}

describe('parameters federated in part', () => {
  test('main has the shared tensors only, and children keep their own heads', async () => {
    const coordinator = new DistributedModelParametersCoordinator({
      sharedTensors: body,
      childUpdatesPerMerge: 2,
    });
    coordinator.setMainModelParameters(network().getModelParameters());
    expect(Object.keys(coordinator.getMainModelParameters().toArrays())).toEqual([
      'layers.0.weights',
      'layers.0.bias',
    ]);
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const models = [network(2), network(3)];
    const heads = models.map((model) => Array.from(model.getModelParameters().get('layers.1.weights')));
    const children = await Promise.all(
      models.map((model, i) => Child.connect({ transport, model, childId: `c${i}` })),
    );
    for (const child of children) await child.adopt();
    models.forEach((model, i) => {
      const { parameters, main } = {
        parameters: model.getModelParameters(),
        main: coordinator.getMainModelParameters(),
      };
      expect(Array.from(parameters.get('layers.0.weights'))).toEqual(
        Array.from(main.get('layers.0.weights')),
      );
      expect(Array.from(parameters.get('layers.1.weights'))).toEqual(heads[i]);
    });
    const sent = await Promise.all(children.map((child) => child.train(features, labels)));
    await Promise.all(sent.map(({ receipt }) => receipt.committed));
    const own = models.map((model) => model.getModelParameters());
    for (const name of ['layers.0.weights', 'layers.0.bias']) {
      coordinator
        .getMainModelParameters()
        .get(name)
        .forEach((value, i) => {
          const mean =
            own.reduce((sum, parameters) => sum + (parameters.get(name)[i] as number), 0) / own.length;
          expect(Math.abs(value - mean)).toBeLessThan(1e-12);
        });
    }
    await settle();
    for (const child of children) await child.adopt();
    models.forEach((model, i) => {
      expect(Array.from(model.getModelParameters().get('layers.1.weights'))).toEqual(
        Array.from(own[i]?.get('layers.1.weights') as Float64Array),
      );
    });
  });

  test('gradients: only the shared tensors of main move, as if the others did not exist', async () => {
    const coordinator = new DistributedGradientsCoordinator({ sharedTensors: body, learningRate: 0.5 });
    const model = network();
    const start = model.getModelParameters();
    coordinator.setModelParameters(start);
    const gradients = model.computeGradients(features, labels);
    expect(coordinator.addGradients(gradients).status).toBe('applied');
    const main = coordinator.getModelParameters();
    for (const name of ['layers.0.weights', 'layers.0.bias']) {
      const expected = start.get(name).map((value, i) => value - 0.5 * (gradients.get(name)[i] as number));
      expect(Array.from(main.get(name))).toEqual(Array.from(expected));
    }
    expect(main.layout.tensors).toHaveLength(2);
  });

  test('what is not shared does not travel', async () => {
    const coordinator = new DistributedModelParametersCoordinator({ sharedTensors: body });
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const seen: number[] = [];
    coordinator.use({ name: 'look', onUpdate: ({ content }) => void seen.push(content.values.length) });
    const child = await Child.connect({ transport, model: network(), childId: 'a' });
    expect((await child.train(features, labels)).receipt.status).toBe('applied');
    expect(seen).toEqual([9]);
  });

  test('a child whose model lacks a shared tensor is told so at once; an update too', async () => {
    const coordinator = new DistributedModelParametersCoordinator({ sharedTensors: ['layers.7.*'] });
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    await expect(Child.connect({ transport, model: network(), childId: 'a' })).rejects.toThrow(
      /layers\.7\.\*/,
    );
    expect(coordinator.addModelParameters(network().getModelParameters()).reason?.code).toBe(
      'LAYOUT_MISMATCH',
    );
    expect(() => new DistributedModelParametersCoordinator({ sharedTensors: ['a*b'] })).toThrow(
      InvalidOptionError,
    );
  });

  test('restore brings the part back', async () => {
    const store = new MemoryStore();
    const first = new DistributedModelParametersCoordinator({ sharedTensors: body, store });
    first.addModelParameters(network(4).getModelParameters(), { childId: 'a' });
    const second = new DistributedModelParametersCoordinator({ sharedTensors: body, store });
    expect(await second.restore()).toBe(true);
    expect(numbersOf(second.getMainModelParameters())).toEqual(numbersOf(first.getMainModelParameters()));
    expect(second.addModelParameters(network(5).getModelParameters(), { childId: 'b' }).status).toBe(
      'applied',
    );
  });
});

describe('adopting only what is better', () => {
  const rows = [[0], [1], [2], [3]];
  const line = [1, 3, 5, 7];

  async function setUp(slope: number, intercept: number) {
    const coordinator = new DistributedModelParametersCoordinator();
    coordinator.setMainModelParameters(ModelParameters.fromArrays({ weights: [[slope]], bias: [intercept] }));
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const model = new LinearRegression();
    model.setModelParameters(ModelParameters.fromArrays({ weights: [[2]], bias: [0.5] }));
    return { coordinator, transport, model, child: await Child.connect({ transport, model, childId: 'a' }) };
  }
  const onlyIfBetter = { features: rows, labels: line };

  test('a better main is adopted', async () => {
    const { child, model } = await setUp(2, 1);
    expect(await child.adopt({ onlyIfBetter })).toBe(true);
    expect(numbersOf(model.getModelParameters())).toEqual([2, 1]);
    expect(await child.adopt({ onlyIfBetter })).toBe(false);
  });

  test.each([
    [1, 0],
    [2, 0.5],
  ])('a worse one, or one as good (%d, %d), leaves the model as it was', async (slope, intercept) => {
    const { child, model } = await setUp(slope, intercept);
    expect(await child.adopt({ onlyIfBetter })).toBe(false);
    expect(numbersOf(model.getModelParameters())).toEqual([2, 0.5]);
    expect(await child.adopt()).toBe(true);
  });

  test('a model without parameters adopts what comes; one that cannot score is an error', async () => {
    const { transport } = await setUp(2, 1);
    const untrained = new LinearRegression();
    const child = await Child.connect({ transport, model: untrained, childId: 'b' });
    expect(await child.adopt({ onlyIfBetter })).toBe(true);
    expect(numbersOf(untrained.getModelParameters())).toEqual([2, 1]);
    const inner = new LinearRegression();
    const silent = await Child.connect({
      transport,
      childId: 'c',
      model: {
        train: (...all) => inner.train(...all),
        predict: (...all) => inner.predict(...all),
        getModelParameters: () => inner.getModelParameters(),
        setModelParameters: (...all) => inner.setModelParameters(...all),
      },
    });
    await expect(silent.adopt({ onlyIfBetter })).rejects.toBeInstanceOf(InvalidOptionError);
  });

  test('rows that cannot be judged leave the model as it was', async () => {
    const { child, model } = await setUp(2, 1);
    await expect(child.adopt({ onlyIfBetter: { features: [[1, 2]], labels: [1] } })).rejects.toThrow();
    expect(numbersOf(model.getModelParameters())).toEqual([2, 0.5]);
  });
});
