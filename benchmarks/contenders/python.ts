// NumPy and PyTorch: a Python that has them, started once per table, that runs works when it is told to.
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Contender } from '../harness.ts';
import { sayMissing } from './load.ts';

/** The packages that are measured. */
export type PythonPackage = 'numpy' | 'torch';

/** What a Python has; null where it lacks a package. */
export interface PythonVersions {
  readonly python: string;
  readonly numpy: string | null;
  /** What NumPy's products come from. */
  readonly blas: string | null;
  readonly torch: string | null;
  /** The instructions that PyTorch was told to use. */
  readonly capability: string | null;
}

/** A Python with some of the packages. */
export interface Python {
  readonly versions: PythonVersions;
  /** Puts values where the works find them; returns the path. The files go when Python is closed. */
  write(name: string, values: Float32Array | Float64Array): string;
  /** Prepares a work (`module.Class` of benchmarks/peers/python). Times are CPU times of that process. */
  prepare(name: string, work: string, settings: Settings, units?: number): Promise<PythonContender>;
  close(): void;
}

/** Named arguments of a work. */
export type Settings = Readonly<Record<string, string | number | boolean | readonly number[]>>;

/** A work in Python beside those of this process. */
export interface PythonContender extends Contender {
  /** The numbers that the work gives from its start. */
  result(): Promise<number[]>;
}

// The system's first: its NumPy and PyTorch are of one age and share one BLAS.
const candidates = ['/usr/bin/python3', 'python3', 'python'];
const installCommand = 'apt-get install python3-numpy python3-torch libopenblas0-pthread';
const oneThread = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

/** Starts the first Python that has all the packages, or else any of them. Undefined, and said, if there is none. */
export async function startPython(packages: readonly PythonPackage[]): Promise<Python | undefined> {
  const found = candidates.map((path) => ({
    path,
    count: packages.filter((name) => has(path, name)).length,
  }));
  const best = Math.max(...found.map(({ count }) => count));
  for (const name of packages) {
    const names = { numpy: 'NumPy', torch: 'PyTorch' };
    if (!found.some(({ path, count }) => count === best && has(path, name)))
      sayMissing(names[name], installCommand);
  }
  if (best === 0) return undefined;
  const { path } = found.find(({ count }) => count === best)!;
  const server = new PythonServer(path);
  return server.start();
}

function has(path: string, name: PythonPackage): boolean {
  return spawnSync(path, ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0;
}

type Answer = Readonly<Record<string, unknown>>;

class PythonServer {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'mainstem-peers-'));
  readonly #lines: AsyncIterator<string>;
  #works = 0;

  constructor(path: string) {
    const script = fileURLToPath(new URL('../peers/python/server.py', import.meta.url));
    this.#process = spawn(path, ['-B', script], {
      env: { ...process.env, ...oneThread },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async start(): Promise<Python> {
    const versions = (await this.#ask({ do: 'versions' })) as unknown as PythonVersions;
    return {
      versions,
      write: (name, values) => {
        const path = join(this.#folder, name);
        writeFileSync(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
        return path;
      },
      prepare: (name, work, settings, units) => this.#prepare(name, work, settings, units),
      close: () => {
        this.#process.stdin.end();
        rmSync(this.#folder, { recursive: true, force: true });
      },
    };
  }

  async #prepare(name: string, work: string, settings: Settings, units = 1): Promise<PythonContender> {
    const id = String(this.#works++);
    await this.#ask({ do: 'make', id, work, settings });
    const measure = async (count: number): Promise<number> =>
      (await this.#ask({ do: 'run', id, count })).cpuMs as number;
    return {
      name,
      units,
      measure,
      run: () => measure(1),
      result: async () => (await this.#ask({ do: 'result', id })).values as number[],
    };
  }

  async #ask(request: Answer): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('Python has ended');
    const answer = JSON.parse(value) as Answer;
    if (typeof answer.error === 'string')
      throw new Error(`Python, ${JSON.stringify(request)}: ${answer.error}`);
    return answer;
  }
}
