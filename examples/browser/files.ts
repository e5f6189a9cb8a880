import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A file as it is served. */
export interface PageFile {
  readonly type: string;
  readonly content: string | Uint8Array;
}

/** By their paths: `/`, `/page.js` … */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Options of buildPage. */
export interface BuildOptions {
  /** Modules and their places in the page, `{ '/page.js': … }`; those of this example unless given. */
  modules?: Readonly<Record<string, string>>;
  /** Where packages come from that are not to be looked up as usual. */
  alias?: Readonly<Record<string, string>>;
}

const page = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url));

const ownModules = { '/page.js': page('page.ts'), '/worker.js': page('worker.ts') };

const ownFiles = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/theme.css', 'theme.css', 'text/css; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
] as const;

/** Bundles the page's modules and reads its other files. Nothing is written to the disk. */
export async function buildPage({ modules = ownModules, alias = {} }: BuildOptions = {}): Promise<PageFiles> {
  const { outputFiles } = await build({
    entryPoints: Object.entries(modules).map(([path, file]) => ({ in: file, out: path.slice(1, -3) })),
    outdir: '/',
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    minify: true,
    splitting: true,
    alias: { ...alias },
    // Not the project's tsconfig, whose paths lead to sources: a page gets the package as its users do.
    tsconfigRaw: {},
    logLevel: 'error',
  });
  const files = new Map<string, PageFile>();
  for (const [path, name, type] of ownFiles) files.set(path, { type, content: readFileSync(page(name)) });
  for (const { path, contents } of outputFiles) {
    const name = `/${path.replaceAll('\\', '/').split('/').at(-1)}`;
    files.set(name, { type: 'text/javascript; charset=utf-8', content: contents });
  }
  return files;
}
