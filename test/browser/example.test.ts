import type { Connection } from 'mainstem';
import { WebSocketTransport } from 'mainstem/websocket';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { shardOf } from '../../examples/browser/digits.ts';
import { draw, drawings } from '../../examples/browser/drawing.ts';
import type { PageFiles } from '../../examples/browser/files.ts';
import { buildPage } from '../../examples/browser/files.ts';
import type { ExampleServer } from '../../examples/browser/server.ts';
import { startServer } from '../../examples/browser/server.ts';
import { describeInChromium, launch, openPage, sources, timeoutMs } from './support.ts';

const everyMs = 15;

async function waitForState(page: Page, state: string): Promise<void> {
  await page.locator(`#state[data-state=${state}]`).waitFor();
}

/** The number that an element shows. */
async function numberIn(page: Page, id: string): Promise<number> {
  return Number.parseFloat(((await page.locator(`#${id}`).textContent()) ?? '').replaceAll(',', ''));
}

/** Waits until an element shows a number above a bound. */
async function waitForAbove(page: Page, id: string, bound: number): Promise<void> {
  await page.waitForFunction(
    ([name, low]) =>
      Number.parseFloat((document.getElementById(name)?.textContent ?? '').replaceAll(',', '')) > low,
    [id, bound] as const,
  );
}

function waitForText(page: Page, id: string, text: string | RegExp): Promise<void> {
  return page.locator(`#${id}`).filter({ hasText: text }).waitFor();
}

describeInChromium('the browser example', () => {
  let browser: Browser;
  let files: PageFiles;
  let server: ExampleServer;

  beforeAll(async () => {
    files = await buildPage({ alias: sources });
    browser = await launch();
  }, timeoutMs);

  afterAll(() => browser?.close());

  const start = async (port = 0): Promise<void> => {
    server = await startServer({ files, port, everyMs, resumeMs: 100 });
  };

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server.close();
  }, timeoutMs);

  test('three tabs train main beyond 90 % of what none of them has; one that is closed leaves', async () => {
    await start();
    const tabs = await Promise.all([1, 2, 3].map(() => openPage(browser, server.url)));
    const [first, second, third] = tabs.map(({ page }) => page) as [Page, Page, Page];
    for (const { page } of tabs) await waitForState(page, 'connected');
    await waitForText(first, 'tabs', /^3$/);
    for (const { page } of tabs) await waitForAbove(page, 'accuracy', 90);
    for (const { page } of tabs) await waitForAbove(page, 'sent', 10);
    // It goes up and down on the way: what it is just now may be a little less.
    expect(Math.max(...server.progress().history.map(([, accuracy]) => accuracy))).toBeGreaterThan(0.9);
    expect(
      new Set(await Promise.all(tabs.map(({ page }) => page.locator('#shard').textContent()))).size,
    ).toBe(3);
    const chart = await first.locator('#chart').getAttribute('aria-label');
    expect(chart).toMatch(/^From \d+\.\d % at step 1 to \d\d\.\d % at step \d+$/);
    await third.close();
    await waitForText(first, 'tabs', /^2$/);
    await waitForText(second, 'tabs', /^2$/);
    expect(server.coordinator.children).toHaveLength(2);
    expect(tabs.flatMap(({ problems }) => problems)).toEqual([]);
  });

  test('a digit that is drawn is guessed; its label makes it one of those that the tab learns from', async () => {
    await start();
    const { page, problems } = await openPage(browser, server.url);
    await waitForAbove(page, 'accuracy', 85);
    const digits = await numberIn(page, 'digits');
    expect(await page.getByRole('button', { name: 'It was a 0' }).isDisabled()).toBe(true);
    await draw(page, drawings[0]);
    await waitForText(page, 'guess', /(This is|Probably|Perhaps) a 0$/);
    expect(await page.locator('#bars .first .name').textContent()).toBe('0');
    await page.getByRole('button', { name: 'It was a 0' }).click();
    await waitForText(page, 'digits', `${digits + 1}`);
    await waitForText(page, 'added', 'your 0 is now among the digits');
    expect(await numberIn(page, 'drawn')).toBe(1);
    expect(await page.locator('#guess').textContent()).toBe('Nothing drawn yet');
    await waitForAbove(page, 'sent', (await numberIn(page, 'sent')) + 10);
    expect(problems).toEqual([]);
  });

  test('keys draw, say which digit it was, and clear', async () => {
    await start();
    const { page, problems } = await openPage(browser, server.url);
    await waitForState(page, 'connected');
    const digits = await numberIn(page, 'digits');
    await page.locator('#pad').focus();
    await page.keyboard.press('Space');
    for (let step = 0; step < 9; step++) await page.keyboard.press('ArrowDown');
    await waitForText(page, 'guess', /(This is|Probably|Perhaps) a \d$/);
    await page.keyboard.press('Escape');
    await waitForText(page, 'guess', 'Nothing drawn yet');
    // There is nothing that could be a 1.
    await page.keyboard.press('1');
    expect(await numberIn(page, 'drawn')).toBe(0);
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('1');
    await waitForText(page, 'digits', `${digits + 1}`);
    expect(await numberIn(page, 'drawn')).toBe(1);
    expect(problems).toEqual([]);
  });

  test('tabs say that the server is away, and find the one that comes after it', async () => {
    await start();
    const { port } = new URL(server.url);
    const { page, problems } = await openPage(browser, server.url);
    await waitForAbove(page, 'sent', 20);
    await draw(page, drawings[1]);
    await waitForText(page, 'guess', / a \d$/);
    await server.close(0);
    await waitForState(page, 'away');
    // Main as it was goes on guessing.
    await page.getByRole('button', { name: 'Clear' }).click();
    await draw(page, drawings[0]);
    await waitForText(page, 'guess', / a \d$/);
    await start(Number(port));
    await waitForState(page, 'connected');
    const sent = await numberIn(page, 'sent');
    await waitForAbove(page, 'sent', sent + 5);
    await waitForText(page, 'tabs', /^1$/);
    expect(server.coordinator.version).toBeGreaterThan(5);
    // What a browser says by itself when nobody listens.
    expect(problems.filter((problem) => !problem.includes('ERR_CONNECTION'))).toEqual([]);
  });

  test('a server that ends for good leaves a way to try again', async () => {
    await start();
    const { port } = new URL(server.url);
    const { page } = await openPage(browser, server.url);
    await waitForState(page, 'connected');
    await draw(page, drawings[7]);
    await page.getByRole('button', { name: 'It was a 7' }).click();
    await waitForText(page, 'digits', `${shardOf(0, 8).labels.length + 1}`);
    await server.close();
    await waitForState(page, 'refused');
    await start(Number(port));
    await page.getByRole('button', { name: 'Try again' }).click();
    await waitForState(page, 'connected');
    await waitForText(page, 'digits', `${shardOf(0, 8).labels.length + 1}`);
    await waitForText(page, 'tabs', /^1$/);
  });

  test('from 360 to 1400 pixels nothing sticks out, and all that can be used has a name', async () => {
    await start();
    for (const width of [360, 720, 1060, 1400]) {
      const { page, problems } = await openPage(browser, server.url, { viewport: { width, height: 800 } });
      await waitForState(page, 'connected');
      await page.locator('#chart svg').waitFor();
      const widest = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(widest, `at ${width} pixels`).toBeLessThanOrEqual(width);
      for (const role of ['button', 'img'] as const) {
        const all = await page.getByRole(role).count();
        expect(await page.getByRole(role, { name: /\w/ }).count(), role).toBe(all);
      }
      expect(problems).toEqual([]);
      await page.context().close();
    }
  });

  test('the policy lets nothing in from elsewhere, and other pages may not train', async () => {
    await start();
    const { headers } = await fetch(server.url);
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval';/,
    );
    const connectFrom = (origin: string): Promise<Connection> =>
      new WebSocketTransport({
        url: `${server.url.replace(/^http/, 'ws')}mainstem`,
        headers: { origin },
      }).connect();
    await expect(connectFrom('https://elsewhere.example')).rejects.toThrow('401');
    (await connectFrom(new URL(server.url).origin)).close();
    expect((await fetch(server.url, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${server.url}elsewhere`)).status).toBe(404);
  });
});
