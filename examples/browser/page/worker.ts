// The tab's child. It trains and talks to the coordinator here, so that the page never waits for it.
import { WebSocketTransport } from 'mainstem/websocket';
import type { Assignment } from '../Tab.ts';
import { Tab } from '../Tab.ts';
import type { ToPage, ToWorker } from './messages.ts';

const tell = (message: ToPage): void => postMessage(message);
/** They outlive a connection that has ended for good. */
const drawn: { readonly pixels: readonly number[]; readonly label: number }[] = [];
let tab: Tab | undefined;

async function start(): Promise<void> {
  tell({ type: 'state', state: 'connecting', reason: undefined });
  let assignment: Assignment;
  try {
    assignment = (await (await fetch('/assignment')).json()) as Assignment;
  } catch {
    tell({ type: 'state', state: 'refused', reason: 'the server does not answer' });
    return;
  }
  tab = new Tab(assignment, {
    state: (state, reason) => tell({ type: 'state', state, reason }),
    main: (version) => tell({ type: 'main', version }),
    sent: (count) => tell({ type: 'sent', count }),
  });
  for (const { pixels, label } of drawn) tab.add(pixels, label);
  tell({ type: 'shard', shard: assignment.shard, shards: assignment.shards });
  tell({ type: 'digits', count: tab.digits });
  await tab.run(new WebSocketTransport(`${location.origin.replace(/^http/, 'ws')}/mainstem`));
}

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case 'start':
      void start();
      return;
    case 'guess':
      tell({ type: 'guess', probabilities: tab?.guess(data.pixels) });
      return;
    case 'add':
      drawn.push(data);
      tab?.add(data.pixels, data.label);
      tell({ type: 'digits', count: tab?.digits ?? 0 });
      return;
    case 'leave':
      void tab?.leave();
  }
});
