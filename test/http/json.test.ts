import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  LinearRegression,
  ModelParametersMerger,
  seededRandom,
} from 'mainstem';
import { HttpServerTransport, HttpTransport } from 'mainstem/http';
import { VirtualClock } from 'mainstem/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { numbersOf, parametersOf, randomRows } from '../coordinators/helpers.ts';
import { ask, type CleanUps, post, urlOf } from '../transport/httpSupport.ts';
import { until } from '../transport/webSocketSupport.ts';
import { gradientOf, JsonChild, type JsonTensors } from './jsonChild.ts';

const cleanUps: CleanUps = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Ends a connection before its coordinator is closed, which would wait for it to be heard. */
function endedAfter<T extends { json: { connection: string } }>(url: string, answer: T): T {
  cleanUps.push(() => ask(`${url}/${answer.json.connection}`, { method: 'DELETE' }));
  return answer;
}

/** A coordinator that listens over HTTP. */
async function served<
  C extends { listen(transport: HttpServerTransport): Promise<unknown>; close(): unknown },
>(
  coordinator: C,
  options: Partial<ConstructorParameters<typeof HttpServerTransport>[0]> = {},
): Promise<{ coordinator: C; url: string }> {
  const server = new HttpServerTransport({ port: 0, ...options });
  await coordinator.listen(server);
  cleanUps.push(() => coordinator.close());
  return { coordinator, url: urlOf(server) };
}

function withMain(...values: number[]): DistributedGradientsCoordinator {
  const coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(parametersOf(...values));
  return coordinator;
}

describe('children in JSON', () => {
  test('one beside a binary child: rounds in one request each, and main as from direct calls', async () => {
    const random = seededRandom(5);
    const shards = [0, 1].map(() => {
      const rows = randomRows(random, 12, 3);
      return { rows, labels: rows.map(([a = 0, b = 0, c = 0]) => 2 * a - b + c / 2 + 1) };
    });
    const { coordinator, url } = await served(
      new DistributedGradientsCoordinator({ childrenPerUpdate: 2, learningRate: 0.2 }),
    );
    coordinator.setModelParameters(parametersOf(0, 0, 0, 0));
    const json = new JsonChild(url, 'engine');
    await json.connect();
    expect(json.received.map(({ type }) => type)).toEqual(['welcome', 'main']);
    const model = new LinearRegression();
    const child = await Child.connect({ transport: new HttpTransport(url), model, childId: 'node' });
    cleanUps.push(() => child.leave());
    const rounds = 10;
    for (let round = 0; round < rounds; round++) {
      const [own, other] = shards as [(typeof shards)[0], (typeof shards)[0]];
      const sent = child.train(other.rows, other.labels, { maximumNumberOfIterations: 1 });
      const { tensors, version } = json.main as { tensors: JsonTensors; version: number };
      const gradients = gradientOf(tensors, own.rows, own.labels);
      await json.push({ tensors: gradients, sampleCount: own.rows.length, baseVersion: version });
      await (await sent).receipt.committed;
      await until(() => child.version === json.main?.version);
    }
    expect(json.requests).toBe(1 + rounds);
    const union = new LinearRegression({ learningRate: 0.2 });
    union.setModelParameters(parametersOf(0, 0, 0, 0));
    const rows = shards.flatMap((shard) => shard.rows);
    const labels = shards.flatMap((shard) => shard.labels);
    union.train(rows, labels, { maximumNumberOfIterations: rounds });
    const expected = numbersOf(union.getModelParameters());
    numbersOf(coordinator.getModelParameters()).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 5);
    });
    const main = json.main?.tensors as JsonTensors;
    expect([...main.weights.flat(), ...main.bias]).toEqual(numbersOf(coordinator.getModelParameters()));
    await json.leave();
    await until(() => !coordinator.children.includes('engine'));
    await json.end();
  });

  test('parameters merged with names in any order, and a receipt of each', async () => {
    const { coordinator, url } = await served(
      new DistributedModelParametersCoordinator({ merger: new ModelParametersMerger() }),
    );
    const json = new JsonChild(url, 'a');
    await json.connect();
    await json.push({ tensors: { weights: [[0], [0]], bias: [0] }, sampleCount: 4 });
    await json.push({ tensors: { bias: [3], weights: [[1], [2]] }, sampleCount: 4 });
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 2, 3]);
    expect(json.main?.tensors).toEqual({ weights: [[1], [2]], bias: [3] });
    expect(json.received.filter(({ type }) => type === 'receipt').at(-1)).toMatchObject({
      first: 2,
      last: 2,
      status: 'applied',
      error: null,
    });
    await json.end();
    // A layout of its own is refused, and says why.
    const joined = await post(`${url}/connect?wait=5`, { type: 'hello', childId: 'b' });
    const { connection } = endedAfter(url, joined).json;
    const update = { type: 'update', tensors: { weights: [[1]] }, sampleCount: 1 };
    const { json: answer } = await post(`${url}/${connection}/push?wait=50&for=main`, update);
    expect(answer.messages[0]).toMatchObject({ status: 'refused', error: { code: 'LAYOUT_MISMATCH' } });
  });

  test('of many mains that were not fetched only the newest comes, and what comes is compressed', async () => {
    const coordinator = new DistributedGradientsCoordinator();
    const many = Array.from({ length: 40_000 }, (_, i) => i / 7);
    coordinator.setModelParameters(parametersOf(...many));
    const { url } = await served(coordinator);
    const hello = { type: 'hello', childId: 'a' };
    const first = endedAfter(url, await post(`${url}/connect?wait=9&for=main`, hello));
    expect(first.headers.get('content-encoding')).toBe('gzip');
    const { connection, after, messages } = first.json;
    expect(messages.map(({ type }) => type)).toEqual(['welcome', 'main']);
    // In pieces on its way to here, and large enough not to be taken as a whole.
    expect(messages[1]?.tensors).toEqual({
      weights: many.slice(0, -1).map((value) => [value]),
      bias: many.slice(-1),
    });
    for (let i = 1; i <= 5; i++) coordinator.setModelParameters(parametersOf(...many.map((x) => x + i)));
    const place = `${url}/${connection}/pull?wait=9&for=main&after=${after}`;
    let version: unknown;
    for (const { type, ...rest } of (await ask(place)).json.messages)
      if (type === 'main') version = rest.version;
    expect(version).toBeGreaterThan(1);
    // It was not acknowledged: it comes again, or a newer one.
    const again = (await ask(place)).json.messages.filter(({ type }) => type === 'main');
    expect(again).toHaveLength(1);
    expect(again[0]?.version).toBeGreaterThanOrEqual(version as number);
    const plain = await ask(place, { headers: { 'accept-encoding': 'gzip;q=0, identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
  });

  test('a session that goes on over another connection: what comes again counts once', async () => {
    const { coordinator, url } = await served(withMain(0, 0));
    const hello = { type: 'hello', childId: 'a', session: 'mine' };
    const first = endedAfter(url, await post(`${url}/connect?wait=5`, hello)).json;
    const { instance, epoch } = first.messages[0] as unknown as { instance: string; epoch: number };
    const update = { type: 'update', tensors: { weights: [[1]], bias: [1] }, sampleCount: 1, sequence: 7 };
    await post(`${url}/${first.connection}/push?wait=5`, update);
    const main = numbersOf(coordinator.getModelParameters());
    const again = await post(`${url}/connect?wait=5`, { ...hello, instance, epoch });
    const second = endedAfter(url, again).json;
    expect(second.messages[0]).toMatchObject({ type: 'welcome', isResumed: true, epoch });
    const answer = (await post(`${url}/${second.connection}/push?wait=5&after=${second.after}`, update)).json;
    expect(answer.messages).toMatchObject([
      { status: 'duplicate' },
      { type: 'committed', first: 7, last: 7 },
    ]);
    expect(numbersOf(coordinator.getModelParameters())).toEqual(main);
    // The older connection was closed in its favour.
    const older = await ask(`${url}/${first.connection}/pull`);
    expect([older.status, older.json.isClosed]).toEqual([200, true]);
  });

  test('a coordinator that closes says so in the last answer', async () => {
    const { coordinator, url } = await served(withMain(0, 0));
    const { connection, after } = (await post(`${url}/connect?wait=5`, { type: 'hello', childId: 'a' })).json;
    const pulling = ask(`${url}/${connection}/pull?wait=20&after=${after}`);
    await until(() => coordinator.children.length === 1);
    const closing = coordinator.close();
    const { json } = await pulling;
    expect([json.isClosed, json.messages.map(({ type }) => type)]).toEqual([true, ['goodbye']]);
    await closing;
  });

  test('a child that trains for long is silent and stays; one that says nothing more is counted out', async () => {
    const clock = new VirtualClock();
    const coordinator = new DistributedGradientsCoordinator({ clock });
    coordinator.setModelParameters(parametersOf(0, 0));
    const { url } = await served(coordinator, { clock });
    const { json } = await post(`${url}/connect`, { type: 'hello', childId: 'a' });
    const place = `${url}/${json.connection}`;
    for (let minutes = 0; minutes < 5; minutes++) {
      clock.advance(50_000);
      const { status, json: answer } = await ask(`${place}/pull`);
      expect([status, answer.isClosed]).toEqual([200, false]);
    }
    const update = { type: 'update', tensors: { weights: [[1]], bias: [1] }, sampleCount: 1 };
    await post(`${place}/push?n=1`, update);
    expect(coordinator.version).toBe(2);
    clock.advance(80_000);
    expect((await ask(`${place}/pull`)).status).toBe(404);
    expect(coordinator.children).toEqual(['a']);
    clock.advance(60_000);
    expect(coordinator.children).toEqual([]);
  });
});
