import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/errors.ts';
import type { ScheduleOption } from '../../src/optimizers/createSchedule.ts';
import { createSchedule } from '../../src/optimizers/createSchedule.ts';
import type { LearningRateSchedule } from '../../src/optimizers/LearningRateSchedule.ts';
import { scheduledRate } from '../../src/optimizers/LearningRateSchedule.ts';

function rates(option: ScheduleOption, steps: readonly number[], base = 1): number[] {
  const schedule = createSchedule(option);
  return steps.map((step) => scheduledRate(schedule, { base, step, round: 0 }));
}

function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length);
  wanted.forEach((value, i) => {
    expect(Math.abs(got[i]! - value)).toBeLessThan(1e-15);
  });
}

describe('the rate of', () => {
  it('constant is the base', () => {
    expect(rates('constant', [0, 1, 1e6], 0.3)).toEqual([0.3, 0.3, 0.3]);
    expect(rates({ name: 'constant' }, [7], 0.3)).toEqual([0.3]);
  });

  it('step falls every so many steps', () => {
    const option = { name: 'step', every: 3, factor: 0.5 } as const;
    expectClose(rates(option, [0, 1, 2, 3, 5, 6, 9], 2), [2, 2, 2, 1, 1, 0.5, 0.25]);
    expectClose(rates({ name: 'step', every: 3 }, [2, 3, 6]), [1, 0.1, 0.01]);
  });

  it('exponential falls at each step', () => {
    expectClose(rates({ name: 'exponential', factor: 0.5 }, [0, 1, 2, 3], 4), [4, 2, 1, 0.5]);
  });

  it('cosine goes half a wave down to its minimum and stays', () => {
    expectClose(rates({ name: 'cosine', steps: 4 }, [0, 1, 2, 3, 4, 5]), [
      1,
      (1 + Math.SQRT1_2) / 2,
      0.5,
      (1 - Math.SQRT1_2) / 2,
      0,
      0,
    ]);
    expectClose(rates({ name: 'cosine', steps: 4, minimum: 0.2 }, [0, 2, 4, 99], 10), [10, 6, 2, 2]);
  });

  it('inverseSquareRoot goes up to the base, then down with the root', () => {
    expectClose(rates({ name: 'inverseSquareRoot', warmUpSteps: 4 }, [0, 1, 3, 15, 35]), [
      0.25,
      0.5,
      1,
      0.5,
      1 / 3,
    ]);
  });

  it('linearWarmUp goes up to the base, then does what follows, from its beginning', () => {
    expectClose(rates({ name: 'linearWarmUp', steps: 4 }, [0, 1, 3, 4, 99]), [0.25, 0.5, 1, 1, 1]);
    const after = { name: 'step', every: 2, factor: 0.5 } as const;
    expectClose(
      rates({ name: 'linearWarmUp', steps: 2, after }, [0, 1, 2, 3, 4, 6]),
      [0.5, 1, 1, 1, 0.5, 0.25],
    );
  });
});

const all: ScheduleOption[] = [
  'constant',
  { name: 'step', every: 3, factor: 0.5 },
  { name: 'exponential', factor: 0.97 },
  { name: 'cosine', steps: 40, minimum: 0.1 },
  { name: 'inverseSquareRoot', warmUpSteps: 5 },
  { name: 'linearWarmUp', steps: 3, after: { name: 'cosine', steps: 9 } },
  { name: 'linearWarmUp', steps: 3, after: { name: 'linearWarmUp', steps: 2 } },
];

describe.each(all.map((option) => [JSON.stringify(option), option] as const))('%s', (_name, option) => {
  it('is made again from its description, with the same bits', () => {
    const schedule = createSchedule(option);
    const again = createSchedule(JSON.parse(JSON.stringify(schedule.description)) as ScheduleOption);
    expect(again.description).toEqual(schedule.description);
    for (let step = 0; step < 60; step++) {
      const context = { base: 0.3, step, round: 4 };
      expect(again.rateAt(context)).toBe(schedule.rateAt(context));
    }
  });

  it('gives a legal rate, in proportion to the base', () => {
    const schedule = createSchedule(option);
    fc.assert(
      fc.property(fc.nat(1e9), fc.double({ min: 0, max: 10, noNaN: true }), (step, base) => {
        const rate = scheduledRate(schedule, { base, step, round: 0 });
        const unit = scheduledRate(schedule, { base: 1, step, round: 0 });
        expect(unit).toBeLessThanOrEqual(1);
        expect(Math.abs(rate - base * unit)).toBeLessThanOrEqual(1e-14 * base);
      }),
      { seed: 1 },
    );
  });
});

describe('a schedule of your own', () => {
  const mine: LearningRateSchedule = {
    description: { formula: 'base / (1 + round)' },
    rateAt: ({ base, round }) => base / (1 + round),
  };
  it('is taken as it is, also behind a warm-up', () => {
    expect(createSchedule(mine)).toBe(mine);
    const schedule = createSchedule({ name: 'linearWarmUp', steps: 2, after: mine });
    expect(schedule.rateAt({ base: 1, step: 5, round: 3 })).toBe(0.25);
    expect(schedule.description).toEqual({ name: 'linearWarmUp', steps: 2, after: mine.description });
    expect(() => createSchedule(schedule.description as never)).toThrow(/again after JSON/);
  });

  it.each([Number.NaN, Infinity, -0.1, '1', undefined])('may not give %s', (rate) => {
    const schedule = { description: 'mine', rateAt: () => rate as never };
    const ask = (): number => scheduledRate(schedule, { base: 1, step: 3, round: 2 });
    expect(ask).toThrow(InvalidOptionError);
    expect(ask).toThrow(/"mine" gave .* at step 3, round 2/);
  });
});

function nested(depth: number): ScheduleOption {
  return depth === 0 ? 'constant' : { name: 'linearWarmUp', steps: 1, after: nested(depth - 1) };
}

it.each<[string, unknown]>([
  ['an unknown name', 'warp'],
  ['a name without its settings', 'cosine'],
  ['a name of a property', 'toString'],
  ['null', null],
  ['nothing', undefined],
  ['a number', 0.1],
  ['an unknown description', { name: 'warp' }],
  ['a misspelt setting', { name: 'step', evry: 5 }],
  ['every 0 steps', { name: 'step', every: 0 }],
  ['every half step', { name: 'step', every: 0.5 }],
  ['a factor of 0', { name: 'step', every: 1, factor: 0 }],
  ['no factor', { name: 'exponential' }],
  ['an infinite factor', { name: 'exponential', factor: Infinity }],
  ['no steps', { name: 'cosine' }],
  ['a minimum above 1', { name: 'cosine', steps: 3, minimum: 1.1 }],
  ['a minimum that is no number', { name: 'cosine', steps: 3, minimum: Number.NaN }],
  ['a minimum that is text', { name: 'cosine', steps: 3, minimum: '0.5' }],
  ['a warm-up of 0 steps', { name: 'inverseSquareRoot', warmUpSteps: 0 }],
  ['a warm-up into nothing known', { name: 'linearWarmUp', steps: 1, after: 'warp' }],
  ['schedules nine deep', nested(9)],
  ['a rateAt that is no method', { description: 'x', rateAt: 5 }],
  ['no description', { rateAt: () => 1 }],
])('createSchedule refuses %s', (_name, option) => {
  expect(() => createSchedule(option as never)).toThrow(InvalidOptionError);
});

it('createSchedule takes what is within its limits', () => {
  expect(createSchedule(nested(7)).rateAt({ base: 1, step: 0, round: 0 })).toBe(1);
});
