import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

const config: ViteUserConfig = defineConfig({
  resolve: {
    // The longer name first: an alias also matches what begins with it.
    alias: [
      { find: 'mainstem/bayesian', replacement: source('bayesian/index.ts') },
      { find: 'mainstem/compression', replacement: source('compression/index.ts') },
      { find: 'mainstem/files', replacement: source('files/index.ts') },
      { find: 'mainstem/formulas', replacement: source('formulas/index.ts') },
      { find: 'mainstem/game', replacement: source('game/index.ts') },
      { find: 'mainstem/http', replacement: source('http/index.ts') },
      { find: 'mainstem/replay', replacement: source('replay/index.ts') },
      { find: 'mainstem/testing', replacement: source('testing/index.ts') },
      { find: 'mainstem/threads', replacement: source('threads/index.ts') },
      { find: 'mainstem/websocket', replacement: source('transport/webSocket/index.ts') },
      { find: 'mainstem/worker', replacement: source('transport/worker/index.ts') },
      { find: 'mainstem', replacement: source('index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup/poisonFreedMemory.ts'],
    // Work, not waiting, takes this long, on a machine that has other work.
    testTimeout: 30_000,
    reporters: ['default'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Barrels hold no code; the command is run as a whole, as a process, by .ci/run.
      exclude: ['src/**/index.ts', 'src/cli/main.ts'],
      thresholds: { lines: 90, functions: 90, branches: 85, statements: 90 },
    },
  },
});

export default config;
