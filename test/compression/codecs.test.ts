import fc from 'fast-check';
import { ParameterLayout, seededRandom } from 'mainstem';
import type { CodecOption } from 'mainstem/compression';
import { compression } from 'mainstem/compression';
import { describe, expect, test } from 'vitest';
import { codecs, compressorOf, layout, minus, nameOf, norm, normals, reread } from './helpers.ts';

const named = codecs.map((option) => [nameOf(option), option] as const);
const { length } = layout;

describe.each(named)('%s', (_name, option) => {
  test('whoever reads gets what the sender takes for sent, whatever the values', () => {
    const float = fc.float({
      noNaN: true,
      noDefaultInfinity: true,
      min: Math.fround(-1e30),
      max: Math.fround(1e30),
    });
    const anyValues = fc.array(float, { minLength: length, maxLength: length });
    const sparse = fc
      .array(fc.tuple(fc.nat(length - 1), float))
      .map((entries) => Array.from({ length }, (_, i) => entries.find(([at]) => at === i)?.[1] ?? 0));
    fc.assert(
      fc.property(fc.oneof(anyValues, sparse), fc.integer(), (values, seed) => {
        const { payload, sent } = compressorOf(option, layout, seed).compress(Float64Array.from(values));
        expect(reread(payload)).toEqual(sent);
      }),
      { numRuns: 40 },
    );
  });

  test('a payload that is cut off anywhere, or longer, is a typed error', () => {
    const { payload } = compressorOf(option).compress(normals(seededRandom(3), length));
    for (let end = 0; end < payload.length; end++)
      expect(() => reread(payload.slice(0, end))).toThrow(
        expect.objectContaining({ code: 'MALFORMED_DATA' }),
      );
    const longer = new Uint8Array(payload.length + 1);
    longer.set(payload);
    expect(() => reread(longer)).toThrow(/1 bytes behind/);
  });

  test('a payload with any bytes changed is values or a typed error', () => {
    const { payload } = compressorOf(option).compress(normals(seededRandom(4), length));
    const random = seededRandom(5);
    for (let round = 0; round < 2_000; round++) {
      const broken = payload.slice();
      // The first bytes say how the others are read.
      const span = round % 2 === 0 ? 12 : broken.length;
      for (let change = 0; change <= round % 3; change++)
        broken[Math.floor(random.next() * Math.min(span, broken.length))] = Math.floor(random.next() * 256);
      try {
        expect(reread(broken).length).toBe(length);
      } catch (thrown) {
        expect((thrown as { code?: string }).code).toBe('MALFORMED_DATA');
      }
    }
  });

  test('what is not finite is refused, and changes nothing', () => {
    const [compressor, clean] = [compressorOf(option), compressorOf(option)];
    const values = normals(seededRandom(6), length);
    for (const bad of [Number.NaN, Infinity, 1e300]) {
      const broken = values.slice();
      broken[7] = bad;
      expect(() => compressor.compress(broken)).toThrow(expect.objectContaining({ code: 'NON_FINITE' }));
    }
    expect(compressor.save()).toEqual(clean.save());
    expect(compressor.compress(values).payload).toEqual(clean.compress(values).payload);
  });
});

describe('unbiased', () => {
  const values = normals(seededRandom(8), length);
  const largest = Math.max(...values.map(Math.abs));
  const randomK = { codec: 'randomK', share: 0.2, errorFeedback: false, values: 'float32' } as const;
  // The largest standard deviation of one value: half a step, and |value| √((1 − p) / p).
  test.each([
    ['int8', 'int8', largest / 254],
    ['int4', 'int4', largest / 14],
    ['ternary', 'ternary', largest / 2],
    ['randomK', randomK, 2 * largest],
  ] as const)('%s', (_name, option, deviation) => {
    const rounds = 4_000;
    const sum = new Float64Array(length);
    const compressor = compressorOf(option);
    for (let round = 0; round < rounds; round++) {
      const { sent } = compressor.compress(values);
      for (let i = 0; i < length; i++) sum[i] = (sum[i] as number) + (sent[i] as number);
    }
    const errors = sum.map((total, i) => Math.abs(total / rounds - (values[i] as number)));
    expect(Math.max(...errors)).toBeLessThan((5 * deviation) / Math.sqrt(rounds));
  });
});

describe('bounded', () => {
  const values = normals(seededRandom(9), length);
  const largest = Math.max(...values.map(Math.abs));
  const errorOf = (option: CodecOption): Float64Array<ArrayBuffer> =>
    minus(values, compressorOf(option).compress(values).sent);
  const worstOf = (option: CodecOption): number => Math.max(...errorOf(option).map(Math.abs));

  test('the error of one value', () => {
    expect(worstOf('float16')).toBeLessThanOrEqual(largest * 2 ** -11);
    expect(worstOf('bfloat16')).toBeLessThanOrEqual(largest * 2 ** -8);
    expect(worstOf('int8')).toBeLessThanOrEqual(largest / 127);
    expect(worstOf({ codec: 'int8', rounding: 'nearest' })).toBeLessThanOrEqual((largest / 254) * 1.001);
    expect(worstOf('int4')).toBeLessThanOrEqual((largest / 7) * 1.001);
    expect(worstOf({ codec: 'threshold', threshold: 0.5, values: 'float32' })).toBeLessThan(0.5);
    expect(worstOf({ codec: 'topK', share: 1, values: 'float32' })).toBeLessThan(1e-6);
  });

  test('what is fed back comes nearer with every kind that feeds back', () => {
    const feeding = codecs.filter((option) => {
      const settings = typeof option === 'string' ? { codec: option } : option;
      const own = 'errorFeedback' in settings ? settings.errorFeedback : undefined;
      return own ?? ['oneBit', 'topK', 'threshold', 'randomK', 'powerSGD', 'auto'].includes(settings.codec);
    });
    expect(feeding.length).toBe(10);
    for (const option of feeding) expect(norm(errorOf(option)), nameOf(option)).toBeLessThan(norm(values));
  });

  test('topK sends the largest, and randomK as many at other places', () => {
    const { sent } = compressorOf({ codec: 'topK', share: 0.1, values: 'float32' }).compress(values);
    const order = Array.from(values.keys()).sort(
      (a, b) => Math.abs(values[b] as number) - Math.abs(values[a] as number),
    );
    const places = Array.from(sent.keys()).filter((i) => sent[i] !== 0);
    expect(places).toEqual(order.slice(0, 123).sort((a, b) => a - b));
    const random = compressorOf({ codec: 'randomK', share: 0.1 });
    const of = (): number[] =>
      Array.from(random.compress(values).sent.entries()).flatMap(([i, v]) => (v === 0 ? [] : [i]));
    const [first, second] = [of(), of()];
    expect([first.length, second.length]).toEqual([123, 123]);
    expect(first).not.toEqual(second);
  });

  test('a matrix of low rank comes through PowerSGD as it is', () => {
    const random = seededRandom(11);
    const [u, v] = [normals(random, 80), normals(random, 60)];
    const matrix = new Float64Array(length);
    for (let row = 0; row < 40; row++)
      for (let column = 0; column < 30; column++)
        for (let k = 0; k < 2; k++)
          matrix[row * 30 + column] =
            (matrix[row * 30 + column] as number) +
            (u[2 * row + k] as number) * (v[2 * column + k] as number);
    const { sent } = compressorOf({ codec: 'powerSGD', rank: 2 }).compress(matrix);
    expect(norm(minus(matrix, sent))).toBeLessThan(0.01 * norm(matrix));
  });
});

describe('bytes of a 784-128-10 network', () => {
  const network = new ParameterLayout([
    { name: 'layers.0.weights', shape: [784, 128] },
    { name: 'layers.0.bias', shape: [128] },
    { name: 'layers.1.weights', shape: [128, 10] },
    { name: 'layers.1.bias', shape: [10] },
  ]);
  const values = normals(seededRandom(12), network.length);
  test.each([
    ['topK', 60],
    ['oneBit', 30],
    ['int4', 7.5],
    ['ternary', 19],
    ['powerSGD', 75],
    ['int8', 3.95],
    ['bfloat16', 1.99],
    ['randomK', 190],
  ] as const)('%s: at least %d times fewer', (codec, least) => {
    const { payload } = compressorOf(codec, network).compress(values);
    expect((4 * network.length) / payload.length).toBeGreaterThanOrEqual(least);
  });
});

test('settings that are illegal, unknown, or of another codec are refused by name', () => {
  const refused = (updates: unknown): string => {
    try {
      compression({ updates: updates as CodecOption });
      return 'taken';
    } catch (thrown) {
      return `${(thrown as { code: string }).code} ${(thrown as Error).message}`;
    }
  };
  expect(refused('gzip')).toMatch(/INVALID_OPTION codec is "gzip", expected none, float16/);
  expect(refused(undefined)).toBe('taken');
  expect(refused(null)).toMatch(/INVALID_OPTION/);
  expect(refused({ codec: 'topK', share: 0 })).toMatch(/share is 0/);
  expect(refused({ codec: 'topK', blockLength: 8 })).toMatch(/no option blockLength/);
  expect(refused({ codec: 'threshold' })).toMatch(/needs a threshold/);
  expect(refused({ codec: 'int8', rounding: 'up' })).toMatch(/rounding is "up"/);
  expect(refused({ codec: 'randomK', momentum: 0.9 })).toMatch(/diverges/);
  expect(refused({ codec: 'randomK', momentum: 0.9, allowMomentum: true })).toBe('taken');
  expect(refused({ codec: 'randomK', momentum: 0.9, errorFeedback: false })).toBe('taken');
  for (const main of ['auto', 'ternary', { codec: 'topK', momentum: 0.5 }] as const)
    expect(() => compression({ main })).toThrow(/sent to all children alike/);
  expect(() => compression({ up: 'topK' } as never)).toThrow(/no option up/);
});

test('terms of a later coordinator are refused, not guessed', () => {
  const { compressUpdates } = compression();
  for (const terms of ['"sketch"', '{"codec":"topK","sketch":1}', '{', 'null', '5'])
    expect(() => compressUpdates(terms, layout, seededRandom(1))).toThrow(
      expect.objectContaining({ code: 'MALFORMED_DATA' }),
    );
  expect(compressUpdates('"none"', layout, seededRandom(1))).toBeUndefined();
});
