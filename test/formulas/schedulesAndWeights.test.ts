import { ModelParameters, ModelParametersMerger } from 'mainstem';
import { FormulaError, formulaSchedule, formulaWeight } from 'mainstem/formulas';
import { expect, it } from 'vitest';
import { InvalidOptionError, InvalidWeightError } from '../../src/errors.ts';
import { thrownBy } from './support.ts';

it('a schedule follows base, step and round', () => {
  const schedule = formulaSchedule('base * 0.99 ^ round / (1 + step)');
  expect(schedule.description).toEqual({ formula: 'base * 0.99 ^ round / (1 + step)' });
  expect(schedule.rateAt({ base: 0.5, step: 3, round: 10 })).toBeCloseTo((0.5 * 0.99 ** 10) / 4, 15);
  expect(
    formulaSchedule('step < 100 ? base * (step + 1) / 100 : base').rateAt({ base: 1, step: 9, round: 0 }),
  ).toBe(0.1);
});

it('a rate that is no rate is an error when it is asked for', () => {
  for (const text of ['log(-1 - step)', 'base / step', '-base']) {
    const schedule = formulaSchedule(text);
    const error = thrownBy(() => schedule.rateAt({ base: 0.1, step: 0, round: 0 }));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toMatch(/step 0 and round 0/);
  }
  expect(formulaSchedule('0 * base').rateAt({ base: 0.1, step: 0, round: 0 })).toBe(0);
  expect(thrownBy(() => formulaSchedule('base * epoch'))).toBeInstanceOf(FormulaError);
});

const child = (index: number, sampleCount?: number, staleness?: number) => ({
  id: `child${index}`,
  index,
  parameters: ModelParameters.fromArrays({ w: [index] }),
  sampleCount,
  ...(staleness === undefined ? {} : { staleness }),
});

it('a weight follows samples, staleness and index', () => {
  const weight = formulaWeight('samples / sqrt(1 + staleness) + index');
  expect(weight(child(2, 100, 3))).toBe(52);
  expect(weight(child(0, 100))).toBe(100);
  expect(formulaWeight('1 / (1 + index)')(child(3))).toBe(0.25);
});

it('a weight that is none is an error when it is asked for', () => {
  expect(thrownBy(() => formulaWeight('samples')(child(1)))).toBeInstanceOf(InvalidWeightError);
  expect((thrownBy(() => formulaWeight('samples')(child(1))) as Error).message).toMatch(
    /child1 has no sampleCount/,
  );
  for (const text of ['index - 2', '1 / (index - 1)', 'sqrt(-samples)']) {
    expect(thrownBy(() => formulaWeight(text)(child(1, 5)))).toBeInstanceOf(InvalidWeightError);
  }
  expect(thrownBy(() => formulaWeight('sampleCount'))).toBeInstanceOf(FormulaError);
});

it('merges by a formula', () => {
  const merger = new ModelParametersMerger({
    mode: 'weightedAverage',
    weights: formulaWeight('samples * (index + 1)'),
  });
  const merged = merger.merge([
    { parameters: ModelParameters.fromArrays({ w: [1, 10] }), sampleCount: 6 },
    { parameters: ModelParameters.fromArrays({ w: [5, 30] }), sampleCount: 1 },
  ]);
  expect(merged.toArrays()).toEqual({ w: [2, 15] });
});
