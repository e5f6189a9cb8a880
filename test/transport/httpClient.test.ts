import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MainstemError } from 'mainstem';
import {
  Child,
  ConnectionRefusedError,
  DistributedGradientsCoordinator,
  LinearRegression,
  seededRandom,
} from 'mainstem';
import { HttpServerTransport, HttpTransport } from 'mainstem/http';
import { VirtualClock } from 'mainstem/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/transport/Transport.ts';
import { numbersOf, parametersOf } from '../coordinators/helpers.ts';
import { type CleanUps, listening, urlOf, watchedTransport } from './httpSupport.ts';
import { until } from './webSocketSupport.ts';

const cleanUps: CleanUps = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const rows = [[1], [2], [3]];
const labels = [3, 5, 7];
const once = { maximumNumberOfIterations: 1 };

/** Lets virtual time pass whenever nothing else happens, as long as the test runs. */
function keepRunning(clock: VirtualClock): void {
  let isRunning = true;
  cleanUps.push(() => {
    isRunning = false;
  });
  const step = (): void => {
    if (!isRunning) return;
    clock.advance(5);
    setImmediate(step);
  };
  step();
}

/** Main after so many updates of one child, as direct calls make it. */
function mainAfter(updates: number): number[] {
  const direct = new DistributedGradientsCoordinator();
  direct.setModelParameters(parametersOf(0, 0));
  const model = new LinearRegression();
  model.setAreGradientsSaved(true);
  for (let i = 0; i < updates; i++) {
    model.setModelParameters(direct.getModelParameters());
    model.train(rows, labels, once);
    direct.addGradients(model.getGradients());
  }
  return numbersOf(direct.getModelParameters());
}

async function served(): Promise<{ coordinator: DistributedGradientsCoordinator; url: string }> {
  const coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(parametersOf(0, 0));
  const server = new HttpServerTransport({ port: 0 });
  await coordinator.listen(server);
  cleanUps.push(() => coordinator.close());
  return { coordinator, url: urlOf(server) };
}

/** Records how a connection ends. */
function endsOf(connection: Connection): (MainstemError | undefined)[] {
  const ends: (MainstemError | undefined)[] = [];
  connection.receive({ frame() {}, drained() {}, closed: (error) => ends.push(error) });
  return ends;
}

describe('HttpTransport', () => {
  test('a third of all requests and of all answers is lost: nothing is, and nothing counts twice', async () => {
    const { coordinator, url } = await served();
    const random = seededRandom(3);
    let lost = 0;
    const clock = new VirtualClock();
    const transport = watchedTransport(
      url,
      async (request, go) => {
        // Three in a row would be a cut, which is another test's.
        const fate = request.endsWith('/connect') || lost % 3 === 2 ? 1 : random.next();
        lost = fate < 0.6 ? lost + 1 : 0;
        if (fate < 0.3) throw new TypeError('fetch failed');
        const response = await go();
        if (fate < 0.6) throw new TypeError('terminated');
        return response;
      },
      { clock },
    );
    keepRunning(clock);
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    cleanUps.push(() => child.leave());
    const cuts: unknown[] = [];
    child.on('disconnected', (error) => cuts.push(error));
    for (let i = 0; i < 15; i++) {
      const { receipt } = await child.train(rows, labels, once);
      expect(receipt.status).toBe('applied');
      await receipt.committed;
      await until(() => child.version === coordinator.version);
    }
    expect(cuts).toEqual([]);
    expect(numbersOf(coordinator.getModelParameters())).toEqual(mainAfter(15));
  });

  test('a server that is gone breaks the connection, and the child comes back', async () => {
    const { coordinator, url } = await served();
    let isDown = false;
    const clock = new VirtualClock();
    keepRunning(clock);
    const transport = watchedTransport(
      url,
      (_request, go) => (isDown ? Promise.reject(new TypeError('fetch failed')) : go()),
      { clock },
    );
    const child = await Child.connect({
      transport,
      model: new LinearRegression(),
      childId: 'a',
      reconnect: { initialMs: 5, maxMs: 20 },
    });
    cleanUps.push(() => child.leave());
    const events: string[] = [];
    child.on('disconnected', ({ code }) => events.push(code));
    child.on('reconnected', () => events.push('reconnected'));
    isDown = true;
    const training = child.train(rows, labels, once);
    await until(() => events.length === 1);
    isDown = false;
    await (await training).receipt.committed;
    expect(events).toEqual(['CONNECTION_BROKEN', 'reconnected']);
    expect(numbersOf(coordinator.getModelParameters())).toEqual(mainAfter(1));
  });

  test('a round costs a push and a pull, whatever is sent in it', async () => {
    const { coordinator, url } = await served();
    const requests: string[] = [];
    const transport = watchedTransport(url, (request, go) => {
      requests.push(request.replace(/\/[\w-]{24}/, '').replace(/\?.*/, ''));
      return go();
    });
    const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
    cleanUps.push(() => child.leave());
    await until(() => requests.length >= 4);
    const before = requests.length;
    for (let i = 0; i < 10; i++) {
      const { receipt } = await child.train(rows, labels, once);
      await receipt.committed;
      await until(() => child.version === coordinator.version);
    }
    const counts = new Map<string, number>();
    for (const request of requests.slice(before)) counts.set(request, (counts.get(request) ?? 0) + 1);
    expect(counts.get('POST /push')).toBe(10);
    // The receipt and main may come in one answer or in two.
    expect(counts.get('GET /pull')).toBeLessThanOrEqual(20);
  });

  test('answers that are not from mainstem: typed errors, whatever they are', async () => {
    let answer: { status: number; body: string; headers: Record<string, string> };
    const server = createServer((request, response) => {
      const isConnect = request.url?.endsWith('/connect') === true;
      const { status, headers, body } = isConnect
        ? { status: 201, headers: { 'mainstem-connection': 'abc' }, body: '' }
        : answer;
      response.writeHead(status, headers);
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const codes: (string | undefined)[] = [];
    for (const given of [
      { status: 404, body: 'no', headers: {} },
      { status: 200, body: 'hello', headers: { 'mainstem-first': '1' } },
      { status: 200, body: 'hello', headers: {} },
      { status: 302, body: '', headers: { location: 'x' } },
      { status: 418, body: '{"error":{"message":7}}', headers: {} },
      { status: 200, body: 'x'.repeat(2 ** 23 + 1), headers: { 'mainstem-first': '1' } },
      { status: 204, body: '', headers: { 'mainstem-closed': '1' } },
    ]) {
      answer = given;
      const clock = new VirtualClock();
      keepRunning(clock);
      const ends = endsOf(await new HttpTransport({ url, clock }).connect());
      await until(() => ends.length > 0);
      codes.push(ends[0]?.code);
    }
    expect(codes).toEqual([
      'CONNECTION_CLOSED',
      'MALFORMED_DATA',
      'MALFORMED_DATA',
      'CONNECTION_BROKEN',
      'CONNECTION_REFUSED',
      'LIMIT_EXCEEDED',
      undefined,
    ]);
  });

  test('nobody listens, or somebody else does', async () => {
    await expect(new HttpTransport('http://127.0.0.1:1').connect()).rejects.toThrow(ConnectionRefusedError);
    const { url } = await listening(cleanUps);
    await expect(new HttpTransport(`${url}/x`).connect()).rejects.toThrow(/HTTP 404/);
  });
});
