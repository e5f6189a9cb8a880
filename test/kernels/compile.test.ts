import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

type Selection = typeof import('../../src/kernels/selection.ts');

/** The module afresh, as in a thread that has compiled nothing yet. */
async function load(): Promise<Selection> {
  vi.resetModules();
  return await import('../../src/kernels/selection.ts');
}

const { Module } = WebAssembly;

describe('the choice of kernels', () => {
  beforeEach(() => {
    vi.restoreAllMocks();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    WebAssembly.Module = Module;
  });

  it('is the fastest that the engine takes, and any before it may be selected', async () => {
    const { kernels } = await load();
    expect(kernels.name).toBe(kernels.available.at(-1));
    expect(kernels.available[0]).toBe('reference');
    for (const name of kernels.available) {
      kernels.select(name);
      expect(kernels.name).toBe(name);
    }
  });

  it('refuses others, by name', async () => {
    const { kernels } = await load();
    const before = kernels.name;
    expect(() => kernels.select('fast' as never)).toThrow(/kernels are "fast", expected one of reference/);
    expect(kernels.name).toBe(before);
  });

  it('is the reference where there is no WebAssembly', async () => {
    const { kernels } = await load();
    vi.stubGlobal('WebAssembly', undefined);
    expect(kernels.name).toBe('reference');
    expect(kernels.available).toEqual(['reference']);
  });

  it('is the reference where a page forbids compiling', async () => {
    const { kernels } = await load();
    WebAssembly.Module = class {
      constructor() {
        throw new WebAssembly.CompileError('refused by the page');
      }
    } as unknown as typeof Module;
    expect(kernels.name).toBe('reference');
  });

  it('is the reference until a module is there that may not be compiled at once', async () => {
    const { kernels } = await load();
    const compiled = vi.spyOn(WebAssembly, 'compile');
    WebAssembly.Module = class {
      constructor() {
        throw new RangeError('too large for the main thread');
      }
    } as unknown as typeof Module;
    expect(kernels.name).toBe('reference');
    await compiled.mock.results[0]?.value;
    expect(kernels.name).not.toBe('reference');
  });

  it('takes plain SIMD where fused multiply-add is missing', async () => {
    const { kernels } = await load();
    const validate = WebAssembly.validate.bind(WebAssembly);
    // The probe of relaxed SIMD comes first.
    vi.spyOn(WebAssembly, 'validate').mockReturnValueOnce(false).mockImplementation(validate);
    expect(kernels.name).toBe('simd');
  });
});
