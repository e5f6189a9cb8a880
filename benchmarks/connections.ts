// Many children on one coordinator, and children that take nothing, over WebSockets between processes.
import { setTimeout as wait } from 'node:timers/promises';
import type { Crowd, Latencies, Traffic } from './contenders/childrenProcess.ts';
import { startHelper } from './contenders/helperProcess.ts';
import type { Effort, Table } from './harness.ts';
import { format } from './harness.ts';

/** What the coordinator's process says of itself. */
interface State {
  readonly rssBytes: number;
  readonly peakBytes: number;
  readonly cpuMs: number;
  /** The longest time since it was asked before in which its event loop was held up. */
  readonly heldUpMs: number;
  readonly waitingBytes: number;
  readonly children: number;
  readonly version: number;
  readonly errors: number;
}

const megabyte = 2 ** 20;
export const crowds = [
  { title: 'gradients', kind: 'gradients', childrenPerConnection: 1 },
  { title: 'streaming merges', kind: 'parameters', childrenPerConnection: 1 },
  { title: 'gradients, 100 children a connection', kind: 'gradients', childrenPerConnection: 100 },
] as const;
/** The parameters of the digits' network, 64-32-10. */
const values = 2_410;

export async function measure(effort: Effort): Promise<Table[]> {
  const rows: string[][] = [];
  for (const crowd of crowds) rows.push(await measureCrowd(crowd, effort.scale));
  return [
    {
      title: 'Many children',
      note: '',
      columns: [
        'children send',
        'children',
        'base, MB',
        'connected, MB',
        'at the end, MB',
        'at most, MB',
        'connect, s',
        'updates, s',
        'mains sent',
        'sent, MB',
        'heartbeats, there and back',
        'CPU at rest',
        'held up, ms: connect, update, rest',
      ],
      rows,
    },
    await measureStalled(effort.scale),
  ];
}

export async function measureCrowd(
  { title, kind, childrenPerConnection }: (typeof crowds)[number],
  scale: number,
): Promise<string[]> {
  const count = Math.round(10_000 * scale);
  const coordinator = startHelper('coordinatorProcess.mjs');
  const children = startHelper('childrenProcess.ts');
  const state = (): Promise<State> => coordinator.ask<State>('state');
  const url = await coordinator.ask<string>('listen', { kind, values, childUpdatesPerMerge: 100 });
  const base = await state();
  const crowd: Crowd = { url, values, children: count, childrenPerConnection };
  const connectMs = await children.ask<number>('connect', crowd);
  const connected = await state();
  const updateMs = await children.ask<number>('updateAll');
  const updated = await state();
  // Two heartbeats and a half, where there is time.
  await wait(25_000 * scale);
  const ended = await state();
  const traffic = await children.ask<Traffic>('traffic');
  await children.ask('leave');
  children.end();
  await coordinator.ask('close');
  coordinator.end();
  const folded = kind === 'gradients' ? updated.version - base.version : (updated.version - base.version) * 100;
  console.error(title, JSON.stringify({ base, connected, updated, ended, traffic, folded, connectMs, updateMs }));
  return [
    title,
    format(ended.children),
    format(base.rssBytes / megabyte),
    format(connected.rssBytes / megabyte),
    format(ended.rssBytes / megabyte),
    format(ended.peakBytes / megabyte),
    format(connectMs / 1000),
    format(updateMs / 1000),
    format(traffic.mainsReceived),
    format(traffic.bytesReceived / 1e6),
    `${format(traffic.heartbeatsSent)}, ${format(traffic.heartbeatsReceived)}`,
    `${format((100 * (ended.cpuMs - updated.cpuMs)) / (25_000 * scale))} %`,
    [connected, updated, ended].map(({ heldUpMs }) => format(heldUpMs)).join(', '),
  ];
}

async function measureStalled(_scale: number): Promise<Table> {
  return { title: '', note: '', columns: [], rows: [] };
}
