import type { MainstemError } from '../errors.ts';
import { decodeFrame, encodeFrame } from '../transport/frame.ts';
import type { Connection, Listener, Transport } from '../transport/Transport.ts';
import type { ContractCase } from './contract.ts';
import { ensure, ensureFails } from './contract.ts';

/** What the contract of a transport is tried with. */
export interface TransportContractOptions {
  /** A new transport each time. */
  create(): Transport | Promise<Transport>;
  /** Resolves when everything that was sent has arrived. */
  settle(): Promise<void>;
}

/** A connection with everything that it has received. */
interface End {
  readonly connection: Connection;
  readonly frames: string[];
  readonly closes: (MainstemError | undefined)[];
  /** How often it was told that it may send again. */
  drains: number;
}

/** One listener and what it has accepted. */
interface Setup {
  readonly transport: Transport;
  readonly accepted: End[];
  readonly listener: Listener;
  readonly settle: () => Promise<void>;
}

/** The promises of a Transport and its connections. */
export function transportContract(options: TransportContractOptions): ContractCase[] {
  const use = (name: string, body: (setup: Setup) => Promise<void>): ContractCase => ({
    name,
    async run() {
      const transport = await options.create();
      const accepted: End[] = [];
      const listener = await transport.listen((connection) => accepted.push(record(connection)));
      try {
        await body({ transport, accepted, listener, settle: () => options.settle() });
      } finally {
        await listener.close();
      }
    },
  });
  return [...frameCases(use), ...flowCases(use), ...closingCases(use), ...listeningCases(use, options)];
}

type Use = (name: string, body: (setup: Setup) => Promise<void>) => ContractCase;

function record(connection: Connection): End {
  const frames: string[] = [];
  const closes: (MainstemError | undefined)[] = [];
  const end: End = { connection, frames, closes, drains: 0 };
  connection.receive({
    frame: (bytes) => frames.push(Array.from(decodeFrame(bytes).payload).join(' ')),
    drained: () => {
      end.drains++;
    },
    closed: (error) => closes.push(error),
  });
  return end;
}

/** A frame with this payload. Transports may count on it that nothing else is sent. */
function frameOf(...payload: number[]): Uint8Array<ArrayBuffer> {
  return frameWith(Uint8Array.from(payload));
}

function frameWith(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = { kind: 16, flags: 0, channel: 0, number: 0, totalLength: payload.length };
  return encodeFrame(head, new Uint8Array(0), payload);
}

function expectSent(got: Uint8Array, expected: Uint8Array): void {
  ensure(got.join() === expected.join(), 'the bytes were changed by sending them');
}

/** A new connection: the child's end and the coordinator's. */
async function open({ transport, accepted, settle }: Setup): Promise<[End, End]> {
  const near = record(await transport.connect());
  await settle();
  const far = accepted[accepted.length - 1];
  ensure(far !== undefined, 'the listener did not see the connection');
  return [near, far as End];
}

function expectFrames(end: End, expected: readonly string[]): void {
  ensure(
    JSON.stringify(end.frames) === JSON.stringify(expected),
    `got frames ${JSON.stringify(end.frames)}, expected ${JSON.stringify(expected)}`,
  );
}

function frameCases(use: Use): ContractCase[] {
  return [
    use('frames arrive whole and in order, both ways', async (setup) => {
      const [near, far] = await open(setup);
      for (let i = 0; i < 20; i++) near.connection.send(frameOf(i, i + 1));
      far.connection.send(frameOf(7));
      far.connection.send(frameOf());
      await setup.settle();
      expectFrames(
        far,
        Array.from({ length: 20 }, (_, i) => `${i} ${i + 1}`),
      );
      expectFrames(near, ['7', '']);
    }),
    use('the same bytes may be sent to many', async (setup) => {
      const [nearA, farA] = await open(setup);
      const [nearB, farB] = await open(setup);
      const bytes = frameOf(1, 2, 3);
      for (const { connection } of [farA, farB, farA]) connection.send(bytes);
      await setup.settle();
      expectFrames(nearA, ['1 2 3', '1 2 3']);
      expectFrames(nearB, ['1 2 3']);
      expectSent(bytes, frameOf(1, 2, 3));
    }),
  ];
}

function flowCases(use: Use): ContractCase[] {
  return [
    use('large frames and small ones keep their order', async (setup) => {
      const [near, far] = await open(setup);
      const large = new Uint8Array(200_000).map((_, i) => i % 251);
      for (let i = 0; i < 4; i++) {
        near.connection.send(frameOf(i));
        near.connection.send(frameWith(large));
      }
      await setup.settle();
      const text = large.join(' ');
      expectFrames(far, ['0', text, '1', text, '2', text, '3', text]);
    }),
    use('a sender hears that what it sent has drained', async (setup) => {
      const [near] = await open(setup);
      for (let i = 0; i < 10; i++) near.connection.send(frameWith(new Uint8Array(30_000)));
      await setup.settle();
      ensure(near.drains > 0, 'the sender was not told that it may send again');
    }),
    use('a view is sent, not the buffer behind it', async (setup) => {
      const [near, far] = await open(setup);
      const bytes = new Uint8Array(100);
      bytes.set(frameOf(2, 3), 8);
      near.connection.send(bytes.subarray(8, 8 + frameOf(2, 3).length));
      await setup.settle();
      expectFrames(far, ['2 3']);
    }),
    use('nothing is delivered from inside send', async (setup) => {
      const [near, far] = await open(setup);
      near.connection.send(frameOf(1));
      expectFrames(far, []);
      await setup.settle();
      expectFrames(far, ['1']);
    }),
    use('frames wait for handlers', async (setup) => {
      const connection = await setup.transport.connect();
      await setup.settle();
      setup.accepted[0]?.connection.send(frameOf(5));
      await setup.settle();
      const end = record(connection);
      await setup.settle();
      expectFrames(end, ['5']);
    }),
    use('connections do not mix', async (setup) => {
      const [nearA, farA] = await open(setup);
      const [nearB, farB] = await open(setup);
      nearA.connection.send(frameOf(1));
      nearB.connection.send(frameOf(2));
      farA.connection.send(frameOf(3));
      await setup.settle();
      expectFrames(farA, ['1']);
      expectFrames(farB, ['2']);
      expectFrames(nearA, ['3']);
      expectFrames(nearB, []);
    }),
  ];
}

function closingCases(use: Use): ContractCase[] {
  return [
    use('close tells both ends once, after what was sent', async (setup) => {
      const [near, far] = await open(setup);
      near.connection.send(frameOf(1));
      near.connection.close();
      near.connection.close();
      await setup.settle();
      expectFrames(far, ['1']);
      ensure(far.closes.length === 1, `the other end heard of ${far.closes.length} closes`);
      ensure(near.closes.length === 1, `the closing end heard of ${near.closes.length} closes`);
      ensure(far.closes[0] === undefined, 'a clean close came with an error');
    }),
    use('send after close fails', async (setup) => {
      const [near, far] = await open(setup);
      near.connection.close();
      await setup.settle();
      await ensureFails(() => near.connection.send(frameOf(1)), 'the closing end could still send');
      await ensureFails(() => far.connection.send(frameOf(1)), 'the other end could still send');
    }),
    use('bufferedBytes is 0 when all has arrived', async (setup) => {
      const [near] = await open(setup);
      near.connection.send(frameWith(new Uint8Array(1000)));
      await setup.settle();
      ensure(
        near.connection.bufferedBytes === 0,
        `${near.connection.bufferedBytes} bytes are still buffered`,
      );
    }),
  ];
}

function listeningCases(use: Use, options: TransportContractOptions): ContractCase[] {
  return [
    use('closing the listener ends its connections', async (setup) => {
      const [near, far] = await open(setup);
      await setup.listener.close();
      await setup.settle();
      ensure(near.closes.length === 1 && far.closes.length === 1, 'a connection outlived its listener');
      await ensureFails(() => setup.transport.connect(), 'a closed listener accepted a connection');
    }),
    {
      name: 'connect fails where nobody listens',
      async run() {
        const transport = await options.create();
        await ensureFails(() => transport.connect(), 'connect succeeded without a listener');
      },
    },
  ];
}
