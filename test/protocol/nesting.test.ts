import { Encoder } from '@msgpack/msgpack';
import fc from 'fast-check';
import { MalformedDataError } from 'mainstem';
import { expect, test } from 'vitest';
import { checkJsonNesting, checkListNesting } from '../../src/protocol/nesting.ts';

const encoder = new Encoder({ maxDepth: 1_000 });

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).map(depthOf);
  const own = Array.isArray(value) && value.length === 0 ? 0 : 1;
  return Math.max(own, own + Math.max(0, ...inner));
}

const leaf = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.string({ maxLength: 400, unit: 'binary' }),
  fc.maxSafeInteger(),
);
const { nested } = fc.letrec<{ nested: unknown }>((tie) => ({
  nested: fc.oneof(
    { depthSize: 'large' },
    leaf,
    fc.array(tie('nested'), { maxLength: 4 }),
    fc.array(leaf, { minLength: 17, maxLength: 20 }),
  ),
}));

test('the depth of lists is found from their heads, whatever lies between them', () => {
  fc.assert(
    fc.property(nested, (value) => {
      const bytes = encoder.encode(value);
      const depth = depthOf(value);
      checkListNesting(bytes, depth);
      if (depth > 0) expect(() => checkListNesting(bytes, depth - 1)).toThrow(MalformedDataError);
    }),
    { numRuns: 500 },
  );
});

test('any bytes at all are read to an end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        checkListNesting(bytes, 3);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(MalformedDataError);
      }
    }),
    { numRuns: 2_000 },
  );
  // A length that points far beyond the end is the decoder's to refuse.
  checkListNesting(Uint8Array.of(0xdb, 255, 255, 255, 255), 3);
  checkListNesting(Uint8Array.of(0xdd, 255, 255, 255, 255), 3);
});

test('the depth of JSON is that of its brackets, but for those in texts', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      const brackets = (one: unknown): number =>
        typeof one !== 'object' || one === null ? 0 : 1 + Math.max(0, ...Object.values(one).map(brackets));
      checkJsonNesting(text, brackets(value));
      if (brackets(value) > 0)
        expect(() => checkJsonNesting(text, brackets(value) - 1)).toThrow(MalformedDataError);
    }),
    { numRuns: 500 },
  );
  checkJsonNesting('["[[[[\\"[[[[", "\\\\", "[["]', 1);
  expect(() => checkJsonNesting('["\\\\", [["a"]]]', 2)).toThrow(/nested more than 2 deep/);
});
