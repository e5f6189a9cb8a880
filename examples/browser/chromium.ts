import { existsSync } from 'node:fs';
import { env, getuid } from 'node:process';
import type { Browser } from 'playwright-core';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/** Where Chromium or Chrome is: where CHROMIUM_PATH says, else in a usual place; undefined where it is not there. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH: told } = env;
  return (told === undefined ? places : [told]).find((place) => existsSync(place));
}

/** Starts it without a window. */
export async function launchChromium(executablePath: string): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  // Chromium refuses its sandbox to root, who is all there is in many containers.
  return chromium.launch({ executablePath, chromiumSandbox: getuid?.() !== 0 });
}
