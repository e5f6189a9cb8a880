import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { ServerTransport } from 'mainstem';
import { InProcessTransport } from 'mainstem';
import { WebSocketServerTransport } from 'mainstem/websocket';
import type { ChildInWorker } from 'mainstem/worker';
import { runChildInWorker, WorkerTransport } from 'mainstem/worker';
import { ChildProcess } from './childProcess.ts';
import type { ChildrenOutcome, DemoTask } from './demoChild.ts';
import { run } from './demoChild.ts';

/** Where the demo's children are. */
export type Place = 'threads' | 'processes' | 'in-process';

/** The demo's children, in one place or another. */
export interface Crew {
  /** What a coordinator has to listen on, before they start. */
  readonly transport: ServerTransport;
  /** Where they are, for people. */
  readonly description: string;
  /** Starts them. Resolves with what came of it in each thread or process, rejects where one fails. */
  start(signal: AbortSignal): Promise<ChildrenOutcome[][]>;
  /** Ends what still runs. */
  stop(): Promise<void>;
}

/** Processes at most; where there are more children, some share one. */
const processesMax = 16;

const childModule = moduleBeside('demoChild');

/** The children of a task, in a place. */
export function createCrew(place: Place, task: Omit<DemoTask, 'indices'>): Crew {
  switch (place) {
    case 'threads':
      // More threads than cores would only take turns.
      return new ThreadCrew(divide(task, availableParallelism()));
    case 'processes':
      return new ProcessCrew(divide(task, processesMax));
    case 'in-process':
      return new LocalCrew(divide(task, 1));
  }
}

/** The task in so many parts, or as many as there are children. */
function divide(task: Omit<DemoTask, 'indices'>, partsMax: number): DemoTask[] {
  const parts = Math.min(task.children, partsMax);
  const all = Array.from({ length: task.children }, (_, index) => index);
  return Array.from({ length: parts }, (_, part) => ({
    ...task,
    indices: all.filter((index) => index % parts === part),
  }));
}

/** All children beside their coordinator, in one thread. */
class LocalCrew implements Crew {
  readonly transport: InProcessTransport = new InProcessTransport();
  readonly description = "the coordinator's own thread";
  readonly #tasks: readonly DemoTask[];

  constructor(tasks: readonly DemoTask[]) {
    this.#tasks = tasks;
  }

  start(signal: AbortSignal): Promise<ChildrenOutcome[][]> {
    return Promise.all(this.#tasks.map((data) => run({ transport: this.transport, data, signal })));
  }

  /** Without their coordinators they have ended. */
  async stop(): Promise<void> {}
}

/** Children in worker threads, over message ports. */
class ThreadCrew implements Crew {
  readonly transport: WorkerTransport = new WorkerTransport();
  readonly description: string;
  readonly #tasks: readonly DemoTask[];
  #children: readonly ChildInWorker<ChildrenOutcome[]>[] = [];

  constructor(tasks: readonly DemoTask[]) {
    this.#tasks = tasks;
    this.description = tasks.length === 1 ? 'a worker thread' : `${tasks.length} worker threads`;
  }

  start(signal: AbortSignal): Promise<ChildrenOutcome[][]> {
    const { transport } = this;
    this.#children = this.#tasks.map((data) => runChildInWorker(childModule, { transport, data, signal }));
    return Promise.all(this.#children.map(({ result }) => result));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.terminate()));
  }
}

/** Children in processes of their own, over WebSockets that only this machine reaches, and only with the token. */
class ProcessCrew implements Crew {
  readonly transport: WebSocketServerTransport;
  readonly description: string;
  readonly #token = randomBytes(32).toString('hex');
  readonly #tasks: readonly DemoTask[];
  #processes: readonly ChildProcess[] = [];

  constructor(tasks: readonly DemoTask[]) {
    this.#tasks = tasks;
    this.transport = new WebSocketServerTransport({ port: 0, tokens: this.#token });
    this.description = `${tasks.length} processes, over WebSockets`;
  }

  start(): Promise<ChildrenOutcome[][]> {
    const url = `ws://127.0.0.1:${this.transport.address?.port}/`;
    const module = moduleBeside('demoProcess');
    this.#processes = this.#tasks.map((task) => new ChildProcess(module, { url, token: this.#token, task }));
    return Promise.all(this.#processes.map(({ result }) => result));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
  }
}

/** A module of this folder: of src, or as it is built. */
function moduleBeside(name: string): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
}
