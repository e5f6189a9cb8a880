import type { Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { describe, test } from 'vitest';
import { findChromium, launchChromium } from '../../examples/browser/chromium.ts';
import type { PageFiles } from '../../examples/browser/files.ts';

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

/** The package's names in pages, as "exports" has them for browsers, but of the sources: tests need no build. */
export const sources: Readonly<Record<string, string>> = {
  mainstem: source('index.ts'),
  'mainstem/http': source('http/browser.ts'),
  'mainstem/threads': source('threads/index.ts'),
  'mainstem/websocket': source('transport/webSocket/browser.ts'),
  'mainstem/worker': source('transport/worker/index.ts'),
};

/** The longest that a step in Chromium may take, on a machine that has much else to do. */
export const timeoutMs = 60_000;

const executablePath = findChromium();
const advice = 'there is no Chromium: install it, or say in CHROMIUM_PATH where it is';

/** A suite in Chromium. Without one it is skipped, loudly, but fails where CI is set: there it must not go unnoticed. */
export function describeInChromium(name: string, body: () => void): void {
  if (executablePath !== undefined) describe(name, { timeout: timeoutMs }, body);
  else if (env.CI) test(`${name}: Chromium is there`, () => Promise.reject(new Error(advice)));
  else {
    console.warn(`test/browser, ${name}: SKIPPED, ${advice}`);
    describe.skip(`${name} (${advice})`, body);
  }
}

export function launch(): Promise<Browser> {
  if (executablePath === undefined) throw new Error(advice);
  return launchChromium(executablePath);
}

/** A page, and all that went wrong in it: errors in the console, exceptions, what its policy forbids. */
export interface WatchedPage {
  readonly page: Page;
  readonly problems: string[];
}

/** Opens a page in a profile of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(timeoutMs);
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`policy: ${violatedDirective} forbids ${blockedURI}`),
    );
  });
  await page.goto(url);
  return { page, problems };
}

/** Serves files under a Content-Security-Policy. */
export async function serve(files: PageFiles, policy: string): Promise<{ server: Server; url: string }> {
  const server = createServer(({ url = '/' }, response: ServerResponse) => {
    const file = files.get(url);
    response.writeHead(file === undefined ? 404 : 200, {
      'content-security-policy': policy,
      // Isolated from other origins, which is what shared memory needs.
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'content-type': file?.type ?? 'text/plain',
    });
    response.end(file?.content);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

export function closeServer(server: Server): Promise<unknown> {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}
