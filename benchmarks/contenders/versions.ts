// What was measured against: a line for the head of the results.
import { versionOfPeer } from './load.ts';
import { startPython } from './python.ts';

const packages = [
  '@tensorflow/tfjs-backend-wasm',
  'brain.js',
  'mathjs',
  'ml-matrix',
  'onnxruntime-node',
  'synaptic',
];

/** Versions of all peers, one thread each; what is not installed is named as such. */
export async function describePeers(): Promise<string> {
  const fromNpm = packages.map((name) => `${name} ${versionOfPeer(name) ?? 'NOT INSTALLED'}`);
  const python = await startPython(['numpy', 'torch']);
  python?.close();
  const { versions } = python ?? {};
  const numpy = versions?.numpy ? `NumPy ${versions.numpy} with ${versions.blas}` : 'NumPy NOT INSTALLED';
  const torch = versions?.torch
    ? `PyTorch ${versions.torch}, CPU capability ${versions.capability}`
    : 'PyTorch NOT INSTALLED';
  const interpreter = versions === undefined ? '' : ` (Python ${versions.python})`;
  return `Peers, one thread each: ${fromNpm.join(', ')}; ${numpy}; ${torch}${interpreter}.`;
}
