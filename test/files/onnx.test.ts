import type { Architecture, JsonValue } from 'mainstem';
import {
  LinearRegression,
  LogisticRegression,
  ModelParameters,
  NeuralNetwork,
  NonFiniteError,
} from 'mainstem';
import { exportOnnx, UnsupportedModelError } from 'mainstem/files';
import { describe, expect, it } from 'vitest';
import { ProtobufMessage } from '../../src/files/protobuf.ts';

/** The fields of a message: numbers, and bytes where their length is given. A reader for tests alone. */
function fieldsOf(bytes: Uint8Array): [field: number, value: number | Uint8Array][] {
  const fields: [number, number | Uint8Array][] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (tag % 8 === 0) fields.push([field, varint()]);
    else if (tag % 8 === 5) {
      fields.push([field, new DataView(bytes.buffer, bytes.byteOffset + at).getFloat32(0, true)]);
      at += 4;
    } else {
      const length = varint();
      fields.push([field, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

const all = (bytes: Uint8Array, field: number): Uint8Array[] =>
  fieldsOf(bytes).flatMap(([number, value]) => (number === field ? [value as Uint8Array] : []));
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const number = (bytes: Uint8Array, field: number): unknown =>
  fieldsOf(bytes).find(([candidate]) => candidate === field)?.[1];

describe('the protobuf writer', () => {
  it.each([0, 1, 127, 128, 300, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER])('writes %i', (value) => {
    expect(fieldsOf(new ProtobufMessage().integer(3, value).toBytes())).toEqual([[3, value]]);
  });

  it('writes what its page of encodings shows', () => {
    // https://protobuf.dev/programming-guides/encoding: a = 150, b = "testing", a message in field 3.
    const inner = new ProtobufMessage().integer(1, 150);
    const message = new ProtobufMessage().text(2, 'testing').message(3, inner).float(20, 1);
    const hexadecimal = Array.from(message.toBytes(), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    expect(hexadecimal).toBe('12 07 74 65 73 74 69 6e 67 1a 03 08 96 01 a5 01 00 00 80 3f');
  });
});

describe('an exported model', () => {
  const model = new LogisticRegression({ classes: ['no', 'yes'] });
  model.train(
    [
      [1, 2],
      [3, 4],
      [5, 7],
    ],
    ['no', 'yes', 'no'],
    { maximumNumberOfIterations: 2 },
  );
  const { bytes, ...rest } = exportOnnx(model);

  it('says who made it, in which version, for which operators', () => {
    expect([number(bytes, 1), text(all(bytes, 2)[0])]).toEqual([8, 'mainstem']);
    expect(all(bytes, 8).map((set) => [text(all(set, 1)[0]), number(set, 2)])).toEqual([['', 15]]);
  });

  it('names what goes in and comes out, with its classes', () => {
    expect(rest).toMatchObject({
      input: { name: 'features', columns: 2 },
      output: { name: 'probabilities', columns: 2 },
      classes: ['no', 'yes'],
    });
    const graph = all(bytes, 7)[0]!;
    const shapes = [11, 12].map((field) => {
      const value = all(graph, field)[0]!;
      const tensor = all(all(value, 2)[0]!, 1)[0]!;
      const axes = all(all(tensor, 2)[0]!, 1).map((axis) => number(axis, 1) ?? text(all(axis, 2)[0]));
      return [text(all(value, 1)[0]), number(tensor, 1), axes];
    });
    expect(shapes).toEqual([
      ['features', 1, ['batch', 2]],
      ['probabilities', 1, ['batch', 2]],
    ]);
    const properties = all(bytes, 14).map((entry) => [text(all(entry, 1)[0]), text(all(entry, 2)[0])]);
    expect(Object.fromEntries(properties)).toEqual({
      architecture: '{"classes":["no","yes"],"model":"LogisticRegression"}',
      classes: '["no","yes"]',
    });
  });

  it('is the same from the model and from its parameters', () => {
    expect(exportOnnx(model.getModelParameters()).bytes).toEqual(bytes);
  });

  it('holds each number once, as float32', () => {
    const network = new NeuralNetwork({ layers: [2, 3, 1] });
    const graph = all(exportOnnx(network).bytes, 7)[0]!;
    const tensors = all(graph, 5).map((tensor) => {
      const raw = all(tensor, 9)[0]!;
      return [text(all(tensor, 8)[0]), number(tensor, 2), [...new Float32Array(raw.slice().buffer)]];
    });
    const parameters = network.getModelParameters();
    expect(tensors).toEqual(
      parameters.layout.tensors.map(({ name }) => [name, 1, [...parameters.get(name)]]),
    );
  });
});

const network = (architecture: object, weights: number[][] = [[1, 2]], more: object = {}): ModelParameters =>
  ModelParameters.fromArrays(
    { 'layers.0.weights': weights, 'layers.0.bias': new Array<number>(weights[0]!.length).fill(0), ...more },
    { architecture: { model: 'NeuralNetwork', activations: ['identity'], ...architecture } as Architecture },
  );
const withStep = (step: object, columns = 1): ModelParameters =>
  network({ preprocessing: { columns, steps: [step] } as unknown as JsonValue });

describe('what cannot be exported', () => {
  it.each([
    ['made by hand', ModelParameters.fromArrays({ weights: [[1]], bias: [0] }), 'have no architecture'],
    ['another model', network({ model: 'Forest' }), 'a "Forest" cannot be written as ONNX'],
    [
      'a formula',
      network({ activations: [{ formula: 'x^2' }] }),
      'activation {"formula":"x^2"} cannot be written',
    ],
    ['a name of the prototype', network({ activations: ['toString'] }), 'activation "toString" cannot be'],
    ['more tensors', network({}, [[1, 2]], { extra: [1] }), 'there are 3 tensors, the layers use 2 of them'],
    [
      'text categories',
      withStep({ name: 'oneHotEncoder', columns: [0], categories: [['a', 'b']] }),
      'the category "a" is no number',
    ],
    [
      'equal categories',
      withStep({ name: 'oneHotEncoder', columns: [0], categories: [[16777216, 16777217]] }),
      'are not all different as float32',
    ],
    ['another step', withStep({ name: 'pca', columns: [0] }), 'the step "pca" cannot be written as ONNX'],
    [
      'a column of two steps',
      withStep({ name: 'standardScaler', columns: [0, 0], mean: [1, 1], deviation: [1, 1] }),
      'column 0 is changed by two steps',
    ],
  ])('%s', (_name, parameters, message) => {
    expect(() => exportOnnx(parameters)).toThrow(message);
    expect(() => exportOnnx(parameters)).toThrow(UnsupportedModelError);
  });

  it.each([
    ['activations', network({ activations: [] }), 'activations are [], expected one for each layer'],
    [
      'a missing layer',
      network({ activations: ['relu', 'relu'] }),
      'layer 1 has nothing and nothing, expected weights [2×outputs]',
    ],
    [
      'a layer that does not follow',
      network({ activations: ['relu', 'relu'] }, [[1, 2]], {
        'layers.1.weights': [[1]],
        'layers.1.bias': [1],
      }),
      'layer 1 has layers.1.weights [1×1]',
    ],
    [
      'the bias',
      network({}, [[1, 2]], { 'layers.0.bias': [1] }),
      'layer 0 has layers.0.weights [1×2] and layers.0.bias [1]',
    ],
    ['the classes', network({ classes: ['a', 'b', 'c'] }), 'the last layer has 2 outputs for 3 classes'],
    ['preprocessing', network({ preprocessing: [] }), 'preprocessing is [], expected { columns, steps }'],
    ['a step', withStep([]), 'a step of preprocessing is [], expected an object'],
    [
      'the width',
      withStep({ name: 'minMaxScaler', columns: [], minimum: [], maximum: [], range: [0, 1] }, 2),
      'preprocessing makes 2 columns, the first layer has 1 inputs',
    ],
    [
      'a column',
      withStep({ name: 'standardScaler', columns: [1], mean: [1], deviation: [1] }),
      '"standardScaler" has column 1, there are 1',
    ],
    [
      'a number of means',
      withStep({ name: 'standardScaler', columns: [0], mean: [], deviation: [1] }),
      'mean of "standardScaler" is [], expected 1 numbers',
    ],
    [
      'a range',
      withStep({ name: 'minMaxScaler', columns: [0], minimum: [0], maximum: [1], range: [0] }),
      'range of "minMaxScaler" is [0], expected 2 numbers',
    ],
    [
      'categories',
      withStep({ name: 'oneHotEncoder', columns: [0], categories: [] }),
      'has no list of categories for each of its 1 columns',
    ],
    [
      'a category',
      withStep({ name: 'oneHotEncoder', columns: [0], categories: [5] }),
      'categories are 5, expected a list',
    ],
  ])('an architecture that is damaged at %s', (_name, parameters, message) => {
    expect(() => exportOnnx(parameters)).toThrow(message);
    expect(() => exportOnnx(parameters)).toThrow(expect.objectContaining({ code: 'MALFORMED_DATA' }));
  });

  it('numbers that float32 does not have', () => {
    expect(() => exportOnnx(network({}, [[1, 1e39]]))).toThrow(NonFiniteError);
    expect(() => exportOnnx(network({}, [[1, 1e39]]))).toThrow('layers.0.weights has 1e+39 at [1]');
    expect(() => exportOnnx(network({}, [[1, Number.NaN]]))).toThrow('layers.0.weights[1]');
    const tiny = withStep({
      name: 'minMaxScaler',
      columns: [0],
      minimum: [0],
      maximum: [1e-300],
      range: [0, 1],
    });
    expect(() => exportOnnx(tiny)).toThrow('preprocessing.factor has');
  });

  it('what is no model', () => {
    expect(() => exportOnnx({} as ModelParameters)).toThrow('expected ModelParameters, got an object');
    const later = { getModelParameters: async () => network({}) } as unknown as NeuralNetwork;
    expect(() => exportOnnx(later)).toThrow('got a promise; await it');
    expect(() => exportOnnx(new NeuralNetwork())).toThrow('has no parameters yet');
  });
});

it('a column that float32 inputs would round away is refused, and says what to do', () => {
  const model = new LinearRegression({ preprocessing: 'standardScaler', maximumNumberOfIterations: 1 });
  model.train([[1.7e12], [1.7e12 + 500], [1.7e12 + 900]], [1, 2, 3]);
  expect(() => exportOnnx(model)).toThrow(UnsupportedModelError);
  expect(() => exportOnnx(model)).toThrow(/column 0 lies around 17000000004.*subtract an offset/);
});
