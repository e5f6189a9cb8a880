import { ParameterLayout, seededRandom } from 'mainstem';
import type { CodecOption, Compressor } from 'mainstem/compression';
import { describe, expect, test } from 'vitest';
import { codecs, compressorOf, layout, minus, nameOf, norm, normals } from './helpers.ts';

const { length } = layout;

/** Sends values; returns what arrived. */
function send(compressor: Compressor, values: Float64Array<ArrayBuffer>): Float32Array {
  const { sent, adopt } = compressor.compress(values);
  const copy = sent.slice();
  adopt();
  return copy;
}

const feeding: readonly CodecOption[] = [
  'oneBit',
  'topK',
  { codec: 'threshold', threshold: 0.5 },
  'randomK',
  'powerSGD',
  { codec: 'int4', errorFeedback: true },
  'auto',
];

test.each(
  feeding.map((option) => [nameOf(option), option] as const),
)('%s: all that was given is what arrived and what is left, which stays bounded', (_name, option) => {
  const compressor = compressorOf(option);
  const random = seededRandom(1);
  const [given, arrived] = [new Float64Array(length), new Float64Array(length)];
  let worst = 0;
  for (let round = 0; round < 400; round++) {
    const values = normals(random, length);
    const sent = send(compressor, values);
    for (let i = 0; i < length; i++) {
      given[i] = (given[i] as number) + (values[i] as number);
      arrived[i] = (arrived[i] as number) + (sent[i] as number);
    }
    if (round >= 200) worst = Math.max(worst, norm(minus(given, arrived)));
  }
  // Values of 0 bring out what is left, as far as the codec goes.
  const left = norm(minus(given, arrived));
  for (let round = 0; round < 400; round++) {
    const sent = send(compressor, new Float64Array(length));
    for (let i = 0; i < length; i++) arrived[i] = (arrived[i] as number) + (sent[i] as number);
  }
  const after = norm(minus(given, arrived));
  if (nameOf(option).includes('threshold')) expect(after).toBeLessThan(0.5 * Math.sqrt(length));
  // Of each value that waits (1 − 0.01)⁴⁰⁰ are never drawn.
  else if (option === 'randomK') expect(after).toBeLessThan(0.2 * left);
  else expect(after).toBeLessThan(0.05 * left + 1e-3);
  // Of 1 % a value waits a hundred rounds, in which it grows by a standard deviation of 10.
  expect(worst).toBeLessThan(20 * Math.sqrt(length));
});

test('a payload that does not go out leaves no trace', () => {
  for (const option of codecs) {
    const [a, b] = [compressorOf(option), compressorOf(option)];
    const random = seededRandom(2);
    send(a, normals(random, length));
    send(b, normals(seededRandom(2), length));
    const before = a.save();
    a.compress(normals(random, length));
    expect(a.save(), nameOf(option)).toEqual(before);
    expect(a.save()).toEqual(b.save());
  }
});

describe('saved state', () => {
  test('a compressor goes on from it as if nothing had happened', () => {
    for (const option of codecs) {
      const random = seededRandom(3);
      const first = compressorOf(option, layout, 1);
      for (let round = 0; round < 3; round++) send(first, normals(random, length));
      const second = compressorOf(option, layout, 2);
      second.load(first.save());
      expect(second.save(), nameOf(option)).toEqual(first.save());
      // What is rounded or drawn at random differs; the rest is the same to the bit.
      const isRandom = /int8"?$|^int4|^ternary|randomK/.test(nameOf(option)) || option === 'int8';
      const values = normals(random, length);
      if (!isRandom && option !== 'auto')
        expect(send(second, values), nameOf(option)).toEqual(send(first, values));
    }
  });

  test('of another layout, of another version, cut off or damaged, is a typed error and changes nothing', () => {
    const compressor = compressorOf('topK');
    send(compressor, normals(seededRandom(4), length));
    const saved = compressor.save();
    const other = compressorOf('topK', new ParameterLayout([{ name: 'x', shape: [4] }]));
    expect(() => other.load(saved)).toThrow(expect.objectContaining({ code: 'LAYOUT_MISMATCH' }));
    const fresh = compressorOf('topK');
    const before = fresh.save();
    for (const end of [0, 1, 20, 40, saved.length - 1])
      expect(() => fresh.load(saved.slice(0, end))).toThrow(
        expect.objectContaining({ code: 'MALFORMED_DATA' }),
      );
    const later = saved.slice();
    later[0] = 9;
    expect(() => fresh.load(later)).toThrow(/unknown version/);
    const broken = saved.slice();
    broken.fill(0xff, 60, 64);
    expect(() => fresh.load(broken)).toThrow(expect.objectContaining({ code: 'MALFORMED_DATA' }));
    expect(fresh.save()).toEqual(before);
  });
});

test('the warm-up leaves out 75, 93.7, 98.4, 99.6 and then 99.9 % (Lin and others 2018)', () => {
  const large = new ParameterLayout([{ name: 'x', shape: [100_000] }]);
  const compressor = compressorOf({ codec: 'topK', share: 0.001, warmUpUpdates: 4 }, large);
  const random = seededRandom(5);
  const left = Array.from({ length: 6 }, () => {
    const sent = send(compressor, normals(random, 100_000));
    return sent.filter((value) => value === 0).length / 1_000;
  });
  expect(left.map((percent) => Math.round(percent * 10) / 10)).toEqual([75, 93.7, 98.4, 99.6, 99.9, 99.9]);
});

test('momentum correction is the momentum of what is sent at last (Lin and others 2018, equation 4)', () => {
  const compressor = compressorOf({ codec: 'topK', share: 0.1, momentum: 0.9, values: 'float32' });
  const random = seededRandom(6);
  let [u, v] = [new Float64Array(length), new Float64Array(length)];
  for (let round = 0; round < 20; round++) {
    const gradient = normals(random, length);
    u = u.map((value, i) => 0.9 * value + (gradient[i] as number));
    v = v.map((value, i) => value + (u[i] as number));
    const sent = send(compressor, gradient);
    for (let i = 0; i < length; i++) {
      if (sent[i] === 0) continue;
      expect(sent[i]).toBeCloseTo(v[i] as number, 4);
      u[i] = 0;
      v[i] = 0;
    }
  }
});

describe('auto', () => {
  const bytesOf = (compressor: Compressor): number =>
    compressor.compress(normals(seededRandom(7), length)).payload.length;

  test('sends less at once where answers take too long, and more again bit by bit where they are quick', () => {
    const compressor = compressorOf({ codec: 'auto', targetMs: 50 });
    const sizes = [bytesOf(compressor)];
    compressor.observe(5_000);
    sizes.push(bytesOf(compressor));
    // It would take too long with the next larger one.
    for (let answer = 0; answer < 20; answer++) compressor.observe(40);
    sizes.push(bytesOf(compressor));
    for (let answer = 0; answer < 30; answer++) {
      compressor.observe(1);
      const size = bytesOf(compressor);
      if (size !== sizes.at(-1)) sizes.push(size);
    }
    const [middle, least, ...more] = sizes as [number, number, ...number[]];
    expect(least).toBeLessThan(middle / 10);
    expect(more[0]).toBe(least);
    expect(more.slice(1)).toEqual([...more.slice(1)].sort((a, b) => a - b));
    expect(more.at(-1)).toBeGreaterThan(4 * length);
  });

  test('small tensors keep their digits but for those of the largest only', () => {
    const compressor = compressorOf({ codec: 'auto', targetMs: 50 });
    compressor.observe(50 * 7);
    const values = normals(seededRandom(8), length);
    const { sent } = compressor.compress(values);
    const bias = layout.find('bias') as { offset: number; size: number };
    for (let i = bias.offset; i < bias.offset + bias.size; i++)
      expect(Math.abs((sent[i] as number) - (values[i] as number))).toBeLessThanOrEqual(
        Math.abs(values[i] as number) * 2 ** -8,
      );
    expect(new Set(sent.subarray(0, 512).map(Math.abs)).size).toBeLessThan(3);
  });
});
