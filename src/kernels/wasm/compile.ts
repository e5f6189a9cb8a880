import { plain, relaxed } from './binaries.ts';

/** The two builds of the kernels in WebAssembly. */
export type WasmBuild = 'simd' | 'relaxedSimd';

// A module of one function that returns relaxed_madd(0, 0, 0): whoever accepts it has the instruction.
// biome-ignore format: bytes by section: type, function, code.
const relaxedProbe = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b,
  0x03, 0x02, 0x01, 0x00,
  0x0a, 0x13, 0x01, 0x11, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f,
  0xfd, 0x85, 0x02, 0x0b,
]);

// The same with f32x4.add.
// biome-ignore format: bytes by section: type, function, code.
const simdProbe = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b,
  0x03, 0x02, 0x01, 0x00,
  0x0a, 0x0f, 0x01, 0x0d, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f,
  0xfd, 0xe4, 0x01, 0x0b,
]);

/** The better of the two builds that this engine takes, or undefined where it has no SIMD at all. */
export function bestBuild(): WasmBuild | undefined {
  if (typeof WebAssembly !== 'object') return undefined;
  if (WebAssembly.validate(relaxedProbe)) return 'relaxedSimd';
  return WebAssembly.validate(simdProbe) ? 'simd' : undefined;
}

const modules = new Map<WasmBuild, WebAssembly.Module>();
const refused = new Set<WasmBuild>();

/**
 * The compiled module, made once in each thread when it is first needed. Undefined where it cannot be compiled: a page
 * may forbid WebAssembly altogether, or compiling it at once on its main thread. In the second case it is compiled
 * beside, and there some turns of the event loop later.
 */
export function moduleOf(build: WasmBuild): WebAssembly.Module | undefined {
  const known = modules.get(build);
  if (known !== undefined || refused.has(build)) return known;
  const bytes = bytesOfDigits(build === 'simd' ? plain : relaxed);
  try {
    const module = new WebAssembly.Module(bytes);
    modules.set(build, module);
    return module;
  } catch (error) {
    refused.add(build);
    if (error instanceof RangeError) compileBeside(build, bytes);
    return undefined;
  }
}

function compileBeside(build: WasmBuild, bytes: Uint8Array<ArrayBuffer>): void {
  WebAssembly.compile(bytes).then(
    (module) => {
      modules.set(build, module);
    },
    // Refused in this way too: the reference stays.
    () => {},
  );
}

/** A module that was written in hexadecimal digits. */
export function bytesOfDigits(digits: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = 16 * valueOfDigit(digits.charCodeAt(2 * i)) + valueOfDigit(digits.charCodeAt(2 * i + 1));
  }
  return bytes;
}

/** 0 … 9 and a … f, by their codes. */
function valueOfDigit(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}
