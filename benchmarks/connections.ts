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
const crowds = [
  { title: 'gradients', kind: 'gradients', childrenPerConnection: 1 },
  { title: 'streaming merges', kind: 'parameters', childrenPerConnection: 1 },
  { title: 'gradients, 100 children a connection', kind: 'gradients', childrenPerConnection: 100 },
] as const;
/** The parameters of the digits' network, 64-32-10. */
const values = 2_410;
const childUpdatesPerMerge = 100;

const stalledMains = [
  { title: '160 kB', values: 40_000 },
  { title: '4 MB', values: 1_000_000 },
];
const stalledChildren = 20;
const healthyChildren = 5;
const stalledMs = 10_000;

export async function measure(effort: Effort): Promise<Table[]> {
  const rows: string[][] = [];
  for (const crowd of crowds) rows.push(await measureCrowd(crowd, effort.scale));
  return [
    {
      title: 'Many children',
      note: "Children in a second process, all connected at once, each with one update at once after that; heartbeats over 25 s at full scale. MB of the coordinator's whole process (resident set), Node included.",
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

async function measureCrowd(
  { title, kind, childrenPerConnection }: (typeof crowds)[number],
  scale: number,
): Promise<string[]> {
  const count = childUpdatesPerMerge * Math.round(100 * scale);
  const coordinator = startHelper('coordinatorProcess.mjs');
  const children = startHelper('childrenProcess.ts');
  const state = (): Promise<State> => coordinator.ask<State>('state');
  const url = await coordinator.ask<string>('listen', { kind, values, childUpdatesPerMerge });
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
  const perVersion = kind === 'gradients' ? 1 : childUpdatesPerMerge;
  const folded = (updated.version - base.version) * perVersion;
  // What is short of a whole merge waits for the next.
  if (count - folded >= perVersion || traffic.lost > 0 || ended.children !== count || ended.errors > 0)
    throw new Error(
      `${folded} of ${count} updates are in main, ${traffic.lost} connections were lost, ${ended.children} children are there, ${ended.errors} errors`,
    );
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

/** Children that take nothing of what they are sent, while main changes 60 times a second. */
async function measureStalled(scale: number): Promise<Table> {
  const rows: string[][] = [];
  for (const { title, values } of stalledMains) rows.push(await measureStalledAt(title, values, scale));
  return {
    title: 'Children that take nothing',
    note: `${stalledChildren} children go on sending and never read again while main changes 60 times a second, for ${format(stalledMs / 1000)} s at full scale; ${healthyChildren} others send an update every 20 ms. Milliseconds are from \`send\` to the commit.`,
    columns: [
      'main',
      'before, MB',
      'at the end, MB',
      'at most, MB',
      'waits for them, first second, MB',
      'at the end, MB',
      'others without them: median, longest, ms',
      'with them',
    ],
    rows,
  };
}

async function measureStalledAt(title: string, values: number, scale: number): Promise<string[]> {
  const durationMs = Math.max(1_000, stalledMs * scale);
  const coordinator = startHelper('coordinatorProcess.mjs');
  const healthy = startHelper('childrenProcess.ts');
  const stalled = startHelper('childrenProcess.ts');
  const url = await coordinator.ask<string>('listen', { kind: 'gradients', values });
  const crowd: Crowd = { url, values, children: healthyChildren, childrenPerConnection: 1 };
  await healthy.ask('connect', crowd);
  await coordinator.ask('change', { perSecond: 60 });
  const without = await healthy.ask<Latencies>('updateFor', { durationMs });
  await stalled.ask('connectStalled', { ...crowd, children: stalledChildren });
  await healthy.ask('updateFor', { durationMs: 1_000 });
  const before = await coordinator.ask<State>('state');
  const beside = await healthy.ask<Latencies>('updateFor', { durationMs });
  const after = await coordinator.ask<State>('state');
  for (const children of [healthy, stalled]) children.end();
  await coordinator.ask('close');
  coordinator.end();
  const latency = ({ medianMs, longestMs }: Latencies): string => `${format(medianMs)}, ${format(longestMs)}`;
  return [
    title,
    ...[before.rssBytes, after.rssBytes, after.peakBytes, before.waitingBytes, after.waitingBytes].map(
      (bytes) => format(bytes / megabyte),
    ),
    latency(without),
    latency(beside),
  ];
}
