import { describe, expect, it } from 'vitest';
import { GuardedEvents } from '../src/events.ts';

interface Events {
  merged: { version: number };
  closed: undefined;
}

function setUp(): { events: GuardedEvents<Events>; failures: [string, string][] } {
  const failures: [string, string][] = [];
  const events = new GuardedEvents<Events>((error, event) => {
    failures.push([event, error.message]);
  });
  return { events, failures };
}

describe('GuardedEvents', () => {
  it('calls listeners in the order in which they were added, with the event', () => {
    const { events } = setUp();
    const seen: string[] = [];
    events.on('merged', ({ version }) => seen.push(`first ${version}`));
    events.on('merged', ({ version }) => seen.push(`second ${version}`));
    expect(events.emit('merged', { version: 3 })).toBe(true);
    expect(events.emit('closed', undefined)).toBe(false);
    expect(seen).toEqual(['first 3', 'second 3']);
  });

  it('catches what a listener throws, and calls those behind it', () => {
    const { events, failures } = setUp();
    let calls = 0;
    events.on('merged', () => {
      throw new Error('broken');
    });
    events.on('merged', () => {
      throw 'text';
    });
    events.on('merged', () => {
      calls++;
    });
    expect(events.emit('merged', { version: 1 })).toBe(true);
    expect(calls).toBe(1);
    expect(failures).toEqual([
      ['merged', 'broken'],
      ['merged', 'text'],
    ]);
    events.emit('merged', { version: 2 });
    expect(calls).toBe(2);
  });

  it('removes listeners, each by itself', () => {
    const { events } = setUp();
    const seen: string[] = [];
    const first = (): void => void seen.push('first');
    const second = (): void => void seen.push('second');
    const remove = events.on('merged', first);
    events.on('merged', second);
    events.on('closed', first);
    remove();
    remove();
    events.emit('merged', { version: 1 });
    expect(seen).toEqual(['second']);
    events.off('merged', second);
    events.off('merged', first);
    expect(events.emit('merged', { version: 2 })).toBe(false);
    events.emit('closed', undefined);
    expect(seen).toEqual(['second', 'first']);
  });

  it('keeps one entry for a listener added twice', () => {
    const { events } = setUp();
    let calls = 0;
    const listener = (): void => void calls++;
    events.on('closed', listener);
    events.on('closed', listener);
    events.emit('closed', undefined);
    expect(calls).toBe(1);
    events.off('closed', listener);
    expect(events.emit('closed', undefined)).toBe(false);
    events.on('closed', listener);
    events.emit('closed', undefined);
    expect(calls).toBe(2);
  });

  it('lets a listener remove itself while it is called', () => {
    const { events } = setUp();
    const seen: string[] = [];
    const remove = events.on('merged', () => {
      seen.push('once');
      remove();
    });
    events.on('merged', () => void seen.push('always'));
    events.emit('merged', { version: 1 });
    events.emit('merged', { version: 2 });
    expect(seen).toEqual(['once', 'always', 'always']);
  });
});
