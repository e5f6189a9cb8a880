import { execSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  Child,
  type DistributedGradientsCoordinator,
  defaultCoordinatorLimits,
  LinearRegression,
  ModelParameters,
} from 'mainstem';
import { WebSocketTransport } from 'mainstem/websocket';
import { afterEach, describe, expect, test } from 'vitest';
import { createCoordinator, listenOn } from '../examples/exposed/coordinator.ts';
import { TokenBook } from '../examples/exposed/TokenBook.ts';
import { silentLogger } from '../src/logger.ts';
import { httpLimits, webSocketLimits } from '../src/transport/limits.ts';
import { selfSigned } from './transport/selfSigned.ts';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');
const security = read('docs/security.md');
const stability = read('docs/stability.md');

const blocks = (markdown: string, language: string): string[] =>
  [...markdown.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(
    ([, text]) => text as string,
  );

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** The lines of docs/security.md that give a server TLS. */
async function listenWithTls(
  coordinator: DistributedGradientsCoordinator,
  book: TokenBook,
  { key, cert }: { key: string; cert: string },
): Promise<number> {
  const [port, host] = [0, '127.0.0.1'];
  const server = createServer({ key, cert });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const listener = await listenOn(coordinator, server, book);
  cleanUps.push(
    () => server.close(),
    () => listener.close(),
  );
  return (server.address() as AddressInfo).port;
}

describe('docs/security.md', () => {
  test('its code is that of the example, which runs, and of this test', () => {
    const names = ['TokenBook.ts', 'coordinator.ts', 'index.ts'];
    const sources = [...names.map((name) => read(`examples/exposed/${name}`)), read('test/docs.test.ts')];
    const plain = (text: string): string => text.replace(/^ +/gm, '');
    for (const block of blocks(security, 'ts'))
      expect(
        sources.some((source) => plain(source).includes(plain(block))),
        block,
      ).toBe(true);
    expect(blocks(security, 'ts')).toHaveLength(7);
  });

  test('its command makes a token of 32 bytes', () => {
    const [command = ''] = blocks(security, 'sh');
    const make = (): string => execSync(command, { encoding: 'utf8' }).trim();
    const token = make();
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(make()).not.toBe(token);
  });

  test('a child joins over TLS, with its token alone', async () => {
    const coordinator = createCoordinator(silentLogger);
    coordinator.setModelParameters(ModelParameters.fromArrays({ weights: [[0]], bias: [0] }));
    const book = new TokenBook();
    const port = await listenWithTls(coordinator, book, selfSigned());
    const join = (scheme: string, token: string): Promise<Child> =>
      Child.connect({
        transport: new WebSocketTransport({ url: `${scheme}://127.0.0.1:${port}/mainstem`, token }),
        model: new LinearRegression(),
        childId: 'shard-7',
      });
    const token = book.issue('shard-7');
    // Nobody vouches for this certificate, and a child notices.
    await expect(join('wss', token)).rejects.toThrow(/self-signed/);
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const child = await join('wss', token);
      const { receipt } = await child.train([[1]], [1], { maximumNumberOfIterations: 1 });
      await receipt.committed;
      expect(coordinator.version).toBe(2);
      await expect(join('wss', 'another')).rejects.toThrow(/HTTP 401/);
      await expect(join('ws', token)).rejects.toThrow();
      await child.leave();
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
    await coordinator.close();
  });

  test('its limits are those of the code', () => {
    const limits: Record<string, number> = {
      ...defaultCoordinatorLimits,
      connectionsPerAddressMax: webSocketLimits.connectionsPerAddressMax,
      attemptsPerMinuteMax: webSocketLimits.attemptsPerMinuteMax,
      bufferedBytesMax: webSocketLimits.serverBufferedBytesMax,
      totalBufferedBytesMax: webSocketLimits.serverTotalBufferedBytesMax,
      handshakeTimeoutMs: webSocketLimits.handshakeTimeoutMs,
      bodyBytesMax: httpLimits.bodyBytesMax,
    };
    const rows = [...security.matchAll(/^\| `(\w+)` \| ([\d,]+|none) \|/gm)];
    expect(rows.length).toBeGreaterThan(10);
    for (const [, name = '', value = ''] of rows)
      expect([name, value === 'none' ? Number.POSITIVE_INFINITY : Number(value.replaceAll(',', ''))]).toEqual(
        [name, limits[name]],
      );
  });
});

describe('docs/stability.md', () => {
  test('its error codes are those of the code', () => {
    const codes = new Set(
      [...read('src/errors.ts').matchAll(/(?:super|MainstemError)\('([A-Z_]+)'/g)].map(([, code]) => code),
    );
    const [listed = ''] = blocks(stability, 'text');
    expect(listed.trim().split(/\s+/)).toEqual([...codes].sort());
  });

  test('its subpaths are those of the package', () => {
    const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> };
    const subpaths = Object.keys(exports).filter((path) => path !== './package.json');
    for (const path of subpaths) expect(stability).toContain(`\`${path.replace('.', 'mainstem')}\``);
  });
});

test.each(['THREAT_MODEL.md', 'docs/security.md', 'docs/stability.md'])('what %s cites is there', (name) => {
  const text = read(name);
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
  const paths = [...text.matchAll(/`((?:test|examples|src)\/[\w/.-]+)`/g)].map(([, path]) => path as string);
  for (const path of paths) expect(existsSync(new URL(`../${path}`, import.meta.url)), path).toBe(true);
  for (const [, script] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toContain(script);
  for (const [, link = ''] of text.matchAll(/\]\((?!http)([^)#]+)\)/g))
    expect(existsSync(new URL(`../${name.replace(/[^/]*$/, '')}${link}`, import.meta.url)), link).toBe(true);
});
