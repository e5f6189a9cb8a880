import type { ChildProcess as NodeProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ChildrenOutcome } from './demoChild.ts';
import type { ProcessAnswer, ProcessRequest } from './demoProcess.ts';

const stderrCharactersMax = 2_000;

/** A process that runs demoProcess.ts, with the loaders of this one. */
export class ChildProcess {
  /** What its children have come to. Rejects where they failed, or the process has ended before. */
  readonly result: Promise<ChildrenOutcome[]>;
  readonly #process: NodeProcess;
  readonly #exit: Promise<void>;

  constructor(module: URL, request: ProcessRequest) {
    const started = fork(fileURLToPath(module), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const name = `the process of children ${request.task.indices.join(', ')}`;
    let complaint = '';
    started.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-stderrCharactersMax);
    });
    this.#process = started;
    this.#exit = new Promise((resolve) => {
      started.once('close', () => resolve());
      // It has never begun.
      started.once('error', () => {
        if (started.pid === undefined) resolve();
      });
    });
    this.result = new Promise((resolve, reject) => {
      const fail = (text: string): void => reject(new Error(`${name} ${text}`));
      started.once('message', (answer: ProcessAnswer) => {
        if ('error' in answer) fail(`failed: ${answer.error}`);
        else resolve(answer.outcomes);
      });
      started.once('error', ({ message }) => fail(`cannot be worked with: ${message}`));
      // After what it has sent and said.
      started.once('close', (code, signal) =>
        fail(`has ended before its work was done (${signal ?? `exit code ${code}`})\n${complaint}`.trimEnd()),
      );
    });
    started.send(request, (error) => {
      // Where it has ended already, that says more.
      if (error !== null && started.connected) started.kill('SIGKILL');
    });
  }

  /** Ends it, unless it has ended, and waits for that. */
  async stop(): Promise<void> {
    this.result.catch(() => {});
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGKILL');
    await this.#exit;
  }
}
