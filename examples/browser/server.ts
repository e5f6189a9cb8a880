// Serves the page and owns main. Pages come to it over one port: files, a shard of digits, news of main, and a WebSocket.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DistributedGradientsCoordinator } from 'mainstem';
import type { UpgradeRequest } from 'mainstem/websocket';
import { WebSocketServerTransport } from 'mainstem/websocket';
import { heldOut, shardOf } from './digits.ts';
import type { PageFiles } from './files.ts';
import { createModel, toFeatures } from './model.ts';
import type { ProgressReport } from './Progress.ts';
import { Progress } from './Progress.ts';
import type { Assignment } from './Tab.ts';

/** Options of startServer. */
export interface ServerOptions {
  files: PageFiles;
  /** 0 takes a free one. */
  port: number;
  /** `127.0.0.1` unless given: this machine only. `0.0.0.0` for the telephones in the room. */
  host?: string;
  /** Time between two gradients of a tab, in milliseconds; 150. */
  everyMs?: number;
  /** A tab that is gone for so long has left, in milliseconds; 3,000. */
  resumeMs?: number;
}

/** A server that is running. */
export interface ExampleServer {
  readonly url: string;
  readonly coordinator: DistributedGradientsCoordinator;
  /** Evaluates main. */
  progress(): ProgressReport;
  /** Tabs come back after `returnAfterMs`, or not at all. */
  close(returnAfterMs?: number): Promise<void>;
}

const shards = 8;
const evaluateEveryMs = 200;

/** Only what this server sends is run, and the page talks to nobody else. WebAssembly is what the kernels are made of. */
const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

function send(response: ServerResponse, status: number, type: string, content: string | Uint8Array): void {
  response.writeHead(status, { ...headers, 'content-type': type });
  response.end(content);
}

/** A page of another site must not train here with the visitor's browser. Programs have no origin. */
function isOwnPage({ headers: { origin, host } }: UpgradeRequest): boolean {
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}

function startMain(resumeMs: number): DistributedGradientsCoordinator {
  const coordinator = new DistributedGradientsCoordinator({
    optimizer: 'adam',
    learningRate: 0.004,
    resumeMs,
  });
  coordinator.setModelParameters(createModel().getModelParameters());
  return coordinator;
}

/** Deals the shards out in turn. */
function dealer(everyMs: number): () => Assignment {
  let dealt = 0;
  return () => {
    const shard = dealt++ % shards;
    return { childId: `tab-${randomUUID()}`, shard, shards, everyMs, ...shardOf(shard, shards) };
  };
}

/** Starts a server. Rejects where the port is taken. */
export async function startServer(options: ServerOptions): Promise<ExampleServer> {
  const { files, port, host = '127.0.0.1', everyMs = 150, resumeMs = 3_000 } = options;
  const coordinator = startMain(resumeMs);
  const judge = createModel();
  const heldOutFeatures = heldOut.pixels.map(toFeatures);
  const history = new Progress();
  const progress = (): ProgressReport => {
    if (coordinator.version !== history.latest?.[0]) {
      judge.setModelParameters(coordinator.getModelParameters());
      history.add(coordinator.version, judge.score(heldOutFeatures, heldOut.labels));
    }
    return history.report(coordinator.children.length);
  };
  const deal = dealer(everyMs);
  const http = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '/';
    const file = files.get(path);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      send(response, 405, 'text/plain', 'GET only\n');
    else if (file !== undefined) send(response, 200, file.type, file.content);
    else if (path === '/progress') send(response, 200, 'application/json', JSON.stringify(progress()));
    else if (path === '/assignment') send(response, 200, 'application/json', JSON.stringify(deal()));
    else send(response, 404, 'text/plain', 'not here\n');
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, resolve);
  });
  await coordinator.listen(
    new WebSocketServerTransport({ server: http, path: '/mainstem', authenticate: isOwnPage }),
  );
  const evaluation = setInterval(progress, evaluateEveryMs);
  return {
    url: `http://${host === '0.0.0.0' ? 'localhost' : host}:${(http.address() as AddressInfo).port}/`,
    coordinator,
    progress,
    close: async (returnAfterMs) => {
      clearInterval(evaluation);
      await coordinator.close({ returnAfterMs: returnAfterMs ?? null });
      await new Promise((resolve) => {
        http.close(resolve);
        http.closeAllConnections();
      });
    },
  };
}
