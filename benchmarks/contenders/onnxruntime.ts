// onnxruntime-node on the model that we export: one thread.

import type { ModelParameters } from 'mainstem';
import { exportOnnx } from 'mainstem/files';
import type { Contender } from '../harness.ts';
import { assertClose } from './data.ts';
import { loadPeer } from './load.ts';

/** The little of it that is used here: its own types are there only when it is installed. */
interface OnnxRuntime {
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => object;
  readonly InferenceSession: { create(bytes: Uint8Array, options: object): Promise<Session> };
}

interface Session {
  run(inputs: Record<string, object>): Promise<Record<string, { readonly data: Float32Array }>>;
}

/** One run: rows as a typed array into a tensor, the session awaited, probabilities read. Undefined where missing. */
export async function onnxRuntimePredicting(
  parameters: ModelParameters,
  { data, rows, columns }: { data: Float32Array; rows: number; columns: number },
  expected: ArrayLike<number>,
): Promise<Contender | undefined> {
  const name = 'onnxruntime-node';
  const runtime = loadPeer<OnnxRuntime>(name);
  if (runtime === undefined) return undefined;
  const { bytes, input, output } = exportOnnx(parameters);
  const session = await runtime.InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  });
  const run = async (): Promise<Float32Array> => {
    const features = new runtime.Tensor('float32', data, [rows, columns]);
    return (await session.run({ [input.name]: features }))[output.name]!.data;
  };
  assertClose(name, await run(), expected, 1e-5);
  return { name, run };
}
