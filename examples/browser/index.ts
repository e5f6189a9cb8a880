// The example without anybody watching: three tabs of a headless Chromium train until main reads 90 of 100 digits that
// nobody trained on. Where there is no Chromium, three children in this process stand in for the tabs.
import assert from 'node:assert/strict';
import { WebSocketTransport } from 'mainstem/websocket';
import { findChromium, launchChromium } from './chromium.ts';
import { draw, drawings } from './drawing.ts';
import { buildPage } from './files.ts';
import type { ExampleServer } from './server.ts';
import { startServer } from './server.ts';
import type { Assignment, TabListener } from './Tab.ts';
import { Tab } from './Tab.ts';

const tabs = [1, 2, 3];

/** Resolves when main has this version. */
function version({ coordinator }: ExampleServer, wanted: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = coordinator.on('mainUpdated', ({ version: current }) => {
      if (current < wanted) return;
      stop();
      resolve();
    });
  });
}

async function watch(server: ExampleServer): Promise<void> {
  for (const wanted of [20, 60, 150, 300]) {
    await version(server, wanted);
    const { accuracy, tabs: count } = server.progress();
    console.log(`version ${wanted}: ${count} tabs, ${(100 * accuracy).toFixed(1)} % of the held-out digits`);
  }
}

async function inChromium(server: ExampleServer, executablePath: string): Promise<void> {
  console.log(`three tabs in ${executablePath}`);
  const browser = await launchChromium(executablePath);
  const pages = await Promise.all(tabs.map(() => browser.newPage()));
  const watching = watch(server);
  await Promise.all(pages.map((page) => page.goto(server.url)));
  await watching;
  const [page] = pages;
  await draw(page!, drawings[0]);
  const guess = page!.getByText(/(This is|Probably|Perhaps) a/);
  await guess.waitFor();
  console.log(`drawn: 0; main: ${await guess.textContent()}`);
  await browser.close();
}

async function inProcess(server: ExampleServer): Promise<void> {
  console.log('there is no Chromium here (CHROMIUM_PATH says where it is): three children in this process');
  const silent: TabListener = { state() {}, main() {}, sent() {} };
  const watching = watch(server);
  const children: Tab[] = [];
  const runs: Promise<void>[] = [];
  for (const _ of tabs) {
    const assignment = (await (await fetch(`${server.url}assignment`)).json()) as Assignment;
    const tab = new Tab(assignment, silent);
    children.push(tab);
    runs.push(tab.run(new WebSocketTransport(`${server.url.replace(/^http/, 'ws')}mainstem`)));
  }
  await watching;
  for (const tab of children) await tab.leave();
  await Promise.all(runs);
}

const server = await startServer({ files: await buildPage(), port: 0, everyMs: 30 });
const chromium = findChromium();
if (chromium === undefined) await inProcess(server);
else await inChromium(server, chromium);
const best = Math.max(...server.progress().history.map(([, accuracy]) => accuracy));
await server.close();
assert.ok(best > 0.9, `main reads ${best} of the held-out digits at best`);
