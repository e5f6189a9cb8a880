import { describe, expect, it } from 'vitest';
import { readArguments, UsageError } from '../../src/cli/arguments.ts';

describe('readArguments', () => {
  it.each([
    [[], { kind: 'help', of: 'mainstem' }],
    [['--help'], { kind: 'help', of: 'mainstem' }],
    [['-h'], { kind: 'help', of: 'mainstem' }],
    [['help'], { kind: 'help', of: 'mainstem' }],
    [['--version'], { kind: 'version' }],
    [['-v'], { kind: 'version' }],
    [['demo', '--help'], { kind: 'help', of: 'demo' }],
    [['demo', '-h', '--seed', '3'], { kind: 'help', of: 'demo' }],
    [['demo'], { kind: 'demo', seed: 1, children: 8, place: 'threads', json: false }],
    [['demo', '--seed', '0'], { kind: 'demo', seed: 0, children: 8, place: 'threads', json: false }],
    [['inspect', 'a b.json'], { kind: 'inspect', file: 'a b.json', json: false }],
    [['inspect', '--json', '--', '-x'], { kind: 'inspect', file: '-x', json: true }],
    [['inspect', '--help'], { kind: 'help', of: 'inspect' }],
    [['inspect', 'x', '-h'], { kind: 'help', of: 'inspect' }],
    [
      ['demo', '--json', '--seed=4294967295'],
      { kind: 'demo', seed: 4294967295, children: 8, place: 'threads', json: true },
    ],
    [['demo', '--processes'], { kind: 'demo', seed: 1, children: 8, place: 'processes', json: false }],
    [['demo', '--in-process'], { kind: 'demo', seed: 1, children: 8, place: 'in-process', json: false }],
    [['demo', '--children', '2'], { kind: 'demo', seed: 1, children: 2, place: 'threads', json: false }],
  ])('reads %j', (words, expected) => {
    expect(readArguments(words)).toEqual(expected);
  });

  it.each([
    [['train'], 'there is no command "train"'],
    [['--nope'], "Unknown option '--nope'"],
    [['inspect'], 'expected one file, got none'],
    [['inspect', 'a', 'b'], 'expected one file, got "a", "b"'],
    [['inspect', 'a', '--seed', '1'], "Unknown option '--seed'"],
    [['demo', '--nope'], "Unknown option '--nope'"],
    [['demo', 'more'], "Unexpected argument 'more'"],
    [['demo', '--json=yes'], "Option '--json' does not take an argument"],
    [['demo', '--seed'], "Option '--seed <value>' argument missing"],
    [['demo', '--seed', ''], '--seed is "", expected a whole number, 0 to 4294967295'],
    [['demo', '--seed', 'one'], '--seed is "one"'],
    [['demo', '--seed', '1.5'], '--seed is "1.5"'],
    [['demo', '--seed=-1'], '--seed is "-1"'],
    [['demo', '--seed', '4294967296'], '--seed is "4294967296"'],
    [['demo', '--children', '1'], '--children is "1", expected a whole number, 2 to 64'],
    [['demo', '--children', '65'], '--children is "65"'],
    [['demo', '--processes', '--in-process'], 'expected --processes or --in-process, got both'],
  ])('refuses %j', (words, message) => {
    const reading = (): unknown => readArguments(words);
    expect(reading).toThrow(UsageError);
    expect(reading).toThrow(message);
  });

  it('says whose help is of use', () => {
    expect(() => readArguments(['demo', '--nope'])).toThrow(
      expect.objectContaining({ command: 'mainstem demo' }),
    );
    expect(() => readArguments(['inspect'])).toThrow(
      expect.objectContaining({ command: 'mainstem inspect' }),
    );
    expect(() => readArguments(['--nope'])).toThrow(expect.objectContaining({ command: 'mainstem' }));
  });
});
