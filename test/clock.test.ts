import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../src/index.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('no delay reaches the platform that it would warn of, or take for another', () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout');
  for (const delayMs of [-5, 0, 7, 2 ** 31 - 1, 2 ** 31, 1e12]) systemClock.schedule(() => {}, delayMs);
  expect(setTimer.mock.calls.map(([, delayMs]) => delayMs)).toEqual([0, 0, 7, ...Array(3).fill(2 ** 31 - 1)]);
});

test('a delay of a year is not over at once', () => {
  const callback = vi.fn();
  systemClock.schedule(callback, 365 * 24 * 3_600_000);
  vi.advanceTimersByTime(3_600_000);
  expect(callback).not.toHaveBeenCalled();
});
