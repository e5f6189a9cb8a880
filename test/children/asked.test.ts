import type { ModeOption } from 'mainstem';
import { expect, test } from 'vitest';
import { parametersOf } from '../coordinators/helpers.ts';
import type { Watched } from './sessionHelpers.ts';
import { Scene } from './sessionHelpers.ts';

/** What children hear, and send, when they are asked. */
function answer({ child, send }: Watched, log: string[], updatesMax = Infinity): void {
  const update = async (): Promise<void> => {
    await child.adopt();
    const { status, reason } = await send(1, 0, 0);
    if (status === 'refused' || status === 'stale') log.push(`${child.childId} ${reason?.code}`);
  };
  child.on('asked', ({ version }) => {
    log.push(`${child.childId}${version}`);
    if (log.length <= updatesMax) void update();
  });
}

test('children that a round asks hear of it once they have its main; the others hear nothing', async () => {
  const scene = new Scene();
  const mode: ModeOption = { mode: 'synchronous', children: 1, selection: 'roundRobin' };
  const coordinator = await scene.start({ mode });
  const log: string[] = [];
  answer(await scene.connect('a'), log, 6);
  const b = await scene.connect('b');
  answer(b, log, 6);
  // a was asked as it came, before anybody listened.
  coordinator.setMode(mode);
  await scene.pass(10_000);
  expect(log).toEqual(['a1', 'b2', 'a3', 'b4', 'a5', 'b6', 'a7']);
  expect(coordinator.version).toBe(7);
});

test('who comes while a round has room for it is asked as it comes', async () => {
  const scene = new Scene();
  const mode: ModeOption = { mode: 'synchronous', children: 2, ask: 2, deadline: 'none' };
  const coordinator = await scene.start({ mode });
  const asked: string[] = [];
  coordinator.on('childAsked', ({ childId }) => asked.push(childId));
  for (const childId of ['a', 'b', 'c']) await scene.connect(childId);
  expect(asked).toEqual(['a', 'b']);
});

test('a child that was cut off while it was asked hears of it when it comes back', async () => {
  const scene = new Scene();
  const coordinator = await scene.start({
    mode: { mode: 'synchronous', children: 2, ask: 2, deadline: 'none' },
  });
  const log: string[] = [];
  const a = await scene.connect('a');
  const b = await scene.connect('b');
  answer(a, log, 4);
  answer(b, log, 4);
  await scene.isolate('a');
  coordinator.setMode({ mode: 'synchronous', children: 2, ask: 2, deadline: 'none' });
  await scene.pass(100);
  expect(log).toEqual(['b1']);
  expect(coordinator.waitingFor()?.missing).toEqual(['a']);
  await scene.heal();
  await scene.pass(10_000);
  expect(log.slice(0, 2)).toEqual(['b1', 'a1']);
  expect(coordinator.version).toBeGreaterThan(1);
});

test('main that is set anew is asked for anew, and not before it is there', async () => {
  const scene = new Scene();
  const coordinator = await scene.start({ mode: { mode: 'synchronous', children: 1, ask: 1 } });
  const log: string[] = [];
  answer(await scene.connect('a'), log, 1);
  coordinator.setModelParameters(parametersOf(7, 7, 7));
  await scene.pass(10_000);
  expect(log).toEqual(['a2', 'a3']);
});

test('modes that take whatever comes ask nobody', async () => {
  const scene = new Scene();
  const coordinator = await scene.start();
  const log: string[] = [];
  const a = await scene.connect('a');
  answer(a, log);
  coordinator.setMode({ mode: 'buffered', updates: 2 });
  const sending = a.send(1, 0, 0);
  await scene.pass(1_000);
  await sending;
  expect(log).toEqual([]);
});
