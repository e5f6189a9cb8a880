import type { Connection } from 'mainstem';
import { DistributedGradientsCoordinator, type Gradients, InProcessTransport, seededRandom } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../../src/protocol/codec.ts';
import type { Message } from '../../src/protocol/messages.ts';
import { valuesToBytes } from '../../src/protocol/tensorBytes.ts';
import { gradientsOf, numbersOf, parametersOf, settle } from './helpers.ts';

interface Stranger {
  readonly connection: Connection;
  readonly answers: Message[];
  closes: number;
  say(message: Message): void;
}

async function setup() {
  const coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(parametersOf(1, 2));
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  const errors: Error[] = [];
  coordinator.on('error', (error) => errors.push(error));
  const meet = async (): Promise<Stranger> => {
    const connection = await transport.connect();
    const stranger: Stranger = {
      connection,
      answers: [],
      closes: 0,
      say: (message) => connection.send(encodeMessage(message)),
    };
    connection.receive({
      frame: (bytes) => stranger.answers.push(decodeMessage(bytes)),
      closed: () => {
        stranger.closes++;
      },
    });
    return stranger;
  };
  return { coordinator, errors, meet };
}

const hello: Message = { type: 'hello', protocol: 1, federation: 'default', childId: 'x', layout: null };

function updateFrames(sequence: number, gradients: Gradients): Message[] {
  const { layout, dtype, values, sampleCount } = gradients;
  const { fingerprint, tensors } = layout;
  return [
    {
      type: 'layout',
      fingerprint,
      tensors: tensors.map(({ name, shape }) => ({ name, shape })),
      architecture: null,
    },
    {
      type: 'update',
      fingerprint,
      dtype,
      sequence,
      sampleCount,
      baseVersion: null,
      payload: valuesToBytes(values),
    },
  ];
}

describe('a stranger on the line', () => {
  test.each<[string, (stranger: Stranger) => void, RegExp]>([
    ['bytes that are no frame', ({ connection }) => connection.send(Uint8Array.of(0xc1)), /frame of 1 bytes/],
    [
      'an update before the hello',
      ({ say }) => say(updateFrames(1, gradientsOf([1, 1]))[1] as Message),
      /a update before the hello/,
    ],
    ['a second hello', ({ say }) => [hello, hello].forEach(say), /second hello/],
    ['another protocol', ({ say }) => say({ ...hello, protocol: 2 }), /speaks protocol 2/],
    [
      'what only coordinators say',
      ({ say }) => [hello, { type: 'committed', sequence: 1 } as const].forEach(say),
      /does not expect a committed/,
    ],
    [
      'a layout with a false fingerprint',
      ({ say }) =>
        [hello, { ...updateFrames(1, gradientsOf([1]))[0], fingerprint: 'ff' } as Message].forEach(say),
      /its message says ff/,
    ],
    [
      'an update of an unknown layout',
      ({ say }) => [hello, updateFrames(1, gradientsOf([1, 1]))[1] as Message].forEach(say),
      /was not announced/,
    ],
    [
      'fewer bytes than the layout has values',
      ({ say }) => {
        const [layout, update] = updateFrames(1, gradientsOf([1, 1]));
        [hello, layout as Message, { ...update, payload: new Uint8Array(8) } as Message].forEach(say);
      },
      /got 8 bytes for 2 values/,
    ],
  ])('%s: the connection is refused and closed, the coordinator goes on', async (_name, act, message) => {
    const { coordinator, errors, meet } = await setup();
    const stranger = await meet();
    act(stranger);
    await settle();
    const refusal = stranger.answers.find(({ type }) => type === 'refusal');
    expect(refusal).toMatchObject({ error: { message: expect.stringMatching(message) } });
    expect(stranger.closes).toBe(1);
    expect(errors).toHaveLength(1);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 2]);
    expect(coordinator.children).toEqual([]);
    expect(coordinator.addGradients(gradientsOf([0, 0])).status).toBe('applied');
  });

  test('the same frames again are a duplicate', async () => {
    const { coordinator, meet } = await setup();
    const stranger = await meet();
    const frames = updateFrames(1, gradientsOf([10, 0]));
    [hello, ...frames, frames[1] as Message].forEach(stranger.say);
    await settle();
    const receipts = stranger.answers.filter(({ type }) => type === 'receipt');
    expect(receipts).toMatchObject([
      { status: 'applied' },
      { status: 'duplicate', error: { code: 'DUPLICATE_UPDATE' } },
    ]);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 2]);
  });

  test('six thousand mutated frames: typed errors, no crash, and a main that only whole updates move', async () => {
    const { coordinator, errors, meet } = await setup();
    const random = seededRandom(1234);
    const golden = [hello, ...updateFrames(1, gradientsOf([0, 0]))].map((message) => encodeMessage(message));
    for (let i = 0; i < 2_000; i++) {
      const stranger = await meet();
      for (const frame of golden) {
        const bytes = frame.slice(
          0,
          random.next() < 0.2 ? Math.floor(random.next() * frame.length) : frame.length,
        );
        const flips = Math.floor(random.next() * 3);
        // The payload's own bits are the sender's business: a flipped number is a legal gradient.
        const end = frame === golden[2] ? bytes.length - 16 : bytes.length;
        for (let flip = 0; flip < flips && end > 0; flip++) {
          const at = Math.floor(random.next() * end);
          bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random.next() * 8));
        }
        try {
          stranger.connection.send(bytes);
        } catch {
          // Closed already, for a frame before this one.
        }
      }
      await settle();
      stranger.connection.close();
    }
    await settle();
    expect(errors.length).toBeGreaterThan(500);
    expect(errors.every((error) => 'code' in error && error.code !== 'FAILED')).toBe(true);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 2]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  }, 30_000);

  test('connections have a limit', async () => {
    const coordinator = new DistributedGradientsCoordinator({ limits: { connectionsMax: 1 } });
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    await transport.connect();
    const second = await transport.connect();
    const answers: Message[] = [];
    second.receive({ frame: (bytes) => answers.push(decodeMessage(bytes)), closed() {} });
    await settle();
    expect(answers).toMatchObject([{ type: 'refusal', error: { code: 'LIMIT_EXCEEDED' } }]);
  });
});
