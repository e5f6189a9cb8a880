import { ConnectionRefusedError, InProcessTransport, LimitExceededError } from 'mainstem';
import { expect, test } from 'vitest';
import { inProcessBufferedBytesMax } from '../../src/transport/limits.ts';

test('deliveries run when the injected defer says so', async () => {
  const waiting: (() => void)[] = [];
  const transport = new InProcessTransport({ defer: (deliver) => waiting.push(deliver) });
  const arrived: number[] = [];
  await transport.listen((connection) =>
    connection.receive({ frame: (bytes) => arrived.push(bytes[0] as number), drained() {}, closed() {} }),
  );
  const connection = await transport.connect();
  waiting.splice(0).forEach((deliver) => {
    deliver();
  });
  connection.send(Uint8Array.of(1));
  connection.send(Uint8Array.of(2));
  expect(connection.bufferedBytes).toBe(2);
  expect(arrived).toEqual([]);
  waiting.splice(0).forEach((deliver) => {
    deliver();
  });
  expect(arrived).toEqual([1, 2]);
});

test('one listener at a time; after it is closed another may listen', async () => {
  const transport = new InProcessTransport();
  const listener = await transport.listen(() => {});
  await expect(transport.listen(() => {})).rejects.toBeInstanceOf(ConnectionRefusedError);
  await listener.close();
  await listener.close();
  await transport.listen(() => {});
});

test('what waits on one connection has a limit', async () => {
  const transport = new InProcessTransport({ defer: () => {} });
  await transport.listen(() => {});
  const connection = await transport.connect();
  const huge = { length: inProcessBufferedBytesMax + 1 } as Uint8Array<ArrayBuffer>;
  expect(() => connection.send(huge)).toThrow(LimitExceededError);
});
