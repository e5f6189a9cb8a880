import type { Clock, Optimizer, Store, StoreOperation, Transport } from 'mainstem';
import {
  AdaGrad,
  Adam,
  AdamW,
  createOptimizer,
  GradientDescent,
  InProcessTransport,
  LinearRegression,
  MemoryStore,
  type ModelParameters,
  ModelParametersMerger,
  Momentum,
  Nesterov,
  RMSProp,
  systemClock,
} from 'mainstem';
import {
  clockContract,
  mergerContract,
  optimizerContract,
  storeContract,
  transportContract,
  VirtualClock,
  VirtualNetwork,
} from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { runContract } from '../../src/testing/contract.ts';
import { describeContract } from './run.ts';

const optimizers: [string, () => Optimizer][] = [
  ['GradientDescent', () => new GradientDescent()],
  ['Momentum', () => new Momentum({ momentum: 0.8 })],
  ['Nesterov', () => new Nesterov({ momentum: 0.8 })],
  ['AdaGrad', () => new AdaGrad()],
  ['RMSProp', () => new RMSProp()],
  ['RMSProp with momentum', () => new RMSProp({ momentum: 0.5, decay: 0.8 })],
  ['Adam', () => new Adam()],
  ['AdamW without decay', () => new AdamW({ weightDecay: 0 })],
];
for (const [name, create] of optimizers) describeContract(name, optimizerContract(create));
describeContract(
  'AdamW',
  optimizerContract(() => new AdamW({ weightDecay: 0.1 }), { decaysValues: true }),
);
describeContract(
  'an optimizer by its description',
  optimizerContract(() => createOptimizer({ name: 'adam', beta1: 0.5 })),
);

describeContract(
  'ModelParametersMerger, sampleWeightedAverage',
  mergerContract({ create: () => new ModelParametersMerger() }),
);
describeContract(
  'ModelParametersMerger, average',
  mergerContract({ create: () => new ModelParametersMerger({ mode: 'average' }) }),
);
describeContract(
  'ModelParametersMerger, weightedAverage',
  mergerContract({
    create: () => new ModelParametersMerger({ mode: 'weightedAverage', weights: [0.2, 0, 7] }),
  }),
);
describeContract(
  'ModelParametersMerger, custom',
  mergerContract({
    create: () =>
      new ModelParametersMerger({
        mode: 'custom',
        merge: (children) => (children[0] as (typeof children)[0]).parameters,
      }),
  }),
);
describeContract(
  'ModelParametersMerger, rounded',
  mergerContract({ create: () => new ModelParametersMerger({ rounding: 'nearest' }), isIdempotent: false }),
);
for (const mode of ['best', 'scoreRatio'] as const) {
  const create = (): ModelParametersMerger => {
    const merger = new ModelParametersMerger({ mode });
    merger.setData(
      new LinearRegression(),
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [1, 1, 1],
      ],
      [0.4, -2.2, 4, 1.5],
    );
    return merger;
  };
  describeContract(`ModelParametersMerger, ${mode}`, mergerContract({ create }));
}

describeContract(
  'MemoryStore',
  storeContract(() => new MemoryStore()),
);
describeContract(
  'InProcessTransport',
  transportContract({
    create: () => new InProcessTransport(),
    settle: async () => new Promise((resolve) => setImmediate(resolve)),
  }),
);

for (const [name, faults] of [
  ['without faults', {}],
  ['with delays', { delayMs: [1, 20] }],
] as const) {
  const network = new VirtualNetwork({ seed: 11, faults });
  let hosts = 0;
  const create = (): Transport => {
    const host = `host-${++hosts}`;
    return network.transport(host, { to: host });
  };
  const settle = async (): Promise<void> => void (await network.settle());
  describeContract(`VirtualNetwork, ${name}`, transportContract({ create, settle }));
}
describeContract(
  'VirtualClock',
  clockContract({
    create: () => new VirtualClock(),
    pass: async (clock, forMs) => (clock as VirtualClock).advance(forMs),
  }),
);
describeContract(
  'systemClock',
  clockContract({
    create: () => systemClock,
    pass: (clock, forMs) => new Promise((resolve) => void clock.schedule(resolve, forMs)),
  }),
);

describe('the suites see what is broken', () => {
  test('an optimizer that keeps memory of its own', async () => {
    class Forgetful extends GradientDescent {
      #velocity = 0;
      override step(...[, values, gradient, rate]: Parameters<Optimizer['step']>): void {
        this.#velocity += gradient[0] as number;
        for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - rate * this.#velocity;
      }
    }
    await expect(runContract(optimizerContract(() => new Forgetful()))).rejects.toThrow(
      'promises are not kept',
    );
  });

  test('an optimizer that decays and does not say so, and one that says so and does not', async () => {
    await expect(runContract(optimizerContract(() => new AdamW()))).rejects.toThrow(
      'ten zero gradients change nothing',
    );
    await expect(runContract(optimizerContract(() => new Adam(), { decaysValues: true }))).rejects.toThrow(
      'towards 0',
    );
  });

  test('a merger that returns its last child', async () => {
    const create = () => ({
      needs: { minimumChildren: 1, sampleCounts: false },
      begin: () => ({ last: new Float64Array(0) as Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> }),
      add(
        state: { last: Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> },
        child: { parameters: ModelParameters },
      ) {
        state.last = child.parameters.values;
      },
      finish: (state: { last: Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> }) => state.last,
    });
    const failing = runContract(mergerContract({ create: create as never }));
    await expect(failing).rejects.toThrow(/order of the children[\s\S]*looked at after add/);
  });

  test('a store that applies half a batch', async () => {
    class Hasty extends MemoryStore implements Store {
      override batch(operations: readonly StoreOperation[]): void {
        for (const operation of operations) super.batch([operation]);
      }
    }
    await expect(runContract(storeContract(() => new Hasty()))).rejects.toThrow(
      'an illegal batch changes nothing',
    );
  });

  test('a transport that delivers within send', async () => {
    const create = () => new InProcessTransport({ defer: (deliver) => deliver() });
    const failing = runContract(transportContract({ create, settle: async () => {} }));
    await expect(failing).rejects.toThrow('nothing is delivered from inside send');
  });

  test('a clock whose cancel does nothing, and one that does not wait', async () => {
    const pass = async (clock: Clock, forMs: number): Promise<void> => (clock as VirtualClock).advance(forMs);
    class Stubborn extends VirtualClock {
      override schedule(callback: () => void, delayMs: number): () => void {
        super.schedule(callback, delayMs);
        return () => {};
      }
    }
    const stubborn = runContract(clockContract({ create: () => new Stubborn(), pass }));
    await expect(stubborn).rejects.toThrow(/1 promise is not kept:\n- what is cancelled/);
    class Hasty extends VirtualClock {
      override schedule(callback: () => void): () => void {
        callback();
        return () => {};
      }
    }
    const hasty = runContract(clockContract({ create: () => new Hasty(), pass }));
    await expect(hasty).rejects.toThrow(/from inside schedule/);
  });
});
