import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { selectedBuild } from '../../src/kernels/selection.ts';
import type { Block } from '../../src/kernels/wasm/arena.ts';
import { allocateBlock, sharedBlockBytesMax, sharedMemories } from '../../src/kernels/wasm/arena.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { normalRows } from '../models/support.ts';
import { network, stateBits } from './trainingSupport.ts';
import { withKernels } from './wasmSupport.ts';

const build = selectedBuild()!;
const features = normalRows(30, 5, 1);
const labels = normalRows(30, 3, 2);

function usedBytes(): number {
  return sharedMemories(build).reduce((sum, memory) => sum + memory.usedBytes, 0);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('small blocks', () => {
  it('live in one memory, and come back once however often they are released', () => {
    const before = usedBytes();
    const [a, b] = [allocateBlock(build, 1000)!, allocateBlock(build, 1000)!];
    expect(a.memory).toBe(b.memory);
    a.release();
    const c = allocateBlock(build, 1000)!;
    expect(c.address).toBe(a.address);
    a.release();
    expect(allocateBlock(build, 1000)!.address).not.toBe(c.address);
    for (const block of [b, c]) block.release();
    expect(usedBytes()).toBe(before + 1024);
  });

  it('go to another memory where one is full, and at half a gigabyte leave a training to the reference', () => {
    const blocks: Block[] = [];
    for (;;) {
      const block = allocateBlock(build, sharedBlockBytesMax, 0);
      if (block === undefined) break;
      blocks.push(block);
      expect(blocks.length).toBeLessThan(600);
    }
    expect(sharedMemories(build).length).toBe(8);
    expect(blocks.length).toBeGreaterThan(450);
    const byReference = withKernels('reference', () => trained());
    const small: Block[] = [];
    for (let bytes = 2 ** 19; bytes >= 64; ) {
      const block = allocateBlock(build, bytes, 0);
      if (block === undefined) bytes /= 2;
      else small.push(block);
    }
    expect(trained()).toBe(byReference);
    for (const block of [...blocks, ...small]) block.release();
    expect(trained()).not.toBe(byReference);
    expect(allocateBlock(build, 1000)!.memory).toBe(sharedMemories(build)[0]);
  });

  it('that nobody holds any more come back: an iterator that was dropped leaves nothing behind', async () => {
    const before = usedBytes();
    for (let i = 0; i < 50; i++) network('float32', {})().trainIterator(features, labels).next();
    expect(usedBytes()).toBeGreaterThan(before + 50 * 1_000);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let turn = 0; turn < 100 && usedBytes() > before; turn++) {
      collect();
      await new Promise(setImmediate);
    }
    expect(usedBytes()).toBeLessThanOrEqual(before);
  });
});

describe('large blocks', () => {
  it('have a memory of their own, which the next one of about that size takes over, zeroed as asked', () => {
    const bytes = 3 * 2 ** 20;
    const first = allocateBlock(build, bytes)!;
    const second = allocateBlock(build, bytes)!;
    expect(first.memory).not.toBe(second.memory);
    first.memory.integers.fill(7, first.address >> 2, (first.address + bytes) >> 2);
    first.release();
    first.release();
    const third = allocateBlock(build, bytes - 5_000, 1_000)!;
    expect(third.memory).toBe(first.memory);
    const words = third.memory.integers.subarray(third.address >> 2);
    expect(words.subarray(0, 250).every((word) => word === 0)).toBe(true);
    first.release();
    expect(allocateBlock(build, bytes)!.memory).not.toBe(first.memory);
    for (const block of [second, third]) block.release();
    expect(allocateBlock(build, 12 * 2 ** 20)!.memory).not.toBe(third.memory);
  });

  it('are refused beyond what addresses hold, without asking for memory', () => {
    const asked = vi.spyOn(WebAssembly, 'Memory');
    expect(allocateBlock(build, 2 ** 31)).toBeUndefined();
    expect(asked).not.toHaveBeenCalled();
  });

  it('that the engine refuses leave a training to the reference', () => {
    const create = (): NeuralNetwork =>
      new NeuralNetwork({ layers: [5, 20_000, 3], maximumNumberOfIterations: 1, learningRate: 0.01 });
    const run = (): string => {
      const model = create();
      model.train(features, labels);
      return `${stateBits(model)} ${model.computeCost(features, labels)}`;
    };
    const byReference = withKernels('reference', run);
    expect(run()).not.toBe(byReference);
    // The spare of the training before would do.
    allocateBlock(build, 4 * 2 ** 20);
    vi.spyOn(WebAssembly, 'Memory').mockImplementation(function refuse() {
      throw new RangeError('WebAssembly.Memory(): could not allocate memory');
    });
    expect(run()).toBe(byReference);
  });
});

function trained(): string {
  const model = network('float64', {})();
  model.train(features, labels);
  return stateBits(model);
}
