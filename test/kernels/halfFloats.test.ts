import { afterEach, describe, expect, test } from 'vitest';
import { halfFloatKernels } from '../../src/kernels/HalfFloatKernels.ts';
import { referenceHalfFloats } from '../../src/kernels/referenceHalfFloats.ts';
import { kernels } from '../../src/kernels/selection.ts';
import { seededRandom } from '../../src/random.ts';

const start = kernels.name;
afterEach(() => kernels.select(start));

const allCodes = Uint16Array.from({ length: 65_536 }, (_, code) => code);

/** The value of a float16, by its definition. */
function float16Value(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 31;
  const fraction = code & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const float16s = Array.from(allCodes, float16Value);

const bitsOf = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

/** All floats in the middle of two neighbours of 16 bits, those next to them, and many others. */
function difficultFloats(): Float32Array {
  const middles: number[] = [];
  for (let code = 0; code < 0x7c00; code++) {
    const middle =
      ((float16s[code] as number) + (code === 0x7bff ? 65_536 : (float16s[code + 1] as number))) / 2;
    middles.push(middle, -middle);
  }
  const around = Float32Array.from(middles);
  const bits = bitsOf(around);
  const below = new Float32Array(bits.map((word) => word - 1).buffer);
  const above = new Float32Array(bits.map((word) => word + 1).buffer);
  const random = seededRandom(3);
  const others = new Float32Array(
    Uint32Array.from({ length: 100_003 }, () => random.next() * 2 ** 32).buffer,
  );
  return Float32Array.from([
    ...around,
    ...below,
    ...above,
    ...others,
    0,
    -0,
    1e-45,
    -1e-45,
    3.4e38,
    Infinity,
  ]);
}

describe.each(kernels.available)('kernels %s', (name) => {
  test('all 65,536 float16 codes are decoded by their definition, and come back', () => {
    kernels.select(name);
    const values = new Float32Array(65_536);
    halfFloatKernels().decodeFloat16(allCodes, values);
    const wrong = allCodes.filter((code) => !Object.is(values[code], float16s[code]));
    expect(Array.from(wrong)).toEqual([]);
    const codes = new Uint16Array(65_536);
    halfFloatKernels().encodeFloat16(values, codes);
    const changed = allCodes.filter((code) => codes[code] !== code && !Number.isNaN(float16s[code]));
    expect(Array.from(changed)).toEqual([]);
  });

  test('floats become the nearest float16, the even one of two', () => {
    kernels.select(name);
    const values = difficultFloats();
    const codes = new Uint16Array(values.length);
    halfFloatKernels().encodeFloat16(values, codes);
    const wrong: string[] = [];
    values.forEach((value, i) => {
      const code = codes[i] as number;
      const got = float16s[code] as number;
      if (Number.isNaN(value) ? Number.isNaN(got) : isNearest(value, code)) return;
      wrong.push(`${value} → ${got}`);
    });
    expect(wrong).toEqual([]);
  });

  test('floats become the nearest bfloat16, the even one of two, and all codes come back', () => {
    kernels.select(name);
    const decoded = new Float32Array(65_536);
    halfFloatKernels().decodeBfloat16(allCodes, decoded);
    expect(bitsOf(decoded).every((word, code) => word === code * 65_536)).toBe(true);
    const codes = new Uint16Array(65_536);
    halfFloatKernels().encodeBfloat16(decoded, codes);
    expect(codes.every((code, i) => code === i || Number.isNaN(decoded[i]))).toBe(true);
    const random = seededRandom(5);
    const words = Uint32Array.from({ length: 100_003 }, (_, i) =>
      i % 3 === 0 ? random.next() * 65_536 * 65_536 + 0x8000 : random.next() * 2 ** 32,
    );
    const values = new Float32Array(words.buffer);
    const encoded = new Uint16Array(values.length);
    halfFloatKernels().encodeBfloat16(values, encoded);
    const wrong = words.filter((word, i) => {
      const code = encoded[i] as number;
      if (Number.isNaN(values[i])) return !Number.isNaN(decoded[code]);
      const rest = word % 65_536;
      const down = (word - rest) / 65_536;
      const isUp = rest > 0x8000 || (rest === 0x8000 && down % 2 === 1);
      return code !== down + (isUp ? 1 : 0);
    });
    expect(Array.from(wrong)).toEqual([]);
  });

  test('sizes and odd places', () => {
    kernels.select(name);
    const random = seededRandom(9);
    for (const size of [0, 1, 2, 3, 5, 7, 8, 63, 64, 65, 257, 16_385]) {
      const values = Float32Array.from({ length: size + 3 }, () => random.next() - 0.5).subarray(3);
      for (const kind of ['Float16', 'Bfloat16'] as const) {
        const [codes, wanted] = [new Uint16Array(size + 1).subarray(1), new Uint16Array(size)];
        halfFloatKernels()[`encode${kind}`](values, codes);
        referenceHalfFloats[`encode${kind}`](values, wanted);
        expect(Array.from(codes)).toEqual(Array.from(wanted));
        const back = new Float32Array(size + 1).subarray(1);
        halfFloatKernels()[`decode${kind}`](codes, back);
        const bound = kind === 'Float16' ? 2 ** -11 : 2 ** -8;
        expect(
          back.every(
            (value, i) =>
              Math.abs(value - (values[i] as number)) <= bound * Math.abs(values[i] as number) + 2 ** -25,
          ),
        ).toBe(true);
      }
    }
  });
});

/** Whether no other float16 is nearer to a value, and an even one is taken where two are as near. */
function isNearest(value: number, code: number): boolean {
  const magnitude = code & 0x7fff;
  if (Object.is(Math.sign(value), -0) || value < 0 ? (code & 0x8000) === 0 : (code & 0x8000) !== 0)
    return false;
  // In place of infinity, what would follow the largest.
  const at = (place: number): number => (place >= 0x7c00 ? 65_536 : (float16s[place] as number));
  const distance = Math.abs(Math.min(Math.abs(value), 65_536) - at(magnitude));
  for (const other of [magnitude - 1, magnitude + 1]) {
    if (other < 0 || other > 0x7c00) continue;
    const theirs = Math.abs(Math.min(Math.abs(value), 65_536) - at(other));
    if (theirs < distance || (theirs === distance && magnitude % 2 === 1)) return false;
  }
  return true;
}
