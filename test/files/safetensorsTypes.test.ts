import type { SafetensorsType } from 'mainstem/files';
import { openSafetensors, readSafetensors } from 'mainstem/files';
import { describe, expect, it } from 'vitest';
import { swapOnBigEndian } from '../../src/parameters/littleEndian.ts';
import { expectRefusal, fileOf, headerOf } from './support.ts';

const fileWith = (dtype: SafetensorsType, data: ArrayBufferView, length: number): Uint8Array => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return fileOf(headerOf([{ name: 't', dtype, shape: [length], bytes: bytes.length }]), bytes);
};

describe('numbers of other types', () => {
  it.each([
    ['U8', Uint8Array.of(0, 1, 255), [0, 1, 255]],
    ['I8', Int8Array.of(0, -1, -128), [0, -1, -128]],
    ['U16', Uint16Array.of(0, 258, 65535), [0, 258, 65535]],
    ['I16', Int16Array.of(0, 258, -32768), [0, 258, -32768]],
    ['U32', Uint32Array.of(0, 16909060, 4294967295), [0, 16909060, 4294967295]],
    ['I32', Int32Array.of(0, 16909060, -2147483648), [0, 16909060, -2147483648]],
    ['U64', BigUint64Array.of(0n, 5n, 2n ** 53n + 1n), [0, 5, 2 ** 53]],
    ['I64', BigInt64Array.of(0n, -5n, -(2n ** 53n) - 3n), [0, -5, -(2 ** 53) - 4]],
    ['F32', Float32Array.of(0.1, -0, Infinity), [Math.fround(0.1), -0, Infinity]],
    ['F64', Float64Array.of(0.1, -0, Number.NaN), [0.1, -0, Number.NaN]],
    // 1, −2, the largest, the smallest normal and the smallest number, 1/3, ±0, ±∞, NaN.
    [
      'F16',
      Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555, 0, 0x8000, 0x7c00, 0xfc00, 0x7e00),
      [1, -2, 65504, 2 ** -14, 2 ** -24, 1365 / 4096, 0, -0, Infinity, -Infinity, Number.NaN],
    ],
    [
      'BF16',
      Uint16Array.of(0x3f80, 0xc000, 0x7f7f, 0x0080, 0x0001, 0x4049, 0x8000, 0x7f80, 0x7fc0),
      [1, -2, 255 * 2 ** 120, 2 ** -126, 2 ** -133, 3.140625, -0, Infinity, Number.NaN],
    ],
  ] as const)('%s are converted on request', async (dtype, data, expected) => {
    const bytes = fileWith(dtype, data, expected.length);
    const file = await openSafetensors(bytes);
    expect(await file.read('t', { dtype: 'float64' })).toEqual(Float64Array.from(expected));
    expect(await file.read('t', { dtype: 'float32' })).toEqual(Float32Array.from(expected));
    expect((await readSafetensors(bytes, { dtype: 'float32' })).values).toEqual(Float32Array.from(expected));
  });

  it('are refused where nobody says what they should become', async () => {
    const bytes = fileWith('BF16', Uint16Array.of(0x3f80), 1);
    await expectRefusal(readSafetensors(bytes), 'UNSUPPORTED_DTYPE');
    await expect((await openSafetensors(bytes)).read('t')).rejects.toThrow(
      `tensor "t" is BF16, say dtype: 'float32' or 'float64' to convert it`,
    );
  });

  it.each([
    'BOOL',
    'C64',
    'F8_E5M2',
    'F8_E4M3',
    'F8_E8M0',
    'F8_E5M2FNUZ',
    'F8_E4M3FNUZ',
  ] as const)('%s are listed, and refused where they are asked for', async (dtype) => {
    const bytes = dtype === 'C64' ? new Uint8Array(8) : new Uint8Array(1);
    const file = await openSafetensors(fileWith(dtype, bytes, 1));
    expect(file.tensors[0]).toMatchObject({ name: 't', dtype, shape: [1] });
    await expectRefusal(file.read('t'), 'UNSUPPORTED_DTYPE');
    await expectRefusal(file.read('t', { dtype: 'float64' }), 'UNSUPPORTED_DTYPE');
    await expectRefusal(file.readParameters({ dtype: 'float32' }), 'UNSUPPORTED_DTYPE');
  });

  it('mix: float64 holds float32, and each tensor alone keeps its type', async () => {
    const header = headerOf([
      { name: 'wide', dtype: 'F64', shape: [1], bytes: 8 },
      { name: 'narrow', dtype: 'F32', shape: [1], bytes: 4 },
    ]);
    const data = [
      ...new Uint8Array(Float64Array.of(0.1).buffer),
      ...new Uint8Array(Float32Array.of(0.1).buffer),
    ];
    const file = await openSafetensors(fileOf(header, data));
    const all = await file.readParameters();
    expect(all.dtype).toBe('float64');
    expect([...all.values]).toEqual([0.1, Math.fround(0.1)]);
    expect(await file.read('narrow')).toEqual(Float32Array.of(0.1));
  });

  it('of an unknown name or dtype are refused', async () => {
    const file = await openSafetensors(fileWith('F32', Float32Array.of(1), 1));
    await expectRefusal(file.read('u'), 'UNKNOWN_TENSOR');
    await expect(file.read('t', { dtype: 'F32' as 'float32' })).rejects.toThrow('dtype is "F32", expected');
    await expect(file.read('t', { type: 'float32' } as object)).rejects.toThrow('there is no option type');
  });
});

it('bytes are turned round on a big-endian machine', () => {
  expect([...swapOnBigEndian(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 4, true)]).toEqual([
    4, 3, 2, 1, 8, 7, 6, 5,
  ]);
  expect([...swapOnBigEndian(Uint8Array.of(1, 2, 3, 4), 4, false)]).toEqual([1, 2, 3, 4]);
});
