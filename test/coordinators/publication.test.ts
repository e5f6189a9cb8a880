import type { Plugin } from 'mainstem';
import { Child, DistributedGradientsCoordinator, InProcessTransport, LinearRegression } from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf, settle } from './helpers.ts';

type Verdict = ReturnType<NonNullable<Plugin['beforePublish']>>;

async function setUp(judge: (version: number) => Verdict) {
  const clock = new VirtualClock();
  const coordinator = new DistributedGradientsCoordinator({ learningRate: 1, clock });
  const errors: string[] = [];
  const published: number[] = [];
  coordinator.on('error', ({ message }) => errors.push(message));
  coordinator.on('mainPublished', ({ version }) => published.push(version));
  coordinator.use({ name: 'canary', beforePublish: ({ version }) => judge(version) });
  coordinator.setModelParameters(parametersOf(0, 0));
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  const connect = (childId: string): Promise<Child> =>
    Child.connect({ transport, model: new LinearRegression(), childId });
  const move = async (): Promise<void> => {
    await coordinator.addGradients(gradientsOf([-1, 0])).committed;
    await settle();
  };
  return { clock, coordinator, errors, published, connect, move };
}

describe('a main that a plugin keeps back', () => {
  test('reaches no child, old or new, until a better one comes', async () => {
    const { coordinator, connect, move, published } = await setUp((version) => version !== 2);
    const early = await connect('early');
    await move();
    const late = await connect('late');
    expect([coordinator.version, early.version, late.version]).toEqual([2, 1, 1]);
    expect(numbersOf(late.main as NonNullable<Child['main']>)).toEqual([0, 0]);
    await move();
    expect([early.version, late.version]).toEqual([3, 3]);
    expect(published).toEqual([1, 3]);
  });

  test('is kept back by a hook that fails, too, which is reported', async () => {
    const { connect, move, errors } = await setUp((version) => {
      if (version === 2) throw new TypeError('no idea');
    });
    const child = await connect('a');
    await move();
    expect(child.version).toBe(1);
    expect(errors).toEqual(['beforePublish of plugin canary failed: no idea']);
    await move();
    expect(child.version).toBe(3);
  });
});

describe('a canary that takes its time', () => {
  test('holds nothing up but publication, and of what comes meanwhile only the newest is looked at', async () => {
    const judged: number[] = [];
    const answers = new Map<number, (verdict: boolean) => void>();
    const { coordinator, connect, move, published } = await setUp((version) => {
      judged.push(version);
      if (version === 1) return true;
      return new Promise<boolean>((resolve) => answers.set(version, resolve));
    });
    const child = await connect('a');
    for (let i = 0; i < 3; i++) await move();
    expect([coordinator.version, child.version]).toEqual([4, 1]);
    expect(judged).toEqual([1, 2]);
    answers.get(2)?.(false);
    await settle();
    expect(judged).toEqual([1, 2, 4]);
    answers.get(4)?.(true);
    await settle();
    expect(child.version).toBe(4);
    expect(published).toEqual([1, 4]);
  });

  test('and never answers does not hold publication for ever', async () => {
    let isStuck = true;
    const { clock, connect, move, errors } = await setUp((version) =>
      version > 1 && isStuck ? new Promise<boolean>(() => {}) : true,
    );
    const child = await connect('a');
    await move();
    await move();
    isStuck = false;
    clock.advance(29_999);
    await settle();
    expect([child.version, errors.length]).toEqual([1, 0]);
    clock.advance(1);
    await settle();
    expect(child.version).toBe(3);
    expect(errors).toEqual([
      'beforePublish of a plugin gave no answer within 30000 ms: version 2 is kept back',
    ]);
  });

  test('that rejects keeps its version back and is named; the plugin behind it is asked only after a yes', async () => {
    const asked: number[] = [];
    const { coordinator, connect, move, errors } = await setUp(async (version) => {
      if (version === 2) throw new Error('lost the wire');
      return version !== 3;
    });
    coordinator.use({ name: 'second', beforePublish: ({ version }) => void asked.push(version) });
    await settle();
    const child = await connect('a');
    for (let i = 0; i < 3; i++) await move();
    expect(errors).toEqual(['beforePublish of plugin canary failed: lost the wire']);
    expect(asked).toEqual([4]);
    expect(child.version).toBe(4);
  });
});

test('what a canary does to its copy of main does not reach the children', async () => {
  const clock = new VirtualClock();
  const coordinator = new DistributedGradientsCoordinator({ clock });
  coordinator.use({ name: 'vandal', beforePublish: ({ main }) => void main.values.fill(9) });
  coordinator.setModelParameters(parametersOf(1, 2));
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  const child = await Child.connect({ transport, model: new LinearRegression(), childId: 'a' });
  expect(numbersOf(child.main as NonNullable<Child['main']>)).toEqual([1, 2]);
});
