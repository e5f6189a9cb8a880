import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  LinearRegression,
  LogisticRegression,
  ModelParameters,
  NeuralNetwork,
  ParameterLayout,
} from 'mainstem';
import { openSafetensors, readSafetensors, writeSafetensors, writeSafetensorsTo } from 'mainstem/files';
import { describe, expect, it } from 'vitest';
import { createValues } from '../../src/parameters/values.ts';
import { bits, normalRows, randomise, roundRobin } from '../models/support.ts';
import { expectRefusal, fileOf, MemoryHandle } from './support.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const name = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', 'a', 'B', 'layers.10.bias', '10', '2', '"\\\n', '\uffff', '😀'),
);
const shapes = fc.uniqueArray(
  fc.record({ name, shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }) }),
  { selector: (tensor) => tensor.name, maxLength: 8 },
);
const strings = fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ unit: 'binary' }), {
  maxKeys: 4,
  noNullPrototype: true,
});
const architecture = fc.option(
  fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue() as fc.Arbitrary<string>, { maxKeys: 3 }),
  { nil: undefined },
);

const anyParameters = fc
  .record({
    shapes,
    architecture,
    dtype: fc.constantFrom('float32' as const, 'float64' as const),
    bytes: fc.infiniteStream(fc.nat(255)),
    sampleCount: fc.option(fc.nat(), { nil: undefined }),
    baseVersion: fc.option(fc.nat(), { nil: undefined }),
  })
  .map(({ shapes, architecture, dtype, bytes, sampleCount, baseVersion }) => {
    const layout = new ParameterLayout(shapes, architecture);
    const values = createValues(dtype, layout.length);
    // Any bits: NaN with a payload, infinities, subnormal numbers, −0.
    const raw = new Uint8Array(values.buffer);
    for (let i = 0; i < raw.length; i++) raw[i] = bytes.next().value as number;
    return new ModelParameters(layout, values, { sampleCount, baseVersion });
  });

describe('any parameters', () => {
  it('come back as they were, to the bit, and are written again as the same bytes', async () => {
    const ownKeys = ['format', 'tensors', 'architecture', 'sampleCount', 'baseVersion'];
    await fc.assert(
      fc.asyncProperty(anyParameters, strings, async (parameters, metadata) => {
        fc.pre(!Object.keys(metadata).some((key) => ownKeys.includes(key)));
        const bytes = writeSafetensors(parameters, { metadata });
        const file = await openSafetensors(bytes);
        const back = await file.readParameters();
        expect(back.layout.tensors).toEqual(parameters.layout.tensors);
        expect(back.layout.fingerprint).toBe(parameters.layout.fingerprint);
        expect([back.sampleCount, back.baseVersion]).toEqual([
          parameters.sampleCount,
          parameters.baseVersion,
        ]);
        // A file without tensors has no type of number.
        if (parameters.layout.tensors.length > 0) expect(back.dtype).toBe(parameters.dtype);
        expect(bits(back.values)).toEqual(bits(parameters.values));
        for (const [key, value] of Object.entries(metadata)) expect(file.metadata.get(key)).toBe(value);
        expect(writeSafetensors(back, { metadata })).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('come back the same from every kind of source, and to every kind of sink', async () => {
    await fc.assert(
      fc.asyncProperty(anyParameters, fc.integer({ min: 1, max: 40 }), async (parameters, most) => {
        const bytes = writeSafetensors(parameters);
        const handle = new MemoryHandle(new Uint8Array(0), most);
        expect(await writeSafetensorsTo(handle, parameters)).toBe(bytes.length);
        expect(handle.bytes).toEqual(bytes);
        const shifted = new Uint8Array(bytes.length + 3);
        shifted.set(bytes, 3);
        const sources = [bytes.buffer, new Blob([bytes]), handle, shifted.subarray(3)];
        for (const source of sources) {
          expect(writeSafetensors(await readSafetensors(source))).toEqual(bytes);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('what is written', () => {
  it('is this, byte for byte', () => {
    const parameters = ModelParameters.fromArrays(
      { weights: [[1], [-2]], bias: [0.5] },
      { dtype: 'float32', architecture: { model: 'LinearRegression' }, sampleCount: 7, baseVersion: 3 },
    );
    const header =
      '{"__metadata__":{"architecture":"{\\"model\\":\\"LinearRegression\\"}","baseVersion":"3","format":"mainstem/model-parameters@1","note":"hello","sampleCount":"7","tensors":"[\\"weights\\",\\"bias\\"]"},' +
      '"bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"weights":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const data = new Uint8Array(Float32Array.of(0.5, 1, -2).buffer);
    expect(text(writeSafetensors(parameters, { metadata: { note: 'hello' } }))).toBe(
      text(fileOf(padded, data)),
    );
  });

  it('starts the numbers at a multiple of 8, whatever the header is', () => {
    for (let length = 1; length <= 16; length++) {
      const bytes = writeSafetensors(ModelParameters.fromArrays({ ['n'.repeat(length)]: [1] }));
      expect((bytes.length - 8) % 8).toBe(0);
      expect(new DataView(bytes.buffer).getFloat64(bytes.length - 8, true)).toBe(1);
    }
  });

  it('has names in the order of their code points', async () => {
    const names = ['b', '😀', '\uffff', 'a', 'B', 'aa'];
    const parameters = ModelParameters.fromArrays(Object.fromEntries(names.map((name) => [name, [1]])));
    const file = await openSafetensors(writeSafetensors(parameters));
    expect(file.tensors.map(({ name }) => name)).toEqual(['B', 'a', 'aa', 'b', '\uffff', '😀']);
    expect((await file.readParameters()).layout.tensors.map(({ name }) => name)).toEqual(names);
  });

  it.each([
    [{ __metadata__: [1] }, {}, 'a tensor is called __metadata__, a name that the format keeps'],
    [{ '\ud800': [1] }, {}, 'half of a surrogate pair'],
    [{ a: [1] }, { metadata: { key: '\udc00' } }, 'half of a surrogate pair'],
    [{ a: [1] }, { metadata: { format: 'pt' } }, 'metadata has the key format, which mainstem writes itself'],
    [{ a: [1] }, { metadata: { key: 1 } }, 'metadata has 1 at "key", expected a string'],
    [{ a: [1] }, { metadata: [] }, 'metadata is [], expected an object of strings by key'],
    [{ a: [1] }, { meta: {} }, 'there is no option meta'],
  ])('is refused where the format cannot hold it (%#)', (arrays, options, message) => {
    expect(() => writeSafetensors(ModelParameters.fromArrays(arrays), options as object)).toThrow(message);
  });

  it('must be parameters', () => {
    expect(() => writeSafetensors({} as ModelParameters)).toThrow('expected ModelParameters, got an object');
  });
});

describe('a model', () => {
  const features = normalRows(20, 3, 1);
  const numbers = features.map(([a, b]) => [a! - b!, a! * 2]);
  const three = roundRobin(20, ['x', 'y', 'z']);
  const two = roundRobin(20, [4, 5]);
  const quick = { maximumNumberOfIterations: 3 };

  it.each([
    ['linear', new LinearRegression(quick), () => new LinearRegression(), numbers],
    ['two classes', new LogisticRegression(quick), () => new LogisticRegression(), two],
    ['three classes', new LogisticRegression(quick), () => new LogisticRegression(), three],
    [
      'behind a scaler',
      new NeuralNetwork({ ...quick, preprocessing: 'standardScaler' }),
      () => new NeuralNetwork(),
      three,
    ],
    ['network of classes', new NeuralNetwork(quick), () => new NeuralNetwork(), three],
    [
      'deep network',
      new NeuralNetwork({
        ...quick,
        layers: [3, { units: 4, activation: 'tanh' }, ...new Array<number>(10).fill(2), 2],
      }),
      () => new NeuralNetwork(),
      numbers,
    ],
  ])('is made again from the file alone: %s', async (_name, model, fresh, labels) => {
    model.train(features, labels as number[]);
    randomise(model as NeuralNetwork, 3);
    const again = fresh();
    again.setModelParameters(await readSafetensors(writeSafetensors(model.getModelParameters())));
    expect(again.predict(features)).toEqual(model.predict(features));
    expect(again.getModelParameters().layout.fingerprint).toBe(model.getModelParameters().layout.fingerprint);
  });
});

const filled = (value: number): number[] => new Array<number>(300_000).fill(value);

describe('an open file', () => {
  it('of Node is written and read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mainstem-'));
    try {
      const parameters = ModelParameters.fromArrays({ b: [1, 2], a: [[3]] }, { sampleCount: 5 });
      const path = join(folder, 'model.safetensors');
      const written = await open(path, 'w');
      await writeSafetensorsTo(written, parameters);
      await written.close();
      expect(new Uint8Array(await readFile(path))).toEqual(writeSafetensors(parameters));
      const handle = await open(path);
      expect((await readSafetensors(handle)).toJSON()).toEqual(parameters.toJSON());
      await handle.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is read header first, then only the tensors that are asked for', async () => {
    const bytes = writeSafetensors(ModelParameters.fromArrays({ a: filled(0), b: [7] }));
    const handle = new MemoryHandle(bytes);
    const file = await openSafetensors(handle);
    const headerBytes = bytes.length - 8 - 300_001 * 8;
    expect(handle.reads).toEqual([
      [0, 8],
      [8, headerBytes],
    ]);
    handle.reads = [];
    expect([...(await file.read('b'))]).toEqual([7]);
    expect(handle.reads).toEqual([[bytes.length - 8, 8]]);
    handle.reads = [];
    await file.read('a', { dtype: 'float32' });
    expect(handle.reads.map(([, length]) => length)).toEqual([2 ** 20, 2 ** 20, 300_000 * 8 - 2 ** 21]);
  });

  it('is written in pieces of at most 1 MiB', async () => {
    const handle = new MemoryHandle();
    await writeSafetensorsTo(handle, ModelParameters.fromArrays({ a: filled(3) }));
    expect(Math.max(...handle.writes)).toBe(2 ** 20);
    expect((await readSafetensors(handle)).values.every((value) => value === 3)).toBe(true);
  });

  it('that became shorter, or takes nothing, is an error and no endless loop', async () => {
    const parameters = ModelParameters.fromArrays({ a: [1, 2, 3] });
    const handle = new MemoryHandle(writeSafetensors(parameters));
    const file = await openSafetensors(handle);
    handle.bytes = handle.bytes.slice(0, -8);
    await expectRefusal(file.read('a'), 'METADATA_INCOMPLETE_BUFFER');
    await expect(writeSafetensorsTo(new MemoryHandle(undefined, 0), parameters)).rejects.toThrow(
      'the file took 0 of',
    );
  });

  it('must be something that can be read', async () => {
    await expect(readSafetensors('model.safetensors' as unknown as Uint8Array)).rejects.toThrow(
      'got string, expected a Uint8Array, an ArrayBuffer, a Blob or an open file with read and stat',
    );
    await expect(readSafetensors(null as unknown as Uint8Array)).rejects.toThrow('got null, expected');
  });
});

describe('metadata', () => {
  const entry = '"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}';
  const withMetadata = (metadata: object): Uint8Array =>
    fileOf(`{"__metadata__":${JSON.stringify(metadata)},${entry}}`, [0, 0, 128, 63]);
  const ours = { format: 'mainstem/model-parameters@1', tensors: '["a"]' };

  it('of others is left alone', async () => {
    const parameters = await readSafetensors(
      withMetadata({ format: 'pt', architecture: '{', sampleCount: 'many' }),
    );
    expect(parameters.toArrays()).toEqual({ a: 1 });
    expect(parameters.layout.architecture).toBeUndefined();
    expect([parameters.dtype, parameters.sampleCount]).toEqual(['float32', undefined]);
  });

  it.each([
    { ...ours, format: 'mainstem/model-parameters@2' },
    { ...ours, tensors: '["b"]' },
    { ...ours, tensors: '["a","a"]' },
    { ...ours, tensors: '[]' },
    { ...ours, tensors: 'a' },
    { format: ours.format },
    { ...ours, architecture: '[]' },
    { ...ours, architecture: 'null' },
    { ...ours, architecture: '{' },
    { ...ours, sampleCount: '-1' },
    { ...ours, sampleCount: '"1"' },
    { ...ours, baseVersion: '1e999' },
  ])('of mainstem is refused where it is damaged (%#)', async (metadata) => {
    const file = await openSafetensors(withMetadata(metadata));
    await expectRefusal(file.readParameters(), 'INVALID_METADATA');
    expect([...(await file.read('a'))]).toEqual([1]);
  });
});
