import { Encoder } from '@msgpack/msgpack';
import { ParameterLayout } from 'mainstem';
import { beforeEach, describe, expect, test } from 'vitest';
import { linkLimits } from '../../src/limits.ts';
import type { Hello, Message } from '../../src/protocol/messages.ts';
import { valuesToBytes } from '../../src/protocol/tensorBytes.ts';
import { firstMain } from './fuzz/conversations.ts';
import { type Bytes, type Draft, draftOf, inPieces, writeDraft } from './fuzz/drafts.ts';
import { FuzzTarget, type Line } from './fuzz/FuzzTarget.ts';
import { frameOf, helloOf } from './speaker.ts';

const encoder = new Encoder({ maxDepth: 100_000 });
const { layout } = firstMain;
const tensors = layout.tensors.map(({ name, shape }) => ({ name, shape }));

const draft = (message: Message): Draft => draftOf(frameOf(message));
const hello = (changes: Partial<Hello> = {}): Draft => draft(helloOf(changes));
const announced = (index = 0): Draft =>
  draft({ type: 'layout', index, fingerprint: layout.fingerprint, tensors, architecture: null });
const update = (sequence: number, values: number[] = [1, 1, 1]): Draft =>
  draft({
    type: 'update',
    layout: 0,
    dtype: 'float64',
    sequence,
    sampleCount: 1,
    baseVersion: null,
    isPacked: false,
    payload: valuesToBytes(Float64Array.from(values)),
  });
/** A message with these fields, whatever they are. */
const fields = (kind: number, list: unknown, payload: Bytes = new Uint8Array(0)): Draft => ({
  ...draft({ type: 'leave' }),
  kind,
  metadata: encoder.encode(list),
  payload,
  totalLength: payload.length,
});

let target: FuzzTarget;

beforeEach(() => {
  target = new FuzzTarget();
});

/** Says all on one connection, each frame with the next number, and waits for the answers. */
async function say(drafts: readonly Draft[], line: Line = target.open()): Promise<Line> {
  for (const one of drafts) if (!line.isClosed) line.bring(writeDraft(one, line.next));
  await new Promise((resolve) => setImmediate(resolve));
  target.checkMain();
  return line;
}

const codes = (): string[] =>
  [...target.counts.keys()].filter((key) => /refusal|reported|refused/.test(key)).sort();

/** The last thing that must be true after anything: an honest child is welcome, and moves main. */
async function expectThatOthersGoOn(): Promise<void> {
  const before = target.coordinator.version;
  await say([hello({ childId: 'honest', session: 'honest' }), announced(), update(1)]);
  expect(target.coordinator.version).toBe(before + 1);
}

const giant = (at: 12 | 16 | 20, value: number): Bytes => {
  const bytes = writeDraft(update(1), 0);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true);
  return bytes;
};

describe('lengths', () => {
  test.each([12, 16, 20] as const)('announced giants at byte %i', async (at) => {
    for (const value of [0xffff_ffff, 0x8000_0001, 0x8000_0000, 0x7fff_ffff, 1_048_577]) {
      const line = await say([hello(), announced()]);
      line.bring(giant(at, value));
      expect(line.isClosed).toBe(true);
    }
    target.checkMain();
    expect(codes().every((code) => /LIMIT_EXCEEDED|MALFORMED_DATA|CORRUPT_FRAME|STALE/.test(code))).toBe(
      true,
    );
    await expectThatOthersGoOn();
  });

  test('a giant in pieces is refused with its first piece, before and after the hello', async () => {
    for (const before of [[], [hello()], [hello(), announced()]]) {
      await say([...before, { ...update(1), flags: 2, totalLength: 2 ** 31 }]);
    }
    expect(codes()).toEqual(['answer: refusal LIMIT_EXCEEDED', 'answer: reported LIMIT_EXCEEDED']);
    await expectThatOthersGoOn();
  });

  test('every message cut off at every byte, and the rest never comes', async () => {
    const conversation = [hello(), announced(), update(1), draft({ type: 'leave' })];
    for (const [last, one] of conversation.entries()) {
      const whole = writeDraft(one, last);
      for (let end = 0; end < whole.length; end++) {
        const line = await say(conversation.slice(0, last));
        if (!line.isClosed) line.bring(whole.slice(0, end));
        line.end();
      }
    }
    expect(codes()).toContain('answer: reported MALFORMED_DATA');
    await expectThatOthersGoOn();
  });

  test('every message in pieces of one byte', async () => {
    await say([hello(), announced(), ...inPieces(update(1), 1)]);
    expect(target.counts.get('answer: receipt applied')).toBe(1);
  });

  test('pieces without bytes are no message, however many', async () => {
    const begin = { ...update(1), flags: 2, payload: new Uint8Array(0) };
    const empty = { ...begin, flags: 6, metadata: new Uint8Array(0) };
    const line = await say([hello(), announced(), begin, ...new Array<Draft>(5_000).fill(empty)]);
    expect(line.isClosed).toBe(false);
    line.end();
    await expectThatOthersGoOn();
  });
});

describe('checksums', () => {
  /** A frame of which one byte is another, and nothing is put right. */
  const spoilt = (one: Draft, number: number, at: number): Bytes => {
    const bytes = writeDraft(one, number);
    bytes[at] = (bytes[at] as number) ^ 1;
    return bytes;
  };

  test('a wrong bit anywhere in the header or the metadata ends the connection', async () => {
    const { metadata } = update(1);
    for (let at = 0; at < 32 + metadata.length; at++) {
      const line = await say([hello(), announced()]);
      line.bring(spoilt(update(1), 2, at));
      expect(line.isClosed).toBe(true);
      target.checkMain();
    }
    expect(target.counts.get('frame: completed an update')).toBeUndefined();
    await expectThatOthersGoOn();
  });

  test('a wrong bit anywhere in a payload that has a checksum', async () => {
    const whole = { ...update(1), flags: 1 };
    const { length } = writeDraft(whole, 2);
    for (let at = length - whole.payload.length; at < length; at++) {
      const line = await say([hello(), announced()]);
      line.bring(spoilt(whole, 2, at));
      expect(line.isClosed).toBe(true);
      target.checkMain();
    }
    expect(target.counts.get('frame: completed an update')).toBeUndefined();
    await expectThatOthersGoOn();
  });
});

describe('numbers and order', () => {
  test('an update before the hello, and a layout before it', async () => {
    await say([update(1)]);
    await say([announced()]);
    await say([{ ...update(1), payload: new Uint8Array(0), totalLength: 0 }]);
    expect(codes()).toEqual([
      'answer: refusal LIMIT_EXCEEDED',
      'answer: refusal MALFORMED_DATA',
      'answer: reported LIMIT_EXCEEDED',
      'answer: reported MALFORMED_DATA',
    ]);
  });

  test('a hello after the hello', async () => {
    const line = await say([hello(), hello()]);
    expect(line.isClosed).toBe(true);
    expect(codes()).toContain('answer: refusal MALFORMED_DATA');
    expect(target.coordinator.children).toEqual([]);
  });

  test('a whole conversation replayed: under its numbers nothing, under new ones a second hello', async () => {
    const said = [hello(), announced(), update(1)];
    const line = await say(said);
    for (const [number, one] of said.entries()) line.bring(writeDraft(one, number));
    expect(line.isClosed).toBe(false);
    await say(said, line);
    expect(line.isClosed).toBe(true);
    expect(target.counts.get('frame: completed an update')).toBe(1);
  });

  test('an update that comes again, in any number, is in main once', async () => {
    await say([hello(), announced(), ...new Array<Draft>(50).fill(update(1))]);
    expect(target.counts.get('answer: receipt duplicate DUPLICATE_UPDATE')).toBeGreaterThan(0);
    expect(target.counts.get('frame: completed an update')).toBe(1);
  });

  test('sequence numbers at the edges', async () => {
    for (const sequence of [0, 2 ** 53 - 1, 2 ** 31, 1, 2 ** 53 - 1]) {
      const line = await say([hello({ session: `${sequence}` }), announced(), update(sequence)]);
      line.end();
    }
    await say([hello(), announced(), fields(20, [0, 1, 2 ** 53, 1, null], update(1).payload)]);
    expect(codes()).toContain('answer: refusal MALFORMED_DATA');
    await expectThatOthersGoOn();
  });

  test('two at once under one name: the older one is told, and nothing of it counts any more', async () => {
    const first = await say([hello({ session: 'one' }), announced()]);
    const second = await say([hello({ session: 'two' }), announced()]);
    expect([first.isClosed, second.isClosed]).toEqual([true, false]);
    expect(codes()).toContain('answer: refusal STALE_SESSION');
    await say([update(1)], second);
    expect(target.coordinator.children).toEqual(['x']);
  });

  test.each([
    ['an epoch that is over', { epoch: 1 }],
    ['an epoch that nobody gave', { epoch: 900 }],
    ['the largest epoch', { epoch: 2 ** 53 - 1 }],
  ])('%s', async (_name, changes) => {
    await say([hello({ session: 'one' }), announced()]);
    await say([hello({ session: 'two' }), announced()]);
    const { instance } = target;
    await say([hello({ session: 'three', instance, ...changes }), announced(), update(1)]);
    await say([hello({ session: 'three', instance: 'another life', ...changes })]);
    expect(target.counts.get('answer: welcome back') ?? 0).toBeLessThanOrEqual(1);
    await expectThatOthersGoOn();
  });

  test('names that are reserved, or are no text', async () => {
    for (const childId of ['anonymous#1', 'model#1', '\ud800', 'x'.repeat(257)])
      await say([hello({ childId })]);
    await say([fields(16, [1, 1, 'default', '', 's', '', 0, 0, null, null, [], []])]);
    for (const childId of ['__proto__', 'constructor', 'hasOwnProperty']) await say([hello({ childId })]);
    expect(target.coordinator.children).toEqual(['__proto__', 'constructor', 'hasOwnProperty']);
    await expectThatOthersGoOn();
  });
});

describe('exhaustion', () => {
  test('of conversations', async () => {
    const line = target.open();
    for (let channel = 0; channel <= linkLimits.channelsMax && !line.isClosed; channel++)
      line.bring(writeDraft({ ...hello({ childId: `${channel}` }), channel }, line.next));
    // Sixty-four children, refusals for the rest, and no end of the connection: each refusal ends its conversation.
    expect(target.coordinator.children).toHaveLength(64);
    line.end();
    target.pass(120_000);
    await expectThatOthersGoOn();
  });

  test('of numbers of conversations, from the last', async () => {
    const line = await say([{ ...hello(), channel: 65_535 }]);
    await say([{ ...hello({ childId: 'y' }), channel: 0 }], line);
    expect(target.coordinator.children).toEqual(['x']);
  });

  test('of layouts', async () => {
    const other = (index: number): Draft => {
      const own = [{ name: `weights ${index}`, shape: [1 + (index % 3)] }];
      const { fingerprint } = new ParameterLayout(own);
      return draft({ type: 'layout', index, fingerprint, tensors: own, architecture: null });
    };
    const line = await say([hello(), ...Array.from({ length: 17 }, (_, index) => other(index))]);
    expect(line.isClosed).toBe(true);
    expect(codes()).toContain('answer: refusal LIMIT_EXCEEDED');
    await expectThatOthersGoOn();
  });

  test('a layout larger than main is refused before an update of it, another that does not fit with its update', async () => {
    const announcedOf = (length: number): Draft => {
      const own = [{ name: 'other', shape: [length] }];
      const { fingerprint } = new ParameterLayout(own);
      return draft({ type: 'layout', index: 0, fingerprint, tensors: own, architecture: null });
    };
    const large = await say([hello(), announcedOf(2 ** 28)]);
    expect(large.isClosed).toBe(true);
    expect(codes()).toEqual(['answer: refusal LAYOUT_MISMATCH', 'answer: reported LAYOUT_MISMATCH']);
    const small = await say([hello(), announcedOf(3), update(1)]);
    expect(small.isClosed).toBe(false);
    expect(codes()).toContain('answer: receipt refused LAYOUT_MISMATCH');
    await expectThatOthersGoOn();
  });

  test('of lists', async () => {
    const giantLists = [
      Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0xdc, 0xff, 0xff),
      Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0xc9, 0xff, 0xff, 0xff, 0xff, 1),
    ];
    for (const kind of [16, 19, 20, 26])
      for (const metadata of giantLists) await say([hello(), { ...fields(kind, []), metadata }]);
    await say([hello({ dtypes: new Array(4_096).fill('x') as never })]);
    await say([
      fields(16, [1, 1, 'default', 'z', 's', '', 0, 0, null, null, new Array(4_097).fill('x'), []]),
    ]);
    expect(codes().every((code) => /MALFORMED_DATA|STALE_SESSION/.test(code))).toBe(true);
    await expectThatOthersGoOn();
  });
});

describe('nesting', () => {
  const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

  test('without end in MessagePack', async () => {
    for (const [kind, opening] of [16, 19, 20, 26].flatMap((one) => [
      [one, 0x91] as const,
      [one, 0x81] as const,
    ]))
      await say([hello(), { ...fields(kind, []), metadata: new Uint8Array(1 << 20).fill(opening) }]);
    expect(codes().every((code) => /MALFORMED_DATA|STALE_SESSION/.test(code))).toBe(true);
    await expectThatOthersGoOn();
  });

  test.each([1_000, 20_000, 100_000])('%i deep in JSON, wherever JSON may be', async (depth) => {
    for (const json of [`{"a":${deep(depth)}}`, objects(depth)]) {
      await say([hello({ childId: 'a' }), fields(19, [0, layout.fingerprint, [['weights', [3]]], json])]);
      await say([
        fields(16, [1, 1, 'default', 'b', 's', '', 0, 0, [[['weights', [3]]], json], null, ['float32'], []]),
      ]);
      for (const subject of [0, 1]) await say([hello({ childId: 'c' }), fields(26, [1, subject, 1, json])]);
    }
    expect(codes().some((code) => code.includes('FAILED'))).toBe(false);
    await expectThatOthersGoOn();
  });
});

describe('__proto__', () => {
  test('in an architecture is a difference like any other', () => {
    const ordinary = new ParameterLayout(tensors, { model: 'm' });
    const hidden = new ParameterLayout(tensors, JSON.parse('{"model":"m","__proto__":{}}'));
    expect(() => ordinary.assertFits(hidden)).toThrow('__proto__ is {}, expected none');
    expect(() => hidden.assertFits(ordinary)).toThrow('__proto__ is absent, expected {}');
  });

  const hostile = ['__proto__', 'constructor', 'prototype'].map((key) => `{"${key}":{"polluted":1}}`);

  test('as a key of JSON, and as every text', async () => {
    for (const json of hostile) {
      await say([hello({ childId: 'a' }), fields(19, [0, layout.fingerprint, [['weights', [3]]], json])]);
      await say([hello({ childId: 'b' }), fields(26, [1, 0, 1, json]), fields(26, [2, 1, null, json])]);
    }
    for (const name of ['__proto__', 'constructor', 'toString'])
      await say([
        fields(16, [1, 1, name, name, name, name, 0, 0, [[[name, [3]]], null], name, [name], [name]]),
        fields(19, [0, name, [[name, [3]]], null]),
      ]);
    await say([fields(16, { ['__proto__']: 1 })]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    await expectThatOthersGoOn();
  });
});
