// The code of a process that has some of the demo's children. What it needs, and what came of it, travel over the
// channel to whoever started it: a token in the arguments could be read by everybody on the machine.
import { WebSocketTransport } from 'mainstem/websocket';
import type { ChildrenOutcome, DemoTask } from './demoChild.ts';
import { run } from './demoChild.ts';

/** What the process is sent. */
export interface ProcessRequest {
  readonly url: string;
  readonly token: string;
  readonly task: DemoTask;
}

/** What it answers, before it ends. */
export type ProcessAnswer = { readonly outcomes: ChildrenOutcome[] } | { readonly error: string };

const abort = new AbortController();

async function answerTo({ url, token, task }: ProcessRequest): Promise<ProcessAnswer> {
  try {
    const transport = new WebSocketTransport({ url, token });
    return { outcomes: await run({ transport, data: task, signal: abort.signal }) };
  } catch (thrown) {
    return { error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

// Ctrl-C reaches all processes in a terminal. This one belongs to another, which ends it.
process.on('SIGINT', () => {});
// Whoever started it has gone, however that came.
process.once('disconnect', () => process.exit());
process.once('message', (request: ProcessRequest) => {
  void answerTo(request).then((answer) => process.send?.(answer, () => process.disconnect()));
});
