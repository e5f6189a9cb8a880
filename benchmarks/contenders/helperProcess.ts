// Another process that is asked one thing at a time over IPC.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A process that answers. */
export interface HelperProcess {
  /** Rejects where the process fails or ends. */
  ask<Answer>(name: string, task?: object): Promise<Answer>;
  end(): void;
}

/** Starts a module of this folder; TypeScript with tsx, JavaScript as it is. */
export function startHelper(fileName: string, nodeArguments: readonly string[] = []): HelperProcess {
  const execArgv = fileName.endsWith('.ts') ? ['--import', 'tsx', ...nodeArguments] : [...nodeArguments];
  const helper = fork(fileURLToPath(new URL(fileName, import.meta.url)), { execArgv });
  return {
    ask: (name, task = {}) =>
      new Promise((resolve, reject) => {
        const fail = (): void => reject(new Error(`${fileName} ended while it was asked for ${name}`));
        helper.once('exit', fail);
        helper.once('message', ({ answer }: { answer: never }) => {
          helper.removeListener('exit', fail);
          resolve(answer);
        });
        helper.send({ name, task });
      }),
    end: () => helper.kill(),
  };
}

/** The other side: answers what is asked. What fails ends the process. */
export function answerAll(answers: Record<string, (task: never) => unknown>): void {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ name, task }: { name: string; task: never }) => {
    Promise.resolve(answers[name]?.(task)).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
