import type { Options } from 'tsup';

const common: Options = {
  format: 'esm',
  target: 'es2022',
  sourcemap: true,
  // `npm start -- --json` builds first and must print nothing but JSON.
  silent: true,
};

/** What users import. It must run in browsers and workers too, so no Node built-ins and no shims. */
const library: Options = {
  ...common,
  entry: {
    index: 'src/index.ts',
    'bayesian/index': 'src/bayesian/index.ts',
    'compression/index': 'src/compression/index.ts',
    'files/index': 'src/files/index.ts',
    'formulas/index': 'src/formulas/index.ts',
    'game/index': 'src/game/index.ts',
    'http/index': 'src/http/index.ts',
    'http/browser': 'src/http/browser.ts',
    'replay/index': 'src/replay/index.ts',
    'testing/index': 'src/testing/index.ts',
    'threads/index': 'src/threads/index.ts',
    'websocket/index': 'src/transport/webSocket/index.ts',
    'websocket/browser': 'src/transport/webSocket/browser.ts',
    'worker/index': 'src/transport/worker/index.ts',
    // Found by its address, next to the code that starts it.
    'threads/worker': 'src/threads/worker.ts',
    'worker/entry': 'src/transport/worker/entry.ts',
  },
  outDir: 'dist',
  platform: 'neutral',
  // A neutral platform reads no "main" of a package, which some parts of mathjs have and nothing else. mathjs is
  // bundled into dist/formulas (see NOTICE), so that installing the library does not install it.
  esbuildOptions(options) {
    options.mainFields = ['module', 'main'];
  },
  noExternal: [/^mathjs($|\/)/],
  // One copy of each class, however many subpaths load it.
  splitting: true,
  // tsup sets baseUrl for declarations, which TypeScript 6 calls deprecated.
  dts: {
    compilerOptions: { ignoreDeprecations: '6.0' },
    // Coordinators and children have Symbol.asyncDispose, which a user's `lib` may not know yet.
    banner: '/// <reference lib="esnext.disposable" />',
  },
  // Both builds run at once: this one must leave alone what the other has just written.
  clean: ['!cli', '!cli/**'],
};

/** The command. Its few helpers are bundled (see NOTICE), so that installing the library does not install them. */
const cli: Options = {
  ...common,
  entry: {
    main: 'src/cli/main.ts',
    // Found by their addresses, next to the code that starts them.
    demoChild: 'src/cli/demoChild.ts',
    demoProcess: 'src/cli/demoProcess.ts',
  },
  outDir: 'dist/cli',
  platform: 'node',
  target: 'node20',
  // Loaded by the package's own name through "exports", not bundled a second time. Externals are decided
  // before tsconfig's paths are looked at, so the path that maps this name to src is not followed.
  external: [/^mainstem($|\/)/],
  noExternal: ['cli-progress', 'cli-table3', 'csv-parse'],
  // cli-progress and cli-table3 are CommonJS: they call require('readline') at run time.
  banner: {
    js: "import { createRequire as createBannerRequire } from 'node:module'; const require = createBannerRequire(import.meta.url);",
  },
  dts: false,
  clean: true,
};

const config: Options[] = [library, cli];
export default config;
