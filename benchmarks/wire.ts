// Updates over WebSockets between two processes: the whole road to the acknowledgement, beside bare sockets.
import { fork } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { DistributedGradientsCoordinator, ModelParameters, ParameterLayout } from 'mainstem';
import { WebSocketServerTransport } from 'mainstem/websocket';
import { WebSocketServer } from 'ws';
import type { Task } from './contenders/wireClient.ts';
import type { Contender, Effort, Table } from './harness.ts';
import { compare, format } from './harness.ts';

const sizes = [
  { title: '1 KiB', values: 256, count: 8_000 },
  { title: '40 KiB', values: 10_240, count: 800 },
  { title: '4 MiB', values: 1_048_576, count: 16 },
];

export async function measure(effort: Effort): Promise<Table[]> {
  const client = fork(fileURLToPath(new URL('contenders/wireClient.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });
  const ask = (task: Task): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error('the children have died'));
      client.once('exit', fail);
      client.once('message', () => {
        client.removeListener('exit', fail);
        resolve();
      });
      client.send(task);
    });
  const bare = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  bare.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      const text = String(data);
      if (text === 'done') socket.send('done');
      else Float32Array.from(JSON.parse(text) as number[]);
    });
  });
  await new Promise((resolve) => bare.once('listening', resolve));
  const bareUrl = `ws://127.0.0.1:${(bare.address() as AddressInfo).port}/`;
  const rows: string[][] = [];
  for (const connections of [1, 100])
    for (const { title, values, count } of sizes) {
      // 100 × 4 MiB on their way at once would measure the memory.
      if (connections === 100 && values > 100_000) continue;
      const coordinator = new DistributedGradientsCoordinator();
      const layout = new ParameterLayout([{ name: 'weights', shape: [values] }]);
      coordinator.setModelParameters(new ModelParameters(layout, new Float32Array(values)));
      const server = new WebSocketServerTransport({ port: 0 });
      await coordinator.listen(server);
      const url = `ws://127.0.0.1:${server.address?.port}/`;
      const each = Math.max(2, Math.round((count * effort.scale) / connections));
      const contender = (way: Task['way'], share = 1): Contender => {
        const messages = Math.max(1, Math.round(each * share));
        const to = way === 'bare' || way === 'json' ? bareUrl : url;
        const task = { way, url: to, values, count: messages, connections };
        return { name: way, run: () => ask(task), units: messages * connections };
      };
      const contenders = [
        contender('bare'),
        contender('road'),
        contender('zeroMask'),
        contender('json', 0.1),
      ];
      for (const { run } of contenders) await run();
      const [one, road, zeroMask, json] = await compare(contenders, effort);
      const rate = (ms: number): string => format(1000 / ms);
      rows.push([
        title,
        String(connections),
        rate(one!.ms),
        rate(road!.ms),
        `${format(road!.ratio)} (bar 0.7)`,
        `${format(zeroMask!.ratio)}`,
        `${format(road!.ratio / json!.ratio)} (bar 15)`,
      ]);
      await coordinator.close();
    }
  client.kill();
  bare.close();
  return [
    {
      title: 'The wire',
      note: 'Updates a second over WebSockets on the loopback device, children in one process, the coordinator in another: gradients of float32, each framed, decoded, admitted, folded into main, committed and acknowledged. Bare: masked messages of the same bytes by `ws`, received and dropped. Ratios are to bare; the last column is to JSON arrays over `ws`, parsed.',
      columns: ['update', 'connections', 'bare', 'mainstem', 'ratio', 'with a zero mask', 'to JSON'],
      rows,
    },
  ];
}
