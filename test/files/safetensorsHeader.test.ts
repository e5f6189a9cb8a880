import { openSafetensors, readSafetensors } from 'mainstem/files';
import { describe, expect, it } from 'vitest';
import { expectRefusal, fileOf, headerOf } from './support.ts';

const entry = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
const eight = [0, 0, 128, 63, 0, 0, 0, 64];

describe('a header', () => {
  it('is read with white space in it and spaces behind it', async () => {
    const header = `{ "a" :\n\t{"shape":[ 2 ],\r"data_offsets":[0, 8],"dtype":"F32"} }    `;
    const file = await openSafetensors(fileOf(header, eight));
    expect(file.tensors).toEqual([
      { name: 'a', dtype: 'F32', shape: [2], byteOffset: 8 + header.length, byteLength: 8 },
    ]);
    expect([...(await file.read('a'))]).toEqual([1, 2]);
  });

  it('may name no tensors, and empty ones and lone numbers', async () => {
    expect((await openSafetensors(fileOf('{}'))).tensors).toEqual([]);
    const header = headerOf([
      { name: 'none', dtype: 'F32', shape: [3, 0, 2], bytes: 0 },
      { name: 'one', dtype: 'F32', shape: [], bytes: 4 },
      { name: 'no more', dtype: 'F64', shape: [0], bytes: 0 },
    ]);
    const file = await openSafetensors(fileOf(header, eight.slice(0, 4)));
    expect(file.tensors.map(({ name }) => name)).toEqual(['none', 'one', 'no more']);
    expect([...(await file.read('one'))]).toEqual([1]);
    expect((await file.read('no more')).length).toBe(0);
  });

  it('may name tensors in any order: they are listed by their bytes', async () => {
    const header = `{"b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`;
    const file = await openSafetensors(fileOf(header, [255, 7, 8, 9]));
    expect(file.tensors.map(({ name }) => name)).toEqual(['a', 'b']);
    expect([...(await file.read('a', { dtype: 'float32' }))]).toEqual([-1]);
    expect([...(await file.read('b', { dtype: 'float64' }))]).toEqual([7, 8, 9]);
  });

  it('may use escapes, and names that are special in JavaScript', async () => {
    const header = `{"__proto__":${entry},"\\u0061\\"\\n\\ud83d\\ude00":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},"__metadata__":{"__proto__":"x","constructor":""}}`;
    const file = await openSafetensors(fileOf(header, eight));
    expect(file.tensors.map(({ name }) => name)).toEqual(['__proto__', 'a"\n😀']);
    expect([...file.metadata]).toEqual([
      ['__proto__', 'x'],
      ['constructor', ''],
    ]);
    expect(({} as { dtype?: unknown }).dtype).toBeUndefined();
    expect((await readSafetensors(fileOf(header, eight))).get('__proto__')[1]).toBe(2);
  });

  it('knows types of less than a byte where they fill whole bytes', async () => {
    const header = headerOf([
      { name: 'four', dtype: 'F4', shape: [2, 3], bytes: 3 },
      { name: 'six', dtype: 'F6_E2M3', shape: [4], bytes: 3 },
    ]);
    expect((await openSafetensors(fileOf(header, [1, 2, 3, 4, 5, 6]))).tensors.length).toBe(2);
  });
});

describe('a header is refused', () => {
  const lengthOnly = (length: bigint, size: number): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(size);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  };
  const withEntry = (text: string): string => `{"a":${text}}`;
  const nine = [...eight, 0];

  it.each([
    ['HEADER_TOO_SMALL', new Uint8Array(0)],
    ['HEADER_TOO_SMALL', new Uint8Array(7)],
    ['HEADER_TOO_LARGE', lengthOnly(100_000_001n, 8)],
    ['HEADER_TOO_LARGE', lengthOnly(2n ** 64n - 1n, 100)],
    ['INVALID_HEADER_LENGTH', lengthOnly(1n, 8)],
    ['INVALID_HEADER_LENGTH', lengthOnly(100_000_000n, 1000)],
    ['INVALID_HEADER_UTF8', fileOf(new Uint8Array([0x7b, 0xff, 0x7d]))],
    ['INVALID_HEADER_UTF8', fileOf(new Uint8Array([0x7b, 0xed, 0xa0, 0x80, 0x7d]))],
    ['INVALID_HEADER_START', fileOf('')],
    ['INVALID_HEADER_START', fileOf(' {}')],
    ['INVALID_HEADER_START', fileOf('[]')],
    ['INVALID_HEADER_START', fileOf('\ufeff{}')],
    ['INVALID_HEADER_JSON', fileOf('{')],
    ['INVALID_HEADER_JSON', fileOf('{"a"')],
    ['INVALID_HEADER_JSON', fileOf('{"a":')],
    ['INVALID_HEADER_JSON', fileOf('{"a')],
    ['INVALID_HEADER_JSON', fileOf('{"a\\')],
    ['INVALID_HEADER_JSON', fileOf('{a:1}')],
    ['INVALID_HEADER_JSON', fileOf("{'a':1}")],
    ['INVALID_HEADER_JSON', fileOf('{"a":1,}')],
    ['INVALID_HEADER_JSON', fileOf('{"a":[1,]}')],
    ['INVALID_HEADER_JSON', fileOf('{"a":[1 2]}')],
    ['INVALID_HEADER_JSON', fileOf('{"a":01}')],
    ['INVALID_HEADER_JSON', fileOf('{"a":.5}')],
    ['INVALID_HEADER_JSON', fileOf('{"a":+1}')],
    ['INVALID_HEADER_JSON', fileOf('{"a":NaN}')],
    ['INVALID_HEADER_JSON', fileOf('{"a":nul}')],
    ['INVALID_HEADER_JSON', fileOf('{"\\x":1}')],
    ['INVALID_HEADER_JSON', fileOf('{"a\nb":1}')],
    ['INVALID_HEADER_JSON', fileOf('{"\\ud800":1}')],
    ['INVALID_HEADER_JSON', fileOf('{}\n')],
    ['INVALID_HEADER_JSON', fileOf('{}{}')],
    ['INVALID_HEADER_JSON', fileOf('{}\0')],
    ['INVALID_HEADER_JSON', fileOf(`{"a":${'['.repeat(100_000)}`)],
    ['DUPLICATE_KEY', fileOf(`{"a":${entry},"a":${entry}}`, eight)],
    ['DUPLICATE_KEY', fileOf(`{"a":${entry},"\\u0061":${entry}}`, eight)],
    ['DUPLICATE_KEY', fileOf('{"__metadata__":{"k":"1","k":"1"}}')],
    [
      'DUPLICATE_KEY',
      fileOf(withEntry('{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}'), eight),
    ],
    ['INVALID_METADATA', fileOf('{"__metadata__":[]}')],
    ['INVALID_METADATA', fileOf('{"__metadata__":null}')],
    ['INVALID_METADATA', fileOf('{"__metadata__":{"k":1}}')],
    ['INVALID_METADATA', fileOf('{"__metadata__":{"k":{}}}')],
    ['UNKNOWN_DTYPE', fileOf(withEntry('{"dtype":"F33","shape":[2],"data_offsets":[0,8]}'), eight)],
    ['UNKNOWN_DTYPE', fileOf(withEntry('{"dtype":"toString","shape":[2],"data_offsets":[0,8]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('7'))],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{}'))],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":1,"shape":[2],"data_offsets":[0,8]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","data_offsets":[0,8]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","shape":[2]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","shape":2,"data_offsets":[0,8]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}'))],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","shape":[2],"data_offsets":[0,8e0]}'), eight)],
    [
      'TENSOR_INVALID_INFO',
      fileOf(withEntry('{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,8]}')),
    ],
    [
      'TENSOR_INVALID_INFO',
      fileOf(withEntry('{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}'), eight),
    ],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F32","shape":[3],"data_offsets":[0,8]}'), eight)],
    ['TENSOR_INVALID_INFO', fileOf(withEntry('{"dtype":"F64","shape":[2],"data_offsets":[0,8]}'), eight)],
    ['INVALID_OFFSET', fileOf(withEntry('{"dtype":"F32","shape":[2],"data_offsets":[1,9]}'), nine)],
    [
      'INVALID_OFFSET',
      fileOf(
        withEntry(
          '{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}',
        ),
        eight,
      ),
    ],
    ['INVALID_OFFSET', fileOf(`{"a":${entry},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, eight)],
    [
      'INVALID_OFFSET',
      fileOf(
        withEntry(
          '{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[0],"data_offsets":[8,7]}',
        ),
        eight,
      ),
    ],
    [
      'VALIDATION_OVERFLOW',
      fileOf(withEntry('{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}'), eight),
    ],
    ['MISALIGNED_SLICE', fileOf(withEntry('{"dtype":"F4","shape":[3],"data_offsets":[0,1]}'), [0])],
    ['METADATA_INCOMPLETE_BUFFER', fileOf(withEntry(entry), eight.slice(1))],
    ['METADATA_INCOMPLETE_BUFFER', fileOf(withEntry(entry), nine)],
    ['METADATA_INCOMPLETE_BUFFER', fileOf('{}', [0])],
  ] as const)('%s (%#)', async (problem, bytes) => {
    await expectRefusal(openSafetensors(bytes), problem);
  });

  it('beyond the limits that the reader sets', async () => {
    const header = headerOf([
      { name: 'a', dtype: 'U8', shape: [0], bytes: 0 },
      { name: 'b', dtype: 'U8', shape: [0], bytes: 0 },
    ]);
    const bytes = fileOf(header);
    expect(
      (await openSafetensors(bytes, { tensorsMax: 2, headerBytesMax: header.length })).tensors.length,
    ).toBe(2);
    await expectRefusal(openSafetensors(bytes, { tensorsMax: 1 }), 'TOO_MANY_TENSORS');
    await expectRefusal(openSafetensors(bytes, { headerBytesMax: header.length - 1 }), 'HEADER_TOO_LARGE');
    await expect(openSafetensors(bytes, { tensorsMax: 0 })).rejects.toThrow(
      'tensorsMax is 0, expected a whole number',
    );
    await expect(openSafetensors(bytes, { tensors: 1 } as object)).rejects.toThrow(
      'there is no option tensors',
    );
  });

  it('in words that say what was got and expected', async () => {
    const wrong = fileOf(withEntry('{"dtype":"F32","shape":[3],"data_offsets":[0,8]}'), eight);
    await expect(openSafetensors(wrong)).rejects.toThrow(
      'tensor "a" lies in 8 bytes, expected 12 for F32 [3]',
    );
    await expect(openSafetensors(fileOf('{"a":1;}'))).rejects.toThrow(
      'the header has ";}" at character 6, expected a comma or }',
    );
  });
});
