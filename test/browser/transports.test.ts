import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { ServerTransport } from 'mainstem';
import { DistributedModelParametersCoordinator } from 'mainstem';
import { HttpServerTransport } from 'mainstem/http';
import { WebSocketServerTransport } from 'mainstem/websocket';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { PageFiles } from '../../examples/browser/files.ts';
import { buildPage } from '../../examples/browser/files.ts';
import type { Federation } from './pages/federation.ts';
import type { WatchedPage } from './support.ts';
import { closeServer, describeInChromium, launch, openPage, serve, sources, timeoutMs } from './support.ts';

declare const federation: Federation;

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; img-src 'self'";
const policyWithoutWasm = policy.replace(" 'wasm-unsafe-eval'", '');
const html =
  '<!doctype html><link rel="icon" href="/icon.svg"><script type="module" src="/federation.js"></script>';

describeInChromium('the transports of browsers', () => {
  let browser: Browser;
  let files: PageFiles;
  let server: Server;
  let url: string;

  beforeAll(async () => {
    const modules = {
      '/federation.js': file('pages/federation.ts'),
      '/childModule.js': file('pages/childModule.ts'),
      // Found by their addresses, next to the code that starts them.
      '/entry.js': file('../../src/transport/worker/entry.ts'),
      '/worker.js': file('../../src/threads/worker.ts'),
    };
    const built = await buildPage({ modules, alias: sources });
    files = new Map([...built, ['/', { type: 'text/html', content: html }]]);
    browser = await launch();
  }, timeoutMs);

  afterAll(() => browser?.close());

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await closeServer(server);
  }, timeoutMs);

  async function open(contentPolicy: string = policy): Promise<WatchedPage> {
    ({ server, url } = await serve(files, contentPolicy));
    const opened = await openPage(browser, url);
    await opened.page.waitForFunction(() => 'federation' in globalThis);
    return opened;
  }

  async function coordinate(transport: ServerTransport): Promise<DistributedModelParametersCoordinator> {
    const coordinator = new DistributedModelParametersCoordinator();
    await coordinator.listen(transport);
    return coordinator;
  }

  for (const kind of ['webSocket', 'http'] as const) {
    test(`${kind}: a page with a token trains one round, and main is what it sent`, async () => {
      const { page, problems } = await open();
      const options = { server, path: '/mainstem', tokens: 'a token' };
      const transport =
        kind === 'http' ? new HttpServerTransport(options) : new WebSocketServerTransport(options);
      const coordinator = await coordinate(transport);
      const address = `${kind === 'http' ? url : url.replace(/^http/, 'ws')}mainstem`;
      const sent = await page.evaluate(([name, to]) => federation.join(name, to, 'a token'), [
        kind,
        address,
      ] as const);
      expect([...coordinator.getMainModelParameters().values]).toEqual(sent);
      expect(sent.some((value) => value !== 0)).toBe(true);
      expect(problems).toEqual([]);
      const refusal = page.evaluate(([name, to]) => federation.join(name, to, 'another'), [
        kind,
        address,
      ] as const);
      await expect(refusal).rejects.toThrow(/the server refuses|does not accept this token/);
      await coordinator.close();
    });
  }

  test('http: a page of another origin may train where the server lets it, and not elsewhere', async () => {
    const { page } = await open(policy.replace("connect-src 'self'", 'connect-src *'));
    const join = (address: string): Promise<number[]> =>
      page.evaluate((to) => federation.join('http', to, 'a token'), address);
    for (const isAllowed of [true, false]) {
      const origin = isAllowed ? new URL(url).origin : 'https://elsewhere.example';
      const transport = new HttpServerTransport({ port: 0, tokens: 'a token', allowedOrigins: [origin] });
      const coordinator = await coordinate(transport);
      const address = `http://127.0.0.1:${transport.address!.port}/mainstem`;
      if (isAllowed) {
        const sent = await join(address);
        expect([...coordinator.getMainModelParameters().values]).toEqual(sent);
      } else {
        await expect(join(address)).rejects.toThrow(/Failed to fetch|cannot be reached|403/);
        expect(coordinator.version).toBe(0);
      }
      await coordinator.close();
    }
  });

  test('worker: a child in a Web Worker brings main to where this thread would', async () => {
    const { page, problems } = await open();
    const { main, expected, kernels, children } = await page.evaluate(() => federation.worker());
    expect(children).toEqual(['worker']);
    expect(main).toEqual(expected);
    expect(kernels).toMatch(/simd/i);
    expect(problems).toEqual([]);
  });

  test('threads: a page that is isolated from other origins trains on two', async () => {
    const { page, problems } = await open();
    const alone = await page.evaluate(() => federation.train());
    const { threads, message, cost } = await page.evaluate(() => federation.threads());
    expect(threads, message).toBe(2);
    expect(cost).toBeCloseTo(alone.cost, 4);
    expect(problems).toEqual([]);
  });

  test('a policy that forbids WebAssembly leaves the reference kernels, and they train the same', async () => {
    const { page, problems } = await open();
    const fast = await page.evaluate(() => federation.train());
    expect(fast.kernels).toMatch(/simd/i);
    expect(problems).toEqual([]);
    await closeServer(server);
    const strict = await open(policyWithoutWasm);
    const slow = await strict.page.evaluate(() => federation.train());
    expect(slow.kernels).toBe('reference');
    expect(slow.cost).toBeCloseTo(fast.cost, 4);
    // The browser says once that it was asked, and not at each training.
    for (let n = 0; n < 3; n++) await strict.page.evaluate(() => federation.train());
    expect(strict.problems.length).toBeLessThanOrEqual(2);
  });
});
