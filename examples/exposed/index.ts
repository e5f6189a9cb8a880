// A coordinator under a path of a game's server, and those who try to get in.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChildReceipt } from 'mainstem';
import { Child, LinearRegression, ModelParameters } from 'mainstem';
import { WebSocketTransport } from 'mainstem/websocket';
import { createCoordinator, listenOn, logTo } from './coordinator.ts';
import { TokenBook } from './TokenBook.ts';

const server = createServer((_request, response) => response.end('the game'));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mainstem`;

const coordinator = createCoordinator(console);
coordinator.setModelParameters(ModelParameters.fromArrays({ weights: [[0]], bias: [0] }));
const lines: string[] = [];
logTo(coordinator, (line) => lines.push(line));
const book = new TokenBook();
await listenOn(coordinator, server, book);

const join = (childId: string, token?: string, headers: Record<string, string> = {}): Promise<Child> =>
  Child.connect({
    transport: new WebSocketTransport(token === undefined ? { url, headers } : { url, token, headers }),
    model: new LinearRegression(),
    childId,
  });

/** What somebody hears who is not let in. */
async function refusalOf(who: string, joining: Promise<Child>): Promise<void> {
  const reason = await joining.then(
    () => assert.fail(`${who} was let in`),
    (error: Error) => error.message.replace(url, 'the coordinator'),
  );
  console.log(`${who}: ${reason}`);
}

const first = book.issue('shard-7');
const origin = 'https://evil.example';
await refusalOf('without a token', join('shard-7'));
await refusalOf('with a made-up token', join('shard-7', 'made up'));
await refusalOf('in the name of another', join('shard-8', first));
await refusalOf('from a page of elsewhere', join('shard-7', first, { origin }));

const child = await join('shard-7', first);
const once = { maximumNumberOfIterations: 1 };
const many = Array.from({ length: 10_001 }, () => [1]);
const { receipt: claim } = await child.train(
  many,
  many.map(() => 3),
  once,
);
console.log(`with too many rows: ${claim.reason?.message}`);
assert.equal(coordinator.version, 1);

const receipts: ChildReceipt[] = [];
for (let i = 0; i < 20; i++) {
  const { receipt } = await child.train([[1], [2], [3]], [3, 5, 7], once);
  receipts.push(receipt);
}
const refused = receipts.filter(({ status }) => status === 'refused');
console.log(`too fast: ${refused.length > 0 ? 'some updates were refused' : 'none was refused'}`);
assert.ok(refused.length > 0);
assert.equal(refused[0]!.reason?.code, 'LIMIT_EXCEEDED');
assert.equal(coordinator.version, 1 + receipts.length - refused.length);

// A new token beside the old one; the child takes it at its next start, and the old one goes.
const second = book.issue('shard-7');
await child.leave();
const again = await join('shard-7', second);
book.revoke('shard-7', second);
await refusalOf('with the token of before', join('shard-7', first));

// The child is not to come any more: what it has now ends, and it gets no more.
book.revoke('shard-7');
const ended = new Promise((resolve) => again.on('closed', resolve));
coordinator.removeChild('shard-7');
await ended;
await refusalOf('after that', join('shard-7', second));

await coordinator.close();
server.close();
console.log(lines.join('\n'));
