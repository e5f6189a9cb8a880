// The code of a thread: it waits for passes and does its share of each. What goes wrong here is not caught: it ends
// the thread, and whoever started it hears why.

import { builtinModule } from '../builtin.ts';
import type { WasmBuild } from '../kernels/wasm/compile.ts';
import type { SharedKernelExports } from '../kernels/wasm/sharedModules.ts';
import type { ThreadAnswer, ThreadRequest } from './messages.ts';

/** The way back to who started the thread. */
interface Port {
  postMessage(answer: ThreadAnswer): void;
}

interface NodePort extends Port {
  on(event: 'message', listener: (request: ThreadRequest) => void): void;
}

interface BrowserPort extends Port {
  onmessage: ((event: { readonly data: ThreadRequest }) => void) | null;
}

const kernels = new Map<WasmBuild, SharedKernelExports>();

function answer(request: ThreadRequest, port: Port): void {
  if (request.kind === 'kernels') {
    const { module, memory } = request.kernels;
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    kernels.set(request.build, exports as unknown as SharedKernelExports);
    return;
  }
  const code = kernels.get(request.build) as SharedKernelExports;
  if (request.dtype === 'float32') code.runPass32(request.member);
  else code.runPass64(request.member);
  port.postMessage({ kind: 'ended', pass: request.pass });
}

const node = builtinModule<{ readonly parentPort: NodePort }>('node:worker_threads')?.parentPort;
if (node !== undefined) {
  node.on('message', (request) => answer(request, node));
  node.postMessage({ kind: 'ready' });
} else {
  const browser = globalThis as unknown as BrowserPort;
  browser.onmessage = ({ data }) => answer(data, browser);
  browser.postMessage({ kind: 'ready' });
}
