// Updates over WebSockets between two processes: the whole road to the acknowledgement, beside bare sockets.
import { startHelper } from './contenders/helperProcess.ts';
import type { Task } from './contenders/wireClient.ts';
import type { Contender, Effort, Table } from './harness.ts';
import { compare, format } from './harness.ts';

const sizes = [
  { title: '1 KiB', values: 256, count: 8_000 },
  { title: '40 KiB', values: 10_240, count: 800 },
  { title: '4 MiB', values: 1_048_576, count: 16 },
];

const ways = ['bare', 'road', 'zeroMask', 'json'] as const;

interface Load {
  readonly values: number;
  readonly messages: number;
  readonly connections: number;
}

export async function measure(effort: Effort): Promise<Table[]> {
  const rows: string[][] = [];
  for (const connections of [1, 100])
    for (const { title, values, count } of sizes) {
      // 100 × 4 MiB on their way at once would measure the memory.
      if (connections === 100 && values > 100_000) continue;
      const messages = Math.max(2, Math.round((count * effort.scale) / connections));
      const figures = await measureLoad({ values, messages, connections }, effort);
      rows.push([title, String(connections), ...figures]);
    }
  return [
    {
      title: 'The wire',
      note: 'Updates a second over WebSockets on the loopback device, children in one process, the coordinator in another: gradients of float32, each framed, decoded, admitted, folded into main, committed and acknowledged. Bare: masked messages of the same bytes by `ws`, received and dropped. Each way has two processes of its own, so that none sweeps up after another. Ratios are to bare; the last column is to JSON arrays over `ws`, parsed.',
      columns: ['update', 'connections', 'bare', 'mainstem', 'ratio', 'with a zero mask', 'to JSON'],
      rows,
    },
  ];
}

async function measureLoad(load: Load, effort: Effort): Promise<string[]> {
  const pairs = await Promise.all(ways.map((way) => startPair(way, load)));
  try {
    const [bare, road, zeroMask, json] = await compare(
      pairs.map(({ contender }) => contender),
      effort,
    );
    const rate = (ms: number): string => format(1000 / ms);
    return [
      rate(bare!.ms),
      rate(road!.ms),
      `${format(road!.ratio)} (bar 0.7)`,
      `${format(zeroMask!.ratio)}`,
      `${format(road!.ratio / json!.ratio)} (bar 15)`,
    ];
  } finally {
    for (const { end } of pairs) end();
  }
}

/** A server's process and a client's, which has sent once. */
async function startPair(
  way: Task['way'],
  { values, messages, connections }: Load,
): Promise<{ contender: Contender; end: () => void }> {
  const isBare = way === 'bare' || way === 'json';
  const server = startHelper(isBare ? 'bareServer.mjs' : 'coordinatorProcess.mjs');
  const url = await server.ask<string>('listen', { kind: 'gradients', values });
  const client = startHelper('wireClient.ts');
  // JSON is slow: a tenth of it takes long enough.
  const count = way === 'json' ? Math.max(1, Math.round(messages / 10)) : messages;
  const task: Task = { way, url, values, count, connections };
  const run = (): Promise<void> => client.ask('send', task);
  await run();
  return {
    contender: { name: way, run, units: count * connections },
    end: () => {
      client.end();
      server.end();
    },
  };
}
