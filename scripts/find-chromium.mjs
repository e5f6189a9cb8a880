// Says which Chromium the tests take, and fails where there is none: `node --import tsx scripts/find-chromium.mjs`.
import { findChromium } from '../examples/browser/chromium.ts';

const found = findChromium();
console.log(found ?? 'there is no Chromium');
process.exitCode = found === undefined ? 1 : 0;
