import type { Transport } from 'mainstem';
import {
  Child,
  ConnectionRefusedError,
  DistributedGradientsCoordinator,
  InProcessTransport,
  SharedConnection,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { expect, test } from 'vitest';
import { linkLimits } from '../../src/limits.ts';
import type { Frame } from '../../src/transport/frame.ts';
import { numbersOf, parametersOf, settle } from '../coordinators/helpers.ts';
import { ScriptedModel } from '../coordinators/simulation/actors.ts';
import { tapped } from './linkSupport.ts';

/** A coordinator whose learning rate is 1, and a way to it that counts connections and sees what children send. */
async function setUp() {
  const coordinator = new DistributedGradientsCoordinator({ learningRate: 1 });
  coordinator.setModelParameters(parametersOf(0, 0, 0));
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  const frames: Frame[] = [];
  const connections: number[] = [];
  const ends: (() => void)[] = [];
  let isLate = false;
  const way = tapped(
    transport,
    (frame) => frames.push(frame),
    (hear) => {
      if (isLate) ends.push(hear);
      else hear();
    },
  );
  const counted: Transport = {
    listen: way.listen,
    connect() {
      connections.push(frames.length);
      return way.connect();
    },
  };
  // Virtual time: nothing beats.
  const shared = new SharedConnection(counted, { clock: new VirtualClock() });
  const join = async (childId: string): Promise<{ child: Child; model: ScriptedModel }> => {
    const model = new ScriptedModel();
    return { model, child: await Child.connect({ transport: shared, model, childId, reconnect: false }) };
  };
  /** From now on nobody hears of an end; what this returns lets them. */
  const holdEnds = (): (() => void) => {
    isLate = true;
    return () => {
      for (const hear of ends) hear();
    };
  };
  return { coordinator, frames, connections, shared, join, holdEnds };
}

test('fifty children share one connection, each in a conversation of its own', async () => {
  const { coordinator, frames, connections, join } = await setUp();
  const ids = Array.from({ length: 50 }, (_, i) => `child-${i}`);
  const joined = await Promise.all(ids.map(join));
  expect(connections).toHaveLength(1);
  expect([...coordinator.children].sort()).toEqual([...ids].sort());
  expect(new Set(frames.map(({ channel }) => channel)).size).toBe(50);
  expect(frames.map(({ number }) => number)).toEqual(frames.map((_, at) => at));
  const receipts = await Promise.all(
    joined.map(({ child, model }, i) => {
      model.values = [i, 1, 0];
      return child.send();
    }),
  );
  expect(receipts.every(({ status }) => status === 'applied')).toBe(true);
  await Promise.all(receipts.map(({ committed }) => committed));
  // The sum of 0 to 49, and fifty times 1.
  expect(numbersOf(coordinator.getModelParameters())).toEqual([-1225, -50, 0]);
  await joined[7]?.child.leave();
  await settle();
  expect(coordinator.children).toHaveLength(49);
  (joined[8]?.model as ScriptedModel).values = [0, 0, 1];
  expect((await joined[8]?.child.send())?.status).toBe('applied');
  await Promise.all(joined.map(({ child }) => child.leave()));
  await settle();
  expect(coordinator.children).toEqual([]);
  expect(connections).toHaveLength(1);
});

test('who comes as the last one goes gets a connection of its own', async () => {
  const { coordinator, connections, join, holdEnds } = await setUp();
  const first = await join('a');
  // The connection is on its way out, and nobody has heard of it yet.
  const releaseEnds = holdEnds();
  await first.child.leave();
  await join('b');
  await settle();
  expect(coordinator.children).toEqual(['b']);
  // The end of the first connection does not take the second one with it.
  releaseEnds();
  await join('c');
  expect(coordinator.children).toEqual(['b', 'c']);
  expect(connections).toHaveLength(2);
});

test('where the numbers of conversations have run out, the next begins on another connection', async () => {
  const { connections, shared, join } = await setUp();
  await join('first');
  for (let number = 1; number <= linkLimits.channelNumberMax; number++) (await shared.openChannel()).close();
  expect(connections).toHaveLength(1);
  const last = await join('last');
  expect(connections).toHaveLength(2);
  last.model.values = [1, 2, 3];
  expect((await last.child.send()).status).toBe('applied');
});

test('where nobody listens each child hears of it, and the next try is a new one', async () => {
  const transport = new InProcessTransport();
  const shared = new SharedConnection(transport);
  const join = (childId: string): Promise<Child> =>
    Child.connect({ transport: shared, model: new ScriptedModel(), childId });
  const tries = await Promise.allSettled([join('a'), join('b')]);
  for (const one of tries)
    expect(one).toMatchObject({ status: 'rejected', reason: expect.any(ConnectionRefusedError) });
  const coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(parametersOf(0, 0, 0));
  await coordinator.listen(transport);
  await join('a');
  expect(coordinator.children).toEqual(['a']);
  // A connection that is not shared is still to be had.
  expect((await shared.connect()).peer).toBe('in-process coordinator');
});
