import { describe, expect, it } from 'vitest';
import {
  ArchitectureMismatchError,
  LayoutMismatchError,
  LimitExceededError,
  MalformedDataError,
} from '../../src/errors.ts';
import { layoutLimits } from '../../src/limits.ts';
import { ModelParameters } from '../../src/parameters/ModelParameters.ts';
import type { TensorShape } from '../../src/parameters/ParameterLayout.ts';
import { ParameterLayout } from '../../src/parameters/ParameterLayout.ts';

const tensors: TensorShape[] = [
  { name: 'weights', shape: [2, 3] },
  { name: 'scale', shape: [] },
  { name: 'none', shape: [0, 4] },
  { name: 'bias', shape: [3] },
];

it('places tensors one behind the other', () => {
  const layout = new ParameterLayout(tensors);
  expect(layout.length).toBe(10);
  expect(layout.tensors.map(({ name, offset, size }) => [name, offset, size])).toEqual([
    ['weights', 0, 6],
    ['scale', 6, 1],
    ['none', 7, 0],
    ['bias', 7, 3],
  ]);
  expect(layout.find('bias')).toBe(layout.tensors[3]);
  expect(layout.find('toString')).toBeUndefined();
});

it('does not change with the list that it was made from', () => {
  const shape = [2];
  const list = [{ name: 'a', shape }];
  const layout = new ParameterLayout(list);
  shape[0] = 5;
  list.pop();
  expect(layout.tensors).toEqual([{ name: 'a', shape: [2], offset: 0, size: 2 }]);
  expect(() => (layout.tensors as unknown[]).push(1)).toThrow(TypeError);
});

describe('the fingerprint', () => {
  const print = (list: readonly TensorShape[], architecture?: { [key: string]: string }): string =>
    new ParameterLayout(list, architecture).fingerprint;

  it('is 32 hexadecimal digits, the same for the same layout', () => {
    expect(print(tensors)).toMatch(/^[0-9a-f]{32}$/);
    expect(print(tensors)).toBe(print(structuredClone(tensors)));
  });

  it('differs by name, shape, order and architecture', () => {
    const prints = [
      print(tensors),
      print([...tensors].reverse()),
      print(tensors.map((t) => ({ ...t, name: `${t.name}2` }))),
      print([{ name: 'weights', shape: [3, 2] }, ...tensors.slice(1)]),
      print(tensors.filter(({ name }) => name !== 'none')),
      print(tensors, {}),
      print(tensors, { activation: 'relu' }),
      print(tensors, { activation: 'tanh' }),
      print([{ name: '\ud800', shape: [] }]),
      print([{ name: '\ud801', shape: [] }]),
    ];
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('is the same for float32 and float64', () => {
    const [a, b] = (['float32', 'float64'] as const).map((dtype) =>
      ModelParameters.fromArrays({ a: [1] }, { dtype }),
    );
    expect(a!.layout.fingerprint).toBe(b!.layout.fingerprint);
  });
});

describe('assertFits', () => {
  const layout = new ParameterLayout([
    { name: 'a', shape: [2] },
    { name: 'b', shape: [1, 2] },
  ]);
  const cases: [string, TensorShape[], RegExp][] = [
    ['another length', [{ name: 'a', shape: [3] }], /^gradients have 3 values, main has 4/],
    [
      'another shape',
      [
        { name: 'a', shape: [2] },
        { name: 'b', shape: [2, 1] },
      ],
      /b \[2×1\], main has b \[1×2\]/,
    ],
    [
      'another name',
      [
        { name: 'a', shape: [2] },
        { name: 'c', shape: [1, 2] },
      ],
      /c \[1×2\], main has b/,
    ],
    ['fewer tensors', [{ name: 'a', shape: [4] }], /a \[4\], main has a \[2\]/],
    ['one more, empty tensor', [...layout.tensors, { name: 'c', shape: [0] }], /3 tensors, main has 2/],
  ];
  it.each(cases)('refuses %s, naming both sides and both fingerprints', (_name, other, message) => {
    const got = new ParameterLayout(other);
    const call = (): void => layout.assertFits(got, 'gradients', 'main');
    expect(call).toThrow(LayoutMismatchError);
    expect(call).toThrow(message);
    expect(call).toThrow(got.fingerprint.slice(0, 8));
    expect(call).toThrow(layout.fingerprint.slice(0, 8));
  });

  it('refuses a lost tensor of no size', () => {
    const wide = new ParameterLayout([...layout.tensors, { name: 'c', shape: [0] }]);
    expect(() => wide.assertFits(layout)).toThrow(/nothing, main has c \[0\]/);
  });

  it('compares architectures where both have one', () => {
    const relu = new ParameterLayout(tensors, { model: 'N', activation: 'relu' });
    const same = new ParameterLayout(tensors, { activation: 'relu', model: 'N' });
    const tanh = new ParameterLayout(tensors, { model: 'N', activation: 'tanh' });
    const more = new ParameterLayout(tensors, { model: 'N', activation: 'relu', classes: ['a'] });
    const none = new ParameterLayout(tensors);
    for (const [a, b] of [
      [relu, relu],
      [relu, same],
      [relu, none],
      [none, relu],
    ] as const) {
      expect(() => a.assertFits(b)).not.toThrow();
    }
    expect(() => relu.assertFits(tanh)).toThrow(ArchitectureMismatchError);
    expect(() => relu.assertFits(tanh)).toThrow(/activation is "tanh", expected "relu"/);
    expect(() => relu.assertFits(more)).toThrow(/classes is \["a"\], expected none/);
    expect(() => more.assertFits(relu)).toThrow(/classes is absent, expected \["a"\]/);
  });
});

describe('what is illegal', () => {
  const { nameLengthMax, rankMax, tensorsMax, valuesMax } = layoutLimits;
  const make = (list: unknown): ParameterLayout => new ParameterLayout(list as TensorShape[]);
  it.each([
    ['a name without characters', [{ name: '', shape: [] }]],
    ['a name that is no string', [{ name: 5, shape: [] }]],
    ['a name that is too long', [{ name: 'a'.repeat(nameLengthMax + 1), shape: [] }]],
    [
      'a name given twice',
      [
        { name: 'a', shape: [1] },
        { name: 'a', shape: [2] },
      ],
    ],
    ['a negative axis', [{ name: 'a', shape: [-1] }]],
    ['half an axis', [{ name: 'a', shape: [1.5] }]],
    ['an axis of text', [{ name: 'a', shape: ['2'] }]],
    ['no shape', [{ name: 'a' }]],
  ])('%s', (_name, list) => {
    expect(() => make(list)).toThrow(MalformedDataError);
  });

  it('more than the limits', () => {
    const ranks = (rank: number): TensorShape[] => [
      { name: 'a', shape: Array.from({ length: rank }, () => 1) },
    ];
    const many = (count: number): TensorShape[] =>
      Array.from({ length: count }, (_, i) => ({ name: `t${i}`, shape: [0] }));
    expect(make(ranks(rankMax)).length).toBe(1);
    expect(() => make(ranks(rankMax + 1))).toThrow(LimitExceededError);
    expect(make(many(tensorsMax)).tensors).toHaveLength(tensorsMax);
    expect(() => make(many(tensorsMax + 1))).toThrow(LimitExceededError);
    expect(make([{ name: 'a', shape: [valuesMax] }]).length).toBe(valuesMax);
    expect(() =>
      make([
        { name: 'a', shape: [valuesMax] },
        { name: 'b', shape: [] },
      ]),
    ).toThrow(LimitExceededError);
    expect(() => make([{ name: 'a', shape: [2 ** 50, 2 ** 50] }])).toThrow(LimitExceededError);
    expect(make([{ name: 'a'.repeat(nameLengthMax), shape: [] }]).length).toBe(1);
  });

  it('axes that no array has, beside one of 0', () => {
    expect(() => make([{ name: 'a', shape: [2 ** 52, 0] }])).toThrow(LimitExceededError);
  });
});
