import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { LayoutPool } from '../../src/coordinators/LayoutPool.ts';
import { flatLayout, settle } from './helpers.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('equal layouts become one', () => {
  const pool = new LayoutPool();
  const first = pool.intern(flatLayout(3));
  expect(pool.intern(flatLayout(3))).toBe(first);
  expect(pool.intern(flatLayout(4))).not.toBe(first);
  expect(pool.size).toBe(2);
});

test('strangers who show one layout after another leave nothing behind', async () => {
  const pool = new LayoutPool();
  const held = Array.from({ length: 10 }, (_, i) => pool.intern(flatLayout(i + 1)));
  for (let i = 0; i < 2_000; i++) {
    pool.intern(flatLayout(100 + i));
    // What is held weakly lives to the end of its turn.
    if (i % 100 === 99) {
      await settle();
      collect();
    }
  }
  expect(pool.size).toBeLessThan(300);
  for (const [i, layout] of held.entries()) expect(pool.intern(flatLayout(i + 1))).toBe(layout);
});
