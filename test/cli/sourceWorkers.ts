import { createRequire } from 'node:module';
import type { WorkerOptions } from 'node:worker_threads';

const threads = createRequire(import.meta.url)('node:worker_threads') as typeof import('node:worker_threads');

/** Workers of built files, which end in .js, run the sources that these are built from, with a loader of TypeScript. */
export function useSourcesInWorkers(): void {
  const BuiltWorker = threads.Worker;
  threads.Worker = class extends BuiltWorker {
    constructor(file: string | URL, options?: WorkerOptions) {
      const source = String(file).replace(/\.js$/, '.ts');
      const code = `import('tsx/esm/api').then(({ register }) => {
        register();
        return import(${JSON.stringify(source)});
      });`;
      super(code, { ...options, eval: true, execArgv: [] });
    }
  };
}
