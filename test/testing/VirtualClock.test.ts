import fc from 'fast-check';
import { InvalidOptionError } from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';

describe('VirtualClock', () => {
  test('timers run by time, then by age, whatever is cancelled: as a sorted list would', () => {
    const timers = fc.array(fc.record({ delayMs: fc.nat(20), isCancelled: fc.boolean() }), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(timers, fc.nat(20), (given, untilMs) => {
        const clock = new VirtualClock(5);
        const ran: number[] = [];
        const cancels = given.map(({ delayMs }, index) =>
          clock.schedule(() => {
            expect(clock.now()).toBe(5 + delayMs);
            ran.push(index);
          }, delayMs),
        );
        given.forEach(({ isCancelled }, index) => {
          if (isCancelled) cancels[index]?.();
        });
        const live = given.flatMap(({ delayMs, isCancelled }, index) =>
          isCancelled ? [] : [{ delayMs, index }],
        );
        // A stable sort: of two at one time, the older first.
        live.sort((a, b) => a.delayMs - b.delayMs);
        expect(clock.pendingTimers).toBe(live.length);
        clock.advance(untilMs);
        const due = live.filter(({ delayMs }) => delayMs <= untilMs);
        expect(ran).toEqual(due.map(({ index }) => index));
        expect(clock.pendingTimers).toBe(live.length - due.length);
        // Cancelling what has run changes nothing.
        for (const index of ran) cancels[index]?.();
        clock.advance(20);
        expect(ran).toEqual(live.map(({ index }) => index));
        expect([clock.pendingTimers, clock.now()]).toEqual([0, 25 + untilMs]);
      }),
    );
  });

  test('a timer may make timers; those due within the same advance run in it', () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const again = (): void => {
      seen.push(clock.now());
      clock.schedule(again, 4);
    };
    clock.schedule(again, 1);
    clock.advance(10);
    expect(seen).toEqual([1, 5, 9]);
    expect(clock.now()).toBe(10);
  });

  test('runNext runs one timer at its time, and stays where none is due', () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.schedule(() => seen.push('late'), 30);
    clock.schedule(() => seen.push('early'), 10);
    expect(clock.runNext(9)).toBe(false);
    expect(clock.now()).toBe(0);
    expect(clock.runNext(10)).toBe(true);
    expect([clock.now(), ...seen]).toEqual([10, 'early']);
    expect(clock.runNext()).toBe(true);
    expect([clock.now(), ...seen]).toEqual([30, 'early', 'late']);
    expect(clock.runNext()).toBe(false);
  });

  test('time does not go back, and nothing is due never', () => {
    const clock = new VirtualClock();
    for (const byMs of [-1, Number.NaN, Infinity])
      expect(() => clock.advance(byMs)).toThrow(InvalidOptionError);
    for (const delayMs of [Number.NaN, Infinity])
      expect(() => clock.schedule(() => {}, delayMs)).toThrow(InvalidOptionError);
    expect([clock.now(), clock.pendingTimers]).toEqual([0, 0]);
  });
});
