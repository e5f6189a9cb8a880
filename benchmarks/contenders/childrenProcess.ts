// Many children in one process. Does what it is told over IPC.
import assert from 'node:assert/strict';
import type { ClientTransport, Connection } from 'mainstem';
import { Child, SharedConnection, systemClock } from 'mainstem';
import { WebSocketTransport } from 'mainstem/websocket';
import { answerAll } from './helperProcess.ts';
import { StallingProxy } from './StallingProxy.ts';
import { stubModel } from './stubModel.ts';

/** Children to connect, all at once. */
export interface Crowd {
  readonly url: string;
  readonly values: number;
  readonly children: number;
  /** 1: each has a connection of its own. */
  readonly childrenPerConnection: number;
}

/** What has come to all children, and what became of their connections. */
export interface Traffic {
  heartbeatsReceived: number;
  heartbeatsSent: number;
  mainsReceived: number;
  bytesReceived: number;
  lost: number;
}

/** Milliseconds from `send` to the commit. */
export interface Latencies {
  readonly medianMs: number;
  readonly longestMs: number;
  readonly count: number;
}

const kindAt = 3;
const heartbeatKind = 0;
const mainKind = 24;
const headerBytes = 32;
const children: Child[] = [];
const proxies: StallingProxy[] = [];
const traffic: Traffic = {
  heartbeatsReceived: 0,
  heartbeatsSent: 0,
  mainsReceived: 0,
  bytesReceived: 0,
  lost: 0,
};
/** One thread plays all of them: what it has not come to yet is not the coordinator's fault. */
const connectTimeoutMs = 120_000;
let isLeaving = false;

/** Counts the frames of a connection. */
function counted(transport: ClientTransport): ClientTransport {
  const over = (connection: Connection): Connection => ({
    peer: connection.peer,
    get bufferedBytes() {
      return connection.bufferedBytes;
    },
    send(bytes) {
      // A heartbeat is a header alone, and more than that where it announces a lease.
      if (bytes[kindAt] === heartbeatKind && bytes.length === headerBytes) traffic.heartbeatsSent++;
      connection.send(bytes);
    },
    receive: (handlers) =>
      connection.receive({
        frame(bytes) {
          traffic.bytesReceived += bytes.length;
          if (bytes[kindAt] === heartbeatKind) traffic.heartbeatsReceived++;
          if (bytes[kindAt] === mainKind) traffic.mainsReceived++;
          handlers.frame(bytes);
        },
        drained: () => handlers.drained(),
        closed: (error) => handlers.closed(error),
      }),
    close: () => connection.close(),
  });
  return { connect: async () => over(await transport.connect()) };
}

async function connect({ url, values, children: count, childrenPerConnection }: Crowd): Promise<number> {
  const model = stubModel(values);
  const beganMs = systemClock.now();
  const first = children.length;
  const open = (): ClientTransport => counted(new WebSocketTransport({ url, connectTimeoutMs }));
  let transport = open();
  const joining: Promise<Child>[] = [];
  for (let i = 0; i < count; i++) {
    if (childrenPerConnection > 1 && i % childrenPerConnection === 0)
      transport = new SharedConnection(open());
    joining.push(
      Child.connect({ transport, model, childId: `child-${process.pid}-${first + i}`, connectTimeoutMs }),
    );
  }
  for (const child of await Promise.all(joining)) {
    child.on('disconnected', () => {
      if (!isLeaving) traffic.lost++;
    });
    children.push(child);
  }
  return systemClock.now() - beganMs;
}

/** Each child sends an update, all at once. Resolves with how long it took until the last was committed. */
async function updateAll(): Promise<number> {
  const beganMs = systemClock.now();
  await Promise.all(
    children.map(async (child) => {
      const receipt = await child.send();
      assert.match(receipt.status, /applied|accepted/);
      await receipt.committed;
    }),
  );
  return systemClock.now() - beganMs;
}

/** Each child sends one update after another for so long. */
async function updateFor({ durationMs }: { durationMs: number }): Promise<Latencies> {
  const untilMs = systemClock.now() + durationMs;
  const took: number[] = [];
  await Promise.all(
    children.map(async (child) => {
      while (systemClock.now() < untilMs) {
        const beganMs = systemClock.now();
        await (await child.send()).committed;
        took.push(systemClock.now() - beganMs);
        // Not as fast as it can: it is how long one takes that matters.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }),
  );
  took.sort((a, b) => a - b);
  return { medianMs: took[took.length >> 1] ?? 0, longestMs: took.at(-1) ?? 0, count: took.length };
}

answerAll({
  connect,
  updateAll,
  updateFor,
  traffic: (): Traffic => ({ ...traffic }),
  /** Connects each child over a proxy that then takes nothing more from the coordinator, and goes on sending. */
  async connectStalled(crowd: Crowd): Promise<void> {
    for (let i = 0; i < crowd.children; i++) {
      const proxy = new StallingProxy(Number(new URL(crowd.url).port));
      proxies.push(proxy);
      await connect({ ...crowd, url: await proxy.listen(), children: 1 });
      proxy.stall();
    }
  },
  async leave(): Promise<void> {
    isLeaving = true;
    for (const child of children.splice(0)) await child.leave();
    for (const proxy of proxies.splice(0)) proxy.close();
  },
});
