// How long a fresh worker thread takes to load the core and to train for the first time, which compiles the kernels.
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { brotliCompressSync } from 'node:zlib';
import { kernels } from 'mainstem';
import type { Effort, Table } from './harness.ts';
import { format, median } from './harness.ts';

// Plain JavaScript: the worker measures what a user's worker would see, and no loader of TypeScript.
const program = `
import { parentPort, workerData } from 'node:worker_threads';
const start = performance.now();
const { LinearRegression } = await import(workerData);
const loaded = performance.now();
new LinearRegression({ maximumNumberOfIterations: 1 }).train([[1], [2]], [1, 2]);
parentPort.postMessage([loaded - start, performance.now() - loaded]);
`;

export async function measure(effort: Effort): Promise<Table[]> {
  const entry = new URL('../dist/index.js', import.meta.url);
  const samples: (readonly number[])[] = [];
  for (let i = 0; i < Math.max(5, effort.repetitions); i++) samples.push(await startOnce(entry.href));
  const [loading, training] = [0, 1].map((place) => median(samples.map((sample) => sample[place]!)));
  const { plain, relaxed } = embeddedSizes(entry);
  return [
    {
      title: 'Start-up',
      note: `The core in a fresh worker thread, medians. Kernels: ${kernels.name}. Bar: both together within 60 ms.`,
      columns: ['', 'value'],
      rows: [
        ['import of `mainstem`, ms', format(loading!)],
        ['first `train`, which compiles the kernels, ms', format(training!)],
        ['within 60 ms', loading! + training! <= 60 ? '✓' : '✗'],
        ['kernels for plain SIMD, kB', format(plain / 1000)],
        ['kernels for relaxed SIMD, kB', format(relaxed / 1000)],
        ['what both add to the bundle, brotlied, kB', format(compressedKernels(entry) / 1000)],
      ],
    },
  ];
}

function startOnce(entry: string): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
    const worker = new Worker(url, { workerData: entry });
    worker.once('error', reject);
    worker.once('message', (times: readonly number[]) => {
      worker.terminate().then(() => resolve(times), reject);
    });
  });
}

/** The embedded modules: hexadecimal digits that begin with WebAssembly's magic number and version. */
function digitsIn(entry: URL): readonly string[] {
  const folder = new URL('.', entry);
  // The entry and the chunks that it shares with others.
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'));
  const found = files.flatMap((name) => [
    ...(readFileSync(new URL(name, folder), 'utf8').match(/0061736d01000000[0-9a-f]+/g) ?? []),
  ]);
  if (found.length !== 2) throw new Error(`dist has ${found.length} modules of kernels, expected 2`);
  return found;
}

function embeddedSizes(entry: URL): { plain: number; relaxed: number } {
  const [plain = '', relaxed = ''] = digitsIn(entry);
  return { plain: plain.length / 2, relaxed: relaxed.length / 2 };
}

function compressedKernels(entry: URL): number {
  return brotliCompressSync(digitsIn(entry).join('')).length;
}
