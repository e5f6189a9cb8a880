import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dequantiseInt4, dequantiseInt8, quantiseInt4, quantiseInt8 } from '../../src/kernels/quantise.ts';
import { seededRandom } from '../../src/random.ts';

/** There and back: the values that come out, and the scale of each. */
function roundTrip(
  bits: 4 | 8,
  values: Float32Array,
  blockLength: number,
  randoms?: readonly number[],
): { values: Float32Array; scales: Float32Array } {
  const scales = new Float32Array(Math.ceil(values.length / blockLength));
  const back = new Float32Array(values.length);
  const options = randoms === undefined ? { blockLength } : { blockLength, randoms };
  if (bits === 8) {
    const codes = new Int8Array(values.length);
    quantiseInt8(values, codes, scales, options);
    expect(codes.every((code) => code >= -127)).toBe(true);
    dequantiseInt8(codes, scales, back, blockLength);
  } else {
    const codes = new Uint8Array(Math.ceil(values.length / 2));
    quantiseInt4(values, codes, scales, options);
    dequantiseInt4(codes, scales, back, blockLength);
  }
  return { values: back, scales };
}

const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const values = fc.array(fc.oneof(float, fc.constantFrom(0, -0, 1e-45, 3.4e38, -3.4e38)), { maxLength: 70 });

describe.each([4, 8] as const)('codes of %i bits', (bits) => {
  test('are within half a step of the values, with random numbers within one', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 40 }), fc.integer(), (numbers, blockLength, seed) => {
        const given = Float32Array.from(numbers);
        const random = seededRandom(seed);
        const randoms = numbers.map(() => random.next());
        for (const [steps, result] of [
          [0.5, roundTrip(bits, given, blockLength)],
          [1, roundTrip(bits, given, blockLength, randoms)],
        ] as const) {
          given.forEach((value, i) => {
            const scale = result.scales[Math.floor(i / blockLength)] as number;
            // The values are floats: the product is rounded once more; a scale of 0 leaves less than 127 · 2⁻¹⁵⁰.
            const slack = 1e-6 * Math.abs(value) + 127 * 2 ** -149;
            expect(Math.abs((result.values[i] as number) - value)).toBeLessThanOrEqual(steps * scale + slack);
          });
        }
      }),
    );
  });

  test('of whole numbers up to the largest code are exact', () => {
    const largest = bits === 8 ? 127 : 7;
    const whole = Float32Array.from({ length: 2 * largest + 1 }, (_, i) => i - largest);
    expect(Array.from(roundTrip(bits, whole, whole.length).values)).toEqual(
      Array.from(whole, (value) => value + 0),
    );
  });

  test('with random numbers are right on average', () => {
    const random = seededRandom(1);
    const given = Float32Array.from([1, 0.123, -0.77, 0.5001]);
    const sums = new Float64Array(given.length);
    const turns = 20_000;
    for (let turn = 0; turn < turns; turn++) {
      const { values: back } = roundTrip(
        bits,
        given,
        4,
        Array.from(given, () => random.next()),
      );
      back.forEach((value, i) => {
        sums[i] = (sums[i] as number) + value / turns;
      });
    }
    // Five standard deviations of a mean of steps of at most 1/7.
    sums.forEach((mean, i) => {
      expect(Math.abs(mean - (given[i] as number))).toBeLessThan((5 * (0.5 / 7)) / Math.sqrt(turns));
    });
  });
});

test('the largest float comes back finite', () => {
  const largest = (2 - 2 ** -23) * 2 ** 127;
  for (const bits of [4, 8] as const) {
    const { values: back } = roundTrip(bits, Float32Array.from([largest, -largest]), 2);
    for (const value of back) expect(Math.abs(Math.abs(value) / largest - 1)).toBeLessThan(1e-6);
  }
});

test('ties go to the even code', () => {
  const codes = new Int8Array(6);
  const scales = new Float32Array(1);
  quantiseInt8([127, 0.5, 1.5, 2.5, -0.5, -1.5], codes, scales, { blockLength: 6 });
  expect(Array.from(codes, (code) => code + 0)).toEqual([127, 0, 2, 2, 0, -2]);
});

test('two codes of 4 bits share a byte, the first in its lower half', () => {
  const codes = new Uint8Array(2);
  quantiseInt4([7, -7, 1], codes, new Float32Array(1), { blockLength: 8 });
  expect(Array.from(codes)).toEqual([(1 << 4) | 15, 9]);
});
