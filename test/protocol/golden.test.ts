import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Message } from '../../src/protocol/messages.ts';
import { frameOf, helloOf, messageIn } from './speaker.ts';

const error = { code: 'NON_FINITE', message: 'gradients.weights[0] is NaN' };
const tensors = [
  { name: 'weights', shape: [2, 1] },
  { name: 'bias', shape: [1] },
];
const payload = new Uint8Array(Float32Array.of(0.5, -1.25, 3).buffer);

/** One of each, as a conversation would have them. Frames of a version that is out never change. */
const conversation: Message[] = [
  helloOf({
    federation: 'arena/aim',
    childId: 'kind é 1',
    session: '0123456789abcdef0123456789abcdef',
    layout: { tensors, architecture: { model: 'LinearRegression' } },
    token: 'secret',
  }),
  {
    type: 'welcome',
    protocol: 1,
    kind: 'gradients',
    instance: 'fedcba9876543210fedcba9876543210',
    epoch: 1,
    isResumed: false,
    version: 70_000,
    sharedTensors: null,
    codec: 'none',
    compression: null,
  },
  { type: 'refusal', error },
  { type: 'layout', index: 0, fingerprint: '5f2c', tensors, architecture: { model: 'LinearRegression' } },
  {
    type: 'update',
    layout: 0,
    dtype: 'float32',
    sequence: 1,
    sampleCount: 12.5,
    baseVersion: 70_000,
    isPacked: false,
    payload,
  },
  { type: 'receipt', first: 1, last: 3, status: 'applied', version: 70_003, error: null },
  { type: 'receipt', first: 4, last: 4, status: 'refused', version: 70_003, error },
  { type: 'committed', first: 1, last: 3 },
  { type: 'rejected', sequence: 5, error },
  {
    type: 'main',
    layout: 0,
    dtype: 'float32',
    version: 70_003,
    base: null,
    runs: null,
    isPacked: false,
    payload,
  },
  {
    type: 'main',
    layout: 0,
    dtype: 'float32',
    version: 70_004,
    base: 70_003,
    runs: [1, 2],
    isPacked: false,
    payload: payload.slice(0, 8),
  },
  { type: 'leave' },
  { type: 'report', number: 1, subject: 'evaluation', version: 70_003, content: { rows: 5 } },
  { type: 'reported', number: 1, error: null },
  { type: 'goodbye', returnAfterMs: 500 },
  { type: 'asked', version: 70_004 },
];

const path = fileURLToPath(new URL('golden.json', import.meta.url));
const hexOf = (message: Message, number: number): string =>
  Buffer.from(frameOf(message, number)).toString('hex');

// A new kind of message needs a new entry: `GOLDEN=write npx vitest run test/protocol/golden.test.ts`.
if (process.env.GOLDEN === 'write') {
  const frames = conversation.map((message, number) => ({ type: message.type, hex: hexOf(message, number) }));
  writeFileSync(path, `${JSON.stringify(frames, null, 2)}\n`);
}

const golden = JSON.parse(readFileSync(path, 'utf8')) as { type: string; hex: string }[];

test.each(
  conversation.map((message, number) => [message.type, message, number] as const),
)('%s is written and read byte for byte as ever', (type, message, number) => {
  expect(golden[number]).toEqual({ type, hex: hexOf(message, number) });
  expect(messageIn(Uint8Array.from(Buffer.from(golden[number]?.hex ?? '', 'hex')))).toEqual(message);
});

test('the examples in docs/protocol.md are frames as they are written', () => {
  const text = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const frames = [...text.matchAll(/```text\n(4D 53 [^`]*)```/g)].map(([, hex]) =>
    (hex as string).replace(/\s/g, '').toLowerCase(),
  );
  const hello = helloOf({ childId: 'a', session: 's1', dtypes: ['float32'] });
  expect(frames).toEqual([hexOf(hello, 0), hexOf({ type: 'leave' }, 10)]);
});
