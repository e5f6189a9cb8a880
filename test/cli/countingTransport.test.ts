import type { Connection } from 'mainstem';
import { InProcessTransport } from 'mainstem';
import { describe, expect, it } from 'vitest';
import { CountingTransport } from '../../src/cli/countingTransport.ts';

interface ByHand {
  readonly inner: InProcessTransport;
  readonly transport: CountingTransport;
  readonly deliver: () => void;
}

/** A transport whose deliveries happen when `deliver` is called. */
function transportByHand(): ByHand {
  const waiting: (() => void)[] = [];
  const inner = new InProcessTransport({ defer: (delivery) => waiting.push(delivery) });
  const deliver = (): void => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next();
  };
  return { inner, transport: new CountingTransport(inner), deliver };
}

async function connectPair({ inner, transport }: ByHand): Promise<{ near: Connection; far: Connection }> {
  const accepted: Connection[] = [];
  await inner.listen((connection) => accepted.push(connection));
  const near = await transport.connect();
  return { near, far: accepted[0] as Connection };
}

describe('CountingTransport', () => {
  it('counts the frames of both directions once, and passes them on', async () => {
    const byHand = transportByHand();
    const { transport, deliver } = byHand;
    const { near, far } = await connectPair(byHand);
    const atNear: number[] = [];
    const atFar: number[] = [];
    near.receive({ frame: (bytes) => atNear.push(bytes.length), drained() {}, closed() {} });
    far.receive({ frame: (bytes) => atFar.push(bytes.length), drained() {}, closed() {} });
    near.send(new Uint8Array(10));
    near.send(new Uint8Array(0));
    far.send(new Uint8Array(5));
    expect(near.bufferedBytes).toBe(10);
    deliver();
    expect([atNear, atFar]).toEqual([[5], [10, 0]]);
    expect([transport.bytes, transport.frames]).toEqual([15, 3]);
    expect(near.peer).toBe('in-process coordinator');
  });

  it('does not count what was refused, and passes the end on', async () => {
    const byHand = transportByHand();
    const { transport, deliver } = byHand;
    const { near, far } = await connectPair(byHand);
    let ends = 0;
    near.receive({ frame() {}, drained() {}, closed: () => ends++ });
    far.receive({ frame() {}, drained() {}, closed: () => ends++ });
    near.close();
    deliver();
    expect(ends).toBe(2);
    expect(() => near.send(new Uint8Array(10))).toThrow('closed');
    expect(transport.bytes).toBe(0);
  });

  it('is refused where nobody listens', async () => {
    await expect(new CountingTransport(new InProcessTransport()).connect()).rejects.toThrow('nobody listens');
  });
});
