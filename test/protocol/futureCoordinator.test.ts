import { Encoder } from '@msgpack/msgpack';
import type { Connection } from 'mainstem';
import { Child, InProcessTransport, LinearRegression } from 'mainstem';
import { expect, test } from 'vitest';
import type { Message, Welcome } from '../../src/protocol/messages.ts';
import { valuesToBytes } from '../../src/protocol/tensorBytes.ts';
import { firstMain } from './fuzz/conversations.ts';
import { draftOf, writeDraft } from './fuzz/drafts.ts';
import { fieldsOf, frameOf, messageIn } from './speaker.ts';

// A coordinator of years from now, and a child of today.

const encoder = new Encoder();
const { layout } = firstMain;
const tensors = layout.tensors.map(({ name, shape }) => ({ name, shape }));

const welcome: Welcome = {
  type: 'welcome',
  protocol: 1,
  kind: 'gradients',
  instance: 'later',
  epoch: 1,
  isResumed: false,
  version: 7,
  sharedTensors: null,
  codec: 'none',
  compression: null,
};
const main: readonly Message[] = [
  { type: 'layout', index: 0, fingerprint: layout.fingerprint, tensors, architecture: null },
  {
    type: 'main',
    layout: 0,
    dtype: 'float64',
    version: 7,
    base: null,
    runs: null,
    isPacked: false,
    payload: valuesToBytes(Float64Array.from([1, 2, 3])),
  },
];

/** Answers each hello with these messages, each with more than is known and with kinds that nobody knows around it. */
class LaterCoordinator {
  readonly transport = new InProcessTransport();
  readonly #answers: readonly Message[];

  constructor(answers: readonly Message[]) {
    this.#answers = answers;
  }

  async listen(): Promise<void> {
    await this.transport.listen((connection) => {
      connection.receive({
        frame: (bytes) => {
          if (messageIn(bytes)?.type === 'hello') this.#answer(connection);
        },
        drained() {},
        closed() {},
      });
    });
  }

  #answer(connection: Connection): void {
    let number = 0;
    for (const message of this.#answers) {
      const draft = draftOf(frameOf(message));
      const metadata = encoder.encode([...fieldsOf(draft.kind, draft.metadata), 'more', [1, [null]]]);
      connection.send(writeDraft({ ...draft, metadata, flags: draft.flags | 0x4100 }, number++));
      const nothing = new Uint8Array(0);
      for (const kind of [3, 30, 255]) {
        const unknown = { ...draft, kind, metadata: Uint8Array.of(0xc1), payload: nothing, totalLength: 0 };
        connection.send(writeDraft(unknown, number++));
      }
    }
  }
}

async function join(answers: readonly Message[]): Promise<Child> {
  const later = new LaterCoordinator(answers);
  await later.listen();
  return Child.connect({ transport: later.transport, model: new LinearRegression(), childId: 'today' });
}

test('what it adds is skipped, and its main is taken', async () => {
  const child = await join([welcome, ...main]);
  expect([child.version, Array.from(child.main?.values ?? [])]).toEqual([7, [1, 2, 3]]);
  await child.leave();
});

test('a protocol that the child has not offered ends it, with both named', async () => {
  await expect(join([{ ...welcome, protocol: 2 }, ...main])).rejects.toThrow(
    'the coordinator chose protocol 2, the child speaks 1',
  );
});
