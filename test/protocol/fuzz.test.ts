import { expect, it } from 'vitest';
import { fuzzFrames } from './fuzz/fuzzFrames.ts';

it('50,000 mutated frames: typed errors or acceptance, and a main that whole legal updates alone move', async () => {
  const counts = await fuzzFrames({ frames: 50_000, seed: 1 });
  // Mutations that never get past the first check would prove nothing.
  for (const reached of [
    'frame: completed an update',
    'frame: ended its connection',
    'answer: welcome',
    'answer: welcome back',
    'answer: receipt applied',
    'answer: receipt duplicate DUPLICATE_UPDATE',
    'answer: refusal MALFORMED_DATA',
    'answer: refusal LIMIT_EXCEEDED',
    'answer: refusal CONNECTION_REFUSED',
    'answer: refusal STALE_SESSION',
    'answer: reported',
    'answer: reported CORRUPT_FRAME',
    'answer: reported CONNECTION_BROKEN',
  ])
    expect([...counts.keys()]).toContain(reached);
  expect(counts.get('frame: completed an update')).toBeGreaterThan(1_000);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
}, 60_000);
