import { DistributedGradientsCoordinator, type Gradients, InProcessTransport, seededRandom } from 'mainstem';
import { describe, expect, test } from 'vitest';
import type { LayoutMessage, UpdateMessage } from '../../src/protocol/messages.ts';
import { valuesToBytes } from '../../src/protocol/tensorBytes.ts';
import { frameOf, helloOf, Speaker } from '../protocol/speaker.ts';
import { gradientsOf, numbersOf, parametersOf, settle } from './helpers.ts';

async function setup() {
  const coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(parametersOf(1, 2));
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  const errors: Error[] = [];
  coordinator.on('error', (error) => errors.push(error));
  const meet = async (): Promise<Speaker> => new Speaker(await transport.connect());
  return { coordinator, errors, meet };
}

const hello = helloOf();

function layoutOf({ layout }: Gradients): LayoutMessage {
  const { fingerprint, tensors } = layout;
  return {
    type: 'layout',
    index: 0,
    fingerprint,
    tensors: tensors.map(({ name, shape }) => ({ name, shape })),
    architecture: null,
  };
}

function updateOf(sequence: number, { dtype, values, sampleCount }: Gradients): UpdateMessage {
  const payload = valuesToBytes(values);
  return {
    type: 'update',
    layout: 0,
    dtype,
    sequence,
    sampleCount,
    baseVersion: null,
    isPacked: false,
    payload,
  };
}

describe('a stranger on the line', () => {
  const gradients = gradientsOf([1, 1]);
  test.each<[string, (stranger: Speaker) => void, RegExp]>([
    [
      'an update before the hello',
      (stranger) => stranger.say(updateOf(1, gradientsOf([]))),
      /a message announces|before the hello/,
    ],
    [
      'a layout before the hello',
      (stranger) => stranger.say(layoutOf(gradients)),
      /a layout before the hello/,
    ],
    [
      'an update packed as nobody has asked for',
      (stranger) => stranger.say(hello, layoutOf(gradients), { ...updateOf(1, gradients), isPacked: true }),
      /packed, and this coordinator has not asked/,
    ],
    ['a second hello', (stranger) => stranger.say(hello, hello), /second hello/],
    [
      'another protocol',
      (stranger) => stranger.say(helloOf({ protocolMin: 2, protocolMax: 3 })),
      /speaks protocol 2 to 3, the coordinator 1/,
    ],
    [
      'what only coordinators say',
      (stranger) => stranger.say(hello, { type: 'committed', first: 1, last: 1 }),
      /does not expect a committed/,
    ],
    [
      'a layout with a false fingerprint',
      (stranger) => stranger.say(hello, { ...layoutOf(gradients), fingerprint: 'ff' }),
      /its message says ff/,
    ],
    [
      'the same layout index twice',
      (stranger) => stranger.say(hello, layoutOf(gradients), layoutOf(gradients)),
      /expected each once/,
    ],
    [
      'an update of an unknown layout',
      (stranger) => stranger.say(hello, layoutOf(gradients), { ...updateOf(1, gradients), layout: 1 }),
      /was not announced/,
    ],
    [
      'a payload before any layout',
      (stranger) => stranger.say(hello, updateOf(1, gradients)),
      /announces 16 bytes, at most 0/,
    ],
    [
      'fewer bytes than the layout has values',
      (stranger) =>
        stranger.say(hello, layoutOf(gradients), { ...updateOf(1, gradients), payload: new Uint8Array(8) }),
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

  test('bytes that are no frame end the connection, and the coordinator goes on', async () => {
    const { coordinator, errors, meet } = await setup();
    const stranger = await meet();
    stranger.sayBytes(Uint8Array.of(0xc1));
    await settle();
    expect(stranger.closes).toBe(1);
    expect(errors).toMatchObject([{ code: 'MALFORMED_DATA' }]);
    expect(coordinator.addGradients(gradientsOf([0, 0])).status).toBe('applied');
  });

  test('the same frames again are a duplicate', async () => {
    const { coordinator, meet } = await setup();
    const stranger = await meet();
    const update = updateOf(1, gradientsOf([10, 0]));
    stranger.say(hello, layoutOf(gradients), update, update);
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
    const messages = [hello, layoutOf(gradients), updateOf(1, gradientsOf([0, 0]))];
    const golden = messages.map((message, number) => frameOf(message, number));
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
    const speaker = new Speaker(second);
    speaker.say(hello);
    await settle();
    expect(speaker.answers).toMatchObject([{ type: 'refusal', error: { code: 'LIMIT_EXCEEDED' } }]);
  });
});
