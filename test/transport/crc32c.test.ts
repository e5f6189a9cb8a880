import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../src/transport/crc32c.ts';

/** Bit by bit, as RFC 3720 defines it, with the polynomial written down the other way round. */
function bitwise(bytes: Uint8Array): number {
  const reversed = [...(0x1edc6f41).toString(2).padStart(32, '0')].reverse().join('');
  const polynomial = Number.parseInt(reversed, 2);
  let remainder = 0xffff_ffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = ((remainder ^ (byte >>> bit)) & 1) === 1;
      remainder = isOdd ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
    }
  }
  return (remainder ^ 0xffff_ffff) >>> 0;
}

test('the vectors of RFC 3720, B.4', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, at) => at);
  const readCommand = new Uint8Array(48);
  readCommand.set([0x01, 0xc0]);
  readCommand[16] = 0x14;
  readCommand.set([0x04, 0x00], 22);
  readCommand[27] = 0x14;
  readCommand[31] = 0x18;
  readCommand[32] = 0x28;
  readCommand[40] = 0x02;
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
  expect(crc32c(readCommand)).toBe(0xd9963a56);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test('eight bytes at a time come to the same as bit by bit, from any place to any other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 90 }), fc.nat(90), fc.nat(90), (bytes, a, b) => {
      const start = Math.min(a, b, bytes.length);
      const end = Math.min(Math.max(a, b), bytes.length);
      expect(crc32c(bytes, start, end)).toBe(bitwise(bytes.slice(start, end)));
    }),
    { numRuns: 300 },
  );
});

test('a sum in any number of slices is the sum of all', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 }), (slices) => {
      let sum = 0;
      for (const slice of slices) sum = crc32c(slice, 0, slice.length, sum);
      expect(sum).toBe(bitwise(Uint8Array.from(slices.flatMap((slice) => [...slice]))));
    }),
  );
});
