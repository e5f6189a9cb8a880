// npm run example:browser:screenshot [-- folder]
// Lets three tabs train, draws a digit, and writes screenshot.png, or with a folder each look of the page into it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { findChromium, launchChromium } from './chromium.ts';
import { draw, drawings } from './drawing.ts';
import { buildPage } from './files.ts';
import { startServer } from './server.ts';

const looks: Readonly<Record<string, BrowserContextOptions>> = {
  screenshot: { viewport: { width: 1240, height: 940 } },
  dark: { viewport: { width: 1400, height: 940 }, colorScheme: 'dark' },
  medium: { viewport: { width: 820, height: 1180 } },
  narrow: { viewport: { width: 360, height: 740 }, hasTouch: true },
  narrowDark: { viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
};

async function capture(
  browser: Browser,
  url: string,
  options: BrowserContextOptions,
  path: string,
): Promise<void> {
  const page = await browser.newPage(options);
  await page.goto(url);
  await page.locator('#state[data-state=connected]').waitFor();
  await draw(page, drawings[0]);
  await page.getByRole('button', { name: 'It was a 0' }).click();
  await draw(page, drawings[7]);
  await page.getByText(/(This is|Probably|Perhaps) a/).waitFor();
  await page.locator('#chart svg').waitFor();
  await page.screenshot({ path, fullPage: true });
  await page.close();
}

const [, , folder] = process.argv;
const executablePath = findChromium();
if (executablePath === undefined) throw new Error('there is no Chromium; set CHROMIUM_PATH to where it is');
const server = await startServer({ files: await buildPage(), port: 0, everyMs: 40, resumeMs: 100 });
const browser = await launchChromium(executablePath);
const tabs = await Promise.all([1, 2, 3].map(() => browser.newPage()));
for (const tab of tabs) await tab.goto(server.url);
await new Promise<void>((resolve) => {
  const stop = server.coordinator.on('mainUpdated', ({ version }) => {
    if (version < 400) return;
    stop();
    resolve();
  });
});
if (folder !== undefined) mkdirSync(folder, { recursive: true });
for (const [name, options] of Object.entries(looks)) {
  if (folder === undefined && name !== 'screenshot') continue;
  const path =
    folder === undefined
      ? fileURLToPath(new URL('screenshot.png', import.meta.url))
      : join(folder, `${name}.png`);
  await capture(browser, server.url, options, path);
  console.log(path);
}
await browser.close();
await server.close();
