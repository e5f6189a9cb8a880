import { writeFile } from 'node:fs/promises';
import { DistributedModelParametersCoordinator } from 'mainstem';
import { writeSafetensors } from 'mainstem/files';
import { UpdateRecorder } from 'mainstem/replay';
import { WebSocketServerTransport } from 'mainstem/websocket';
import { printable } from './format.ts';
import { LogFile } from './LogFile.ts';
import type { Surroundings } from './surroundings.ts';

/** What `mainstem serve` is asked for. */
export interface ServeRequest {
  readonly port: number;
  readonly host: string;
  readonly token: string | undefined;
  /** Updates for each new main; 0: the latest of every child are merged at each. */
  readonly updatesPerMerge: number;
  /** Where main is written at the end. */
  readonly save: string | undefined;
  /** Where all updates are written. */
  readonly log: string | undefined;
}

const reportEveryMs = 1_000;

/** Writes down all updates of a coordinator. */
async function record(
  coordinator: DistributedModelParametersCoordinator,
  options: { readonly childUpdatesPerMerge?: number },
  file: string,
  say: (text: string) => void,
): Promise<UpdateRecorder> {
  const recorder = new UpdateRecorder({
    store: await LogFile.create(file),
    coordinator: { kind: 'parameters', ...options },
    onError: (error) => say(`! ${printable(error.message)}`),
  });
  coordinator.use(recorder);
  return recorder;
}

/** Merges what children send, until the signal aborts; then lets them go and says what came of it. */
export async function serve(request: ServeRequest, { stdout, clock, signal }: Surroundings): Promise<void> {
  const { port, host, token, updatesPerMerge, save, log } = request;
  const options = updatesPerMerge === 0 ? {} : { childUpdatesPerMerge: updatesPerMerge };
  const coordinator = new DistributedModelParametersCoordinator(options);
  const say = (text: string): void => void stdout.write(`${text}\n`);
  const recorder = log === undefined ? undefined : await record(coordinator, options, log, say);
  let updates = 0;
  let reportedMs = Number.NEGATIVE_INFINITY;
  coordinator.on('childJoined', ({ childId }) => say(`+ ${printable(childId)} has joined`));
  coordinator.on('childLeft', ({ childId }) => say(`- ${printable(childId)} has left`));
  coordinator.on('updateRejected', ({ childId, reason }) =>
    say(`! ${printable(childId ?? 'a stranger')}: ${clip(reason.message)}`),
  );
  coordinator.on('error', (error) => say(`! ${printable(error.message)}`));
  coordinator.on('updateReceived', () => {
    updates++;
  });
  coordinator.on('mainUpdated', ({ version }) => {
    if (clock.now() - reportedMs < reportEveryMs) return;
    reportedMs = clock.now();
    say(`  main ${version}, ${updates} updates, ${coordinator.children.length} children`);
  });
  const transport = new WebSocketServerTransport({
    port,
    host,
    ...(token !== undefined && { tokens: token }),
  });
  await coordinator.listen(transport);
  const url = `ws://${host}:${transport.address?.port ?? port}/`;
  say(`listening on ${url}${token === undefined ? ', for anybody who can reach it' : ', with a token'}`);
  say(`in another terminal: mainstem join ${url} --data rows.csv --label column`);
  await aborted(signal);
  say('\nclosing');
  await coordinator.close();
  say(`main ${coordinator.version} from ${updates} updates`);
  await recorder?.flush();
  if (save === undefined || coordinator.version === 0) return;
  await writeFile(save, writeSafetensors(coordinator.getMainModelParameters()));
  say(`written to ${save}; mainstem inspect ${save} shows it`);
}

/** One line of a stranger's text. */
function clip(text: string): string {
  return printable(text.length <= 100 ? text : `${text.slice(0, 100)}…`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
