import { Worker as NodeWorker } from 'node:worker_threads';
import { NeuralNetwork } from 'mainstem';
import { createThreads, ThreadFailedError } from 'mainstem/threads';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { normalRows } from '../models/support.ts';

// A worker as browsers have them: no module of Node on either side, events instead of listeners with values.
class BrowserWorker {
  static readonly started: { url: URL; options: object }[] = [];
  static failure: string | undefined;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  onmessageerror: (() => void) | null = null;
  readonly #worker: NodeWorker;

  constructor(url: URL, options: object) {
    BrowserWorker.started.push({ url, options });
    // The package has the script compiled, beside the code that starts it.
    const source = url.href.replace(/\.js$/, '.ts');
    const code = `
      const { parentPort } = require('node:worker_threads');
      process.getBuiltinModule = () => undefined;
      globalThis.postMessage = (answer) => parentPort.postMessage(answer);
      import('tsx/esm/api').then(({ register }) => {
        register();
        return import(${JSON.stringify(source)});
      }).then(() => parentPort.on('message', (data) => globalThis.onmessage({ data })));`;
    this.#worker = new NodeWorker(BrowserWorker.failure ?? code, { eval: true, execArgv: [] });
    this.#worker.on('message', (data) => this.onmessage?.({ data }));
    this.#worker.on('error', ({ message }: Error) => this.onerror?.({ message }));
  }

  postMessage(request: unknown): void {
    this.#worker.postMessage(request);
  }

  terminate(): void {
    void this.#worker.terminate();
  }
}

beforeEach(() => {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
  vi.stubGlobal('Worker', BrowserWorker);
  vi.stubGlobal('crossOriginIsolated', true);
  vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  BrowserWorker.failure = undefined;
  BrowserWorker.started.length = 0;
});

const features = normalRows(40, 6, 1);
const labels = features.map((row) => row[0]! + row[1]!);

test('workers of a browser train as threads of Node do', async () => {
  const threads = await createThreads({ gainMin: 0 });
  expect(threads.count).toBe(2);
  expect(BrowserWorker.started.map(({ options }) => options)).toEqual([
    { type: 'module', name: 'mainstem' },
    { type: 'module', name: 'mainstem' },
  ]);
  const model = new NeuralNetwork({ layers: [6, 5, 1], batchSize: 16, seed: 1, dtype: 'float64' });
  const twin = model.clone();
  const options = { maximumNumberOfIterations: 3 };
  const { costs, threads: count } = await threads.train(model, features, labels, options);
  expect(count).toBe(2);
  twin.train(features, labels, options).forEach((cost, index) => {
    expect(costs[index]).toBeCloseTo(cost, 12);
  });
  await threads.close();
});

test('a script that cannot be loaded', async () => {
  BrowserWorker.failure = 'throw new Error("404")';
  await expect(createThreads()).rejects.toThrow(ThreadFailedError);
});
