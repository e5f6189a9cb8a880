import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError, MalformedDataError } from '../../src/errors.ts';
import { AdaGrad } from '../../src/optimizers/AdaGrad.ts';
import { Adam } from '../../src/optimizers/Adam.ts';
import { AdamW } from '../../src/optimizers/AdamW.ts';
import { createOptimizer, describeOptimizer } from '../../src/optimizers/createOptimizer.ts';
import { GradientDescent } from '../../src/optimizers/GradientDescent.ts';
import { Momentum } from '../../src/optimizers/Momentum.ts';
import { Nesterov } from '../../src/optimizers/Nesterov.ts';
import type { Optimizer, OptimizerState } from '../../src/optimizers/Optimizer.ts';
import {
  createOptimizerState,
  optimizerStateFromJson,
  optimizerStateToJson,
} from '../../src/optimizers/Optimizer.ts';
import { RMSProp } from '../../src/optimizers/RMSProp.ts';
import { Yogi } from '../../src/optimizers/Yogi.ts';

const gradients = [
  [0.5, -2],
  [1, 0.25],
  [-0.75, 3],
];

function run(
  optimizer: Optimizer,
  rate: number,
  steps = 3,
): { values: Float64Array<ArrayBuffer>; state: OptimizerState } {
  const values = Float64Array.of(1, -1);
  const state = createOptimizerState(optimizer, 2);
  for (const gradient of gradients.slice(0, steps)) {
    state.steps++;
    optimizer.step(state, values, gradient, rate);
  }
  return { values, state };
}

function expectClose(got: ArrayLike<number>, wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    expect(Math.abs(got[i]! - value)).toBeLessThan(1e-15 * 10);
  });
}

it('gradient descent goes against the gradient', () => {
  expectClose(run(new GradientDescent(), 0.1).values, [1 - 0.1 * 0.75, -1 - 0.1 * 1.25]);
});

it('momentum gathers speed', () => {
  // v: 0.5, 0.9·0.5 + 1 = 1.45, 0.9·1.45 − 0.75 = 0.555; and −2, −1.55, 1.605.
  const { values, state } = run(new Momentum(), 0.1);
  expectClose(values, [1 - 0.1 * (0.5 + 1.45 + 0.555), -1 - 0.1 * (-2 - 1.55 + 1.605)]);
  expectClose(state.slots[0]!, [0.555, 1.605]);
  expectClose(run(new Momentum({ momentum: 0 }), 0.1).values, [0.925, -1.125]);
});

describe('Adam', () => {
  it('first moves by η g / (|g| + ε)', () => {
    const { values } = run(new Adam({ epsilon: 0.25 }), 0.1, 1);
    expectClose(values, [1 - (0.1 * 0.5) / 0.75, -1 + (0.1 * 2) / 2.25]);
  });

  it('then by corrected means', () => {
    const { values } = run(new Adam({ beta1: 0.5, beta2: 0.75, epsilon: 1e-8 }), 0.1, 2);
    const wanted = [1, -1].map((start, i) => {
      const [g, h] = [gradients[0]![i]!, gradients[1]![i]!];
      const second = (0.25 * g + 0.5 * h) / (1 - 0.25);
      const square = (0.75 * 0.25 * g * g + 0.25 * h * h) / (1 - 0.5625);
      return start - (0.1 * g) / (Math.abs(g) + 1e-8) - (0.1 * second) / (Math.sqrt(square) + 1e-8);
    });
    expectClose(values, wanted);
  });

  it('has the defaults of the paper', () => {
    expect(new Adam()).toMatchObject({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, defaultLearningRate: 0.001 });
  });

  it.each([
    { beta1: 1 },
    { beta1: -0.1 },
    { beta1: Number.NaN },
    { beta2: 1 },
    { beta2: -1 },
    { epsilon: 0 },
    { epsilon: Infinity },
  ])('refuses %o', (options) => {
    expect(() => new Adam(options)).toThrow(InvalidOptionError);
  });
});

describe('Yogi', () => {
  it('moves the mean of squares by a share of the square, up and down', () => {
    const { values, state } = run(new Yogi({ beta1: 0.5, beta2: 0.75, epsilon: 0.1 }), 0.1);
    const squares = [0, 0];
    const means = [0, 0];
    const wanted = [1, -1];
    for (const [step, gradient] of gradients.entries())
      for (const [i, g] of gradient.entries()) {
        means[i] = 0.5 * means[i]! + 0.5 * g;
        squares[i] = squares[i]! + (squares[i]! < g * g ? 0.25 : -0.25) * g * g;
        const correction = 1 - 0.75 ** (step + 1);
        wanted[i]! -=
          (0.1 * (means[i]! / (1 - 0.5 ** (step + 1)))) / (Math.sqrt(squares[i]! / correction) + 0.1);
      }
    expectClose(values, wanted);
    expectClose(state.slots[1]!, squares);
  });

  it('is made by its name, with its settings', () => {
    const yogi = createOptimizer({ name: 'yogi', beta2: 0.99 });
    expect(describeOptimizer(yogi)).toEqual({ name: 'yogi', beta1: 0.9, beta2: 0.99, epsilon: 1e-3 });
    expect(() => createOptimizer({ name: 'yogi', epsilon: 0 })).toThrow(InvalidOptionError);
  });
});

it.each([1, -0.1, Number.NaN])('momentum refuses %d', (momentum) => {
  expect(() => new Momentum({ momentum })).toThrow(InvalidOptionError);
});

it('Nesterov looks ahead along its speed', () => {
  // v: 0.5, 0.9·0.5 + 1 = 1.45, 0.9·1.45 − 0.75 = 0.555; steps g + 0.9 v.
  const { values, state } = run(new Nesterov(), 0.1);
  expectClose(values, [
    1 - 0.1 * (0.5 + 0.45 + 1 + 1.305 - 0.75 + 0.4995),
    -1 - 0.1 * (-2 - 1.8 + 0.25 - 1.395 + 3 + 1.4445),
  ]);
  expectClose(state.slots[0]!, [0.555, 1.605]);
  expectClose(run(new Nesterov({ momentum: 0 }), 0.1).values, [0.925, -1.125]);
});

it('Nesterov is momentum at the point that its speed leads to', () => {
  // Sutskever et al. 2013, equations 3 and 4: v ← μ v − η g(θ + μ v), θ ← θ + v, on the cost θ² / 2.
  const [momentum, rate] = [0.8, 0.1];
  let [theta, v] = [2, 0];
  const ours = Float64Array.of(2);
  const rule = new Nesterov({ momentum });
  const state = createOptimizerState(rule, 1);
  for (let i = 0; i < 10; i++) {
    v = momentum * v - rate * (theta + momentum * v);
    theta += v;
    state.steps++;
    rule.step(state, ours, ours.slice(), rate);
    expectClose(ours, [theta + momentum * v]);
  }
});

it('AdaGrad divides by the root of all squares', () => {
  const wanted = [1, -1].map((start, i) => {
    let sum = 0;
    return gradients.reduce((value, gradient) => {
      const g = gradient[i]!;
      sum += g * g;
      return value - (0.1 * g) / (Math.sqrt(sum) + 0.25);
    }, start);
  });
  expectClose(run(new AdaGrad({ epsilon: 0.25 }), 0.1).values, wanted);
  expect(new AdaGrad()).toMatchObject({ epsilon: 1e-10, defaultLearningRate: 0.01 });
});

it.each([0, 0.6])('RMSProp divides by the root of the mean square; momentum %d', (momentum) => {
  const wanted = [1, -1].map((start, i) => {
    let [mean, speed] = [0, 0];
    return gradients.reduce((value, gradient) => {
      const g = gradient[i]!;
      mean = 0.75 * mean + 0.25 * g * g;
      speed = momentum * speed + g / (Math.sqrt(mean) + 0.125);
      return value - 0.1 * speed;
    }, start);
  });
  expectClose(run(new RMSProp({ decay: 0.75, epsilon: 0.125, momentum }), 0.1).values, wanted);
});

it('RMSProp has its defaults', () => {
  expect(new RMSProp()).toMatchObject({ decay: 0.9, epsilon: 1e-8, momentum: 0, slotCount: 1 });
});

it('AdamW is Adam beside a decay of its own that no root divides', () => {
  const [rate, weightDecay] = [0.1, 0.3];
  const plain = new Adam();
  const rule = new AdamW({ weightDecay });
  const ours = Float64Array.of(1, -1);
  const state = createOptimizerState(rule, 2);
  const adamState = createOptimizerState(plain, 2);
  for (const gradient of gradients) {
    const wanted = ours.slice();
    adamState.steps++;
    plain.step(adamState, wanted, gradient, rate);
    ours.forEach((value, i) => {
      wanted[i]! -= rate * weightDecay * value;
    });
    state.steps++;
    rule.step(state, ours, gradient, rate);
    expectClose(ours, [...wanted]);
  }
  expect(new AdamW()).toMatchObject({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 });
});

it.each([
  () => new Nesterov({ momentum: 1 }),
  () => new AdaGrad({ epsilon: 0 }),
  () => new RMSProp({ decay: 1 }),
  () => new RMSProp({ epsilon: Number.NaN }),
  () => new RMSProp({ momentum: -0.1 }),
  () => new AdamW({ weightDecay: -1 }),
  () => new AdamW({ weightDecay: Infinity }),
  () => new AdamW({ beta2: 1 }),
])('illegal settings are refused: %s', (make) => {
  expect(make).toThrow(InvalidOptionError);
});

const rules = [
  new GradientDescent(),
  new Momentum(),
  new Nesterov(),
  new AdaGrad(),
  new RMSProp(),
  new Adam(),
  new AdamW(),
];

describe.each(rules.map((rule) => [rule.name, rule] as const))('%s', (_name, rule) => {
  it('steps over two halves as over the whole, bit for bit', () => {
    const list = fc.array(fc.double({ noNaN: true, min: -10, max: 10 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(list, list, list, fc.nat({ max: 6 }), (start, first, second, cut) => {
        const whole = Float64Array.from(start);
        const wholeState = createOptimizerState(rule, 6);
        const parts = Float64Array.from(start);
        const partState = createOptimizerState(rule, 6);
        for (const gradient of [first, second]) {
          wholeState.steps++;
          rule.step(wholeState, whole, gradient, 0.01);
          partState.steps++;
          for (const [from, to] of [
            [0, cut],
            [cut, 6],
          ] as const) {
            const view = {
              steps: partState.steps,
              slots: partState.slots.map((slot) => slot.subarray(from, to)),
            };
            rule.step(view, parts.subarray(from, to), gradient.slice(from, to), 0.01);
          }
        }
        expect(parts).toEqual(whole);
        expect(partState.slots).toEqual(wholeState.slots);
      }),
      { seed: 1 },
    );
  });

  it('has state that survives JSON and is not shared', () => {
    const { values, state } = run(rule, 0.1, 2);
    const json = JSON.parse(JSON.stringify(optimizerStateToJson(rule, state)));
    const read = optimizerStateFromJson(rule, json, 2);
    expect(read).toEqual(state);
    const twin = values.slice();
    for (const [s, v] of [
      [state, values],
      [read, twin],
    ] as const) {
      s.steps++;
      rule.step(s, v, gradients[2]!, 0.1);
    }
    expect(twin).toEqual(values);
    expect(json.steps).toBe(2);
  });

  it('refuses state that is not its own', () => {
    const json = JSON.parse(JSON.stringify(optimizerStateToJson(rule, createOptimizerState(rule, 2))));
    const slots: unknown[] = json.slots;
    const bad: unknown[] = [
      null,
      undefined,
      { ...json, optimizer: 'other' },
      { ...json, steps: -1 },
      { ...json, steps: 0.5 },
      { ...json, steps: undefined },
      { ...json, slots: null },
      { ...json, slots: [...slots, [0, 0]] },
      ...(slots.length > 0 ? [[0], [0, 0, 0], [0, null], [0, '1'], 5] : []).map((slot) => ({
        ...json,
        slots: [slot, ...slots.slice(1)],
      })),
    ];
    for (const state of bad) {
      expect(() => optimizerStateFromJson(rule, state as never, 2)).toThrow(MalformedDataError);
    }
  });

  it('is made from its name and from its description', () => {
    expect(createOptimizer(rule.name as never)).toEqual(rule);
    expect(createOptimizer(JSON.parse(JSON.stringify(describeOptimizer(rule))))).toEqual(rule);
    expect(createOptimizer(rule)).toBe(rule);
  });
});

describe('createOptimizer', () => {
  it('takes settings', () => {
    expect(createOptimizer({ name: 'momentum', momentum: 0.5 })).toEqual(new Momentum({ momentum: 0.5 }));
    const adam = new Adam({ beta1: 0.1, beta2: 0.2, epsilon: 0.3 });
    expect(createOptimizer({ name: 'adam', beta1: 0.1, beta2: 0.2, epsilon: 0.3 })).toEqual(adam);
    const rmsProp = createOptimizer({ name: 'rmsProp', momentum: 0.5, decay: 0.2 });
    expect(rmsProp).toEqual(new RMSProp({ momentum: 0.5, decay: 0.2 }));
    expect(createOptimizer(describeOptimizer(rmsProp))).toEqual(rmsProp);
    expect(describeOptimizer(adam)).toEqual({ name: 'adam', beta1: 0.1, beta2: 0.2, epsilon: 0.3 });
  });

  it.each([
    ['an unknown name', 'sgd'],
    ['a name of a property', 'toString'],
    ['null', null],
    ['nothing', undefined],
    ['a number', 5],
    ['an unknown description', { name: 'sgd' }],
    ['illegal settings', { name: 'adam', beta1: 2 }],
    ['a step that is no method', { name: 'mine', defaultLearningRate: 1, slotCount: 0, step: 5 }],
    ['an object without a name', { defaultLearningRate: 1, slotCount: 0, step: () => {} }],
    ['an object without a rate', { name: 'mine', slotCount: 0, step: () => {} }],
    ['an object with −1 slots', { name: 'mine', defaultLearningRate: 1, slotCount: -1, step: () => {} }],
    ['an object with half a slot', { name: 'mine', defaultLearningRate: 1, slotCount: 0.5, step: () => {} }],
    ['a setting of another rule', { name: 'nesterov', beta1: 0.5 }],
    ['a misspelt setting', { name: 'momentum', momentun: 0.5 }],
  ])('refuses %s', (_name, option) => {
    expect(() => createOptimizer(option as never)).toThrow(InvalidOptionError);
  });
});
