// Runs in a page: one child over each transport, and what it ends with.
import type { ClientTransport } from 'mainstem';
import { Child, DistributedModelParametersCoordinator, kernels, NeuralNetwork } from 'mainstem';
import { HttpTransport } from 'mainstem/http';
import { createThreads } from 'mainstem/threads';
import { WebSocketTransport } from 'mainstem/websocket';
import { runChildInWorker, WorkerTransport } from 'mainstem/worker';
import { createModel, features, labels } from './model.ts';

/** What the test calls. */
export interface Federation {
  /** Trains one round over a connection to the server of the test; resolves with the parameters that it sent. */
  join(kind: 'webSocket' | 'http', url: string, token: string): Promise<number[]>;
  /** A coordinator in this page and a child in a Web Worker: main after one round, and what it should be. */
  worker(): Promise<{ main: number[]; expected: number[]; kernels: string; children: string[] }>;
  /** Trains on this thread alone: with which kernels, and to which cost. */
  train(): { kernels: string; cost: number };
  /** The same training on two threads that share memory. */
  threads(): Promise<{ threads: number; message: string; cost: number }>;
}

async function joinOver(transport: ClientTransport): Promise<number[]> {
  const model = createModel();
  const child = await Child.connect({ transport, model, childId: 'page', reconnect: false });
  const { receipt } = await child.train(features, labels);
  await receipt.committed;
  const sent = [...model.getModelParameters().values];
  await child.leave();
  return sent;
}

function createNetwork(): NeuralNetwork {
  return new NeuralNetwork({ layers: [4, 8, 1], maximumNumberOfIterations: 20, seed: 3 });
}

const federation: Federation = {
  join(kind, url, token) {
    if (kind === 'http') return joinOver(new HttpTransport({ url, token }));
    return joinOver(new WebSocketTransport({ url, token }));
  },
  async worker() {
    const coordinator = new DistributedModelParametersCoordinator();
    const transport = new WorkerTransport();
    await coordinator.listen(transport);
    const children: string[] = [];
    coordinator.on('childJoined', ({ childId }) => children.push(childId));
    const child = runChildInWorker<string>('/childModule.js', { transport, data: { childId: 'worker' } });
    const kernelsOfWorker = await child.result;
    const main = [...coordinator.getMainModelParameters().values];
    await coordinator.close();
    const model = createModel();
    model.train(features, labels);
    return {
      main,
      expected: [...model.getModelParameters().values],
      kernels: kernelsOfWorker,
      children,
    };
  },
  train() {
    const model = createNetwork();
    const costs = model.train(features, labels);
    return { kernels: kernels.name, cost: costs.at(-1)! };
  },
  async threads() {
    // However small the network is: that it does not pay is not the question here.
    const threads = await createThreads({ count: 2, gainMin: 0 });
    const result = await threads.train(createNetwork(), features, labels);
    await threads.close();
    return { threads: result.threads, message: result.message, cost: result.costs.at(-1)! };
  },
};

Object.assign(globalThis, { federation });
