import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/errors.ts';
import { ParameterLayout } from '../../src/parameters/ParameterLayout.ts';
import { checkTensorPatterns, matchTensors, rangesOutside } from '../../src/parameters/tensorPatterns.ts';

const layout = new ParameterLayout([
  { name: 'layers.0.weights', shape: [2, 3] },
  { name: 'layers.0.bias', shape: [3] },
  { name: 'layers.1.weights', shape: [3, 1] },
  { name: 'layers.1.bias', shape: [1] },
  { name: 'layers.10.bias', shape: [2] },
]);

const namesOf = (patterns: string[]): string[] => matchTensors(layout, patterns).map(({ name }) => name);

describe('matchTensors', () => {
  it.each([
    [['layers.1.bias'], ['layers.1.bias']],
    [['layers.1.*'], ['layers.1.weights', 'layers.1.bias']],
    [
      ['layers.1*', 'layers.0.bias'],
      ['layers.0.bias', 'layers.1.weights', 'layers.1.bias', 'layers.10.bias'],
    ],
    [['*'], layout.tensors.map(({ name }) => name)],
    [['layers.0.bias', 'layers.0.bias', 'layers.0.b*'], ['layers.0.bias']],
    [[], []],
  ])('%j names %j', (patterns, names) => {
    expect(namesOf(patterns)).toEqual(names);
  });

  it('refuses a pattern that names nothing, and says what there is', () => {
    expect(() => matchTensors(layout, ['layers.0.*', 'layer.0.*'], 'frozen')).toThrow(
      /^frozen has "layer\.0\.\*", which names no tensor; there are \["layers\.0\.weights"/,
    );
    expect(() => namesOf(['layers.1'])).toThrow(InvalidOptionError);
  });
});

describe('checkTensorPatterns', () => {
  it.each([
    ['a string', 'weights'],
    ['nothing', undefined],
    ['an empty name', ['']],
    ['a star in the middle', ['layers.*.weights']],
    ['two stars', ['layers.**']],
    ['a number', [5]],
    ['too many', Array.from({ length: 5_000 }, () => 'a')],
  ])('refuses %s', (_name, patterns) => {
    expect(() => checkTensorPatterns(patterns, 'frozen')).toThrow(InvalidOptionError);
    expect(() => checkTensorPatterns(patterns, 'frozen')).toThrow('frozen');
  });
});

it('rangesOutside and the tensors together cover each value once, and the ranges do not touch', () => {
  const subsets = fc.subarray(layout.tensors.map(({ name }) => name));
  fc.assert(
    fc.property(subsets, (names) => {
      const slots = matchTensors(layout, names);
      const ranges = rangesOutside(layout, [...slots].reverse());
      const seen = new Array<number>(layout.length).fill(0);
      for (const { offset, size } of slots) for (let i = 0; i < size; i++) seen[offset + i]!++;
      for (const [start, end] of ranges) for (let i = start; i < end; i++) seen[i]!++;
      expect(seen).toEqual(new Array(layout.length).fill(1));
      ranges.forEach(([start, end], i) => {
        expect(end).toBeGreaterThan(start);
        if (i > 0) expect(start).toBeGreaterThan(ranges[i - 1]![1]);
      });
    }),
    { seed: 1 },
  );
});
