import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The little of onnxruntime-web that the tests use: its own types are there only when it is installed. */
interface Runtime {
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => object;
  readonly InferenceSession: { create(bytes: Uint8Array): Promise<Session> };
}

interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(
    inputs: Record<string, object>,
  ): Promise<Record<string, { readonly data: Float32Array; readonly dims: readonly number[] }>>;
}

export const installCommand = 'npm ci --prefix test/onnxruntime';

async function load(): Promise<Runtime | undefined> {
  // It is 139 MB, so it has a package.json of its own.
  const { resolve } = createRequire(new URL('../onnxruntime/package.json', import.meta.url));
  let path: string;
  try {
    path = resolve('onnxruntime-web');
  } catch (cause) {
    const reason = `onnxruntime-web is not installed, so no exported model is run: ${installCommand}`;
    if (process.env.CI) throw new Error(reason, { cause });
    console.warn(reason);
    return undefined;
  }
  const runtime = (await import(pathToFileURL(path).href)) as Runtime;
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = 'error';
  return runtime;
}

export const runtime: Runtime | undefined = await load();

/** Runs a model on rows of features; returns rows × columns of its one output. */
export async function runOnnx(
  bytes: Uint8Array,
  rows: readonly (readonly number[])[],
): Promise<{ input: string; output: string; rows: number[][] }> {
  if (runtime === undefined) throw new Error(`not installed: ${installCommand}`);
  const session = await runtime.InferenceSession.create(bytes);
  const [input, output] = [session.inputNames, session.outputNames].map((names) => {
    if (names.length !== 1) throw new Error(`expected one name, got ${names.join()}`);
    return names[0] as string;
  }) as [string, string];
  const features = new runtime.Tensor('float32', Float32Array.from(rows.flat()), [
    rows.length,
    rows[0]?.length ?? 0,
  ]);
  const { data, dims } = (await session.run({ [input]: features }))[output] as {
    data: Float32Array;
    dims: readonly number[];
  };
  const [count = 0, columns = 0] = dims;
  return {
    input,
    output,
    rows: Array.from({ length: count }, (_, row) => [...data.subarray(row * columns, (row + 1) * columns)]),
  };
}
