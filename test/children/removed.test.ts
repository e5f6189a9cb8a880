import { describe, expect, test } from 'vitest';
import { numbersOf } from '../coordinators/helpers.ts';
import { Scene } from './sessionHelpers.ts';

describe('a child that is removed', () => {
  test('hears of it, ends, and is out once; what it has added stays', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    const { events, send } = await scene.connect('a');
    const other = await scene.connect('b');
    const sending = send(1, 2, 3);
    await scene.pass(10);
    await sending;
    expect(coordinator.removeChild('a')).toBe(true);
    await scene.pass(100);
    expect(events).toEqual(['closed: child a was removed']);
    expect([scene.attendance, coordinator.children]).toEqual([['+a', '+b', '-a'], ['b']]);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-1, -2, -3]);
    expect(other.events).toEqual([]);
    // It is not banned: that is for whoever looks at tokens.
    await scene.connect('a');
    expect(coordinator.children).toEqual(['a', 'b']);
  });

  test('while its connection is broken: it is out at once, and once', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    await scene.connect('a');
    await scene.isolate('a');
    expect(coordinator.removeChild('a')).toBe(true);
    await scene.pass(120_000);
    expect(scene.attendance).toEqual(['+a', '-a']);
  });

  test('by a plugin, for its update: main is without it, and others go on', async () => {
    const scene = new Scene();
    const coordinator = await scene.start();
    coordinator.use({
      name: 'bouncer',
      onUpdate: ({ childId, content }) => {
        if ((content.values[0] as number) < 100) return;
        coordinator.removeChild(childId);
        throw new Error('too far');
      },
    });
    const bad = await scene.connect('bad');
    const good = await scene.connect('good');
    bad.send(1_000, 0, 0).catch(() => {});
    const sending = good.send(1, 1, 1);
    await scene.pass(100);
    expect((await sending).status).toBe('applied');
    expect(bad.events).toEqual(['closed: child bad was removed']);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-1, -1, -1]);
  });
});
