import { describe, expect, it } from 'vitest';
import { optimizerCodes } from '../../src/kernels/wasm/codes.ts';
import { ruleStruct, writeStruct } from '../../src/kernels/wasm/structs.ts';
import { clipGradient } from '../../src/models/gradientClipping.ts';
import { AdaGrad } from '../../src/optimizers/AdaGrad.ts';
import { Adam } from '../../src/optimizers/Adam.ts';
import { AdamW } from '../../src/optimizers/AdamW.ts';
import { GradientDescent } from '../../src/optimizers/GradientDescent.ts';
import { kernelRule } from '../../src/optimizers/kernelRule.ts';
import { Momentum } from '../../src/optimizers/Momentum.ts';
import { Nesterov } from '../../src/optimizers/Nesterov.ts';
import type { Optimizer } from '../../src/optimizers/Optimizer.ts';
import { createOptimizerState } from '../../src/optimizers/Optimizer.ts';
import { RMSProp } from '../../src/optimizers/RMSProp.ts';
import { createValues } from '../../src/parameters/values.ts';
import { seededRandom } from '../../src/random.ts';
import { relativeDistance } from '../models/support.ts';
import { buildsAndTypes, normalValues, toleranceOf, Workbench } from './wasmSupport.ts';

const rules: [string, Optimizer][] = [
  ['gradientDescent', new GradientDescent()],
  ['momentum', new Momentum({ momentum: 0.8 })],
  ['nesterov', new Nesterov({ momentum: 0.7 })],
  ['adaGrad', new AdaGrad()],
  ['rmsProp', new RMSProp({ decay: 0.95 })],
  ['rmsProp with momentum', new RMSProp({ momentum: 0.5 })],
  ['adam', new Adam({ beta1: 0.8, beta2: 0.99, epsilon: 1e-6 })],
  ['adam without memory', new Adam({ beta1: 0, beta2: 0 })],
  ['adamW', new AdamW({ weightDecay: 0.1 })],
];

/** The record of a rule as a training writes it. */
function writeRule(
  bench: Workbench,
  address: number,
  optimizer: Optimizer,
  rate: number,
  step: number,
): void {
  const { name, first, second, epsilon, weightDecay, slotCount } = kernelRule(optimizer, bench.dtype)!;
  const isAdam = name.startsWith('adam');
  writeStruct(bench.memory, ruleStruct, address, {
    code: optimizerCodes.get(name)!,
    hasVelocity: name === 'rmsProp' && slotCount > 1 ? 1 : 0,
    rate,
    first,
    second,
    epsilon,
    firstCorrection: isAdam ? 1 / (1 - first ** step) : 1,
    secondCorrection: isAdam ? 1 / (1 - second ** step) : 1,
    weightDecay: rate * weightDecay,
  });
}

/** Several steps of a rule by the kernel and by its own class; both see the same gradients. */
function stepBoth(bench: Workbench, optimizer: Optimizer, length: number, steps: number) {
  const { memory, code, dtype } = bench;
  const random = seededRandom(length);
  const start = normalValues(dtype, length, random);
  const values = start.slice();
  const state = createOptimizerState(optimizer, length);
  const zeros = createValues(dtype, length);
  const places = {
    rule: memory.allocate(ruleStruct.bytes) as number,
    values: bench.put(start, 4),
    slots: [bench.put(zeros), bench.put(zeros)],
  };
  for (let step = 1; step <= steps; step++) {
    const gradient = normalValues(dtype, length, random);
    const rate = 0.05 / step;
    writeRule(bench, places.rule, optimizer, rate, step);
    const at = bench.put(gradient);
    const [first = 0, second = 0] = places.slots.slice(0, optimizer.slotCount);
    code.takeStep(places.rule, places.values, at, first, second, length);
    state.steps = step;
    optimizer.step(state, values, gradient, rate);
    memory.free(at);
  }
  return {
    got: bench.read(places.values, length),
    wanted: values,
    slots: state.slots.map((slot, index) => [bench.read(places.slots[index]!, length), slot] as const),
    behind: bench.read(places.values + length * bench.bytes, 4),
  };
}

describe.each(buildsAndTypes)('%s in %s', (build, dtype) => {
  const tolerance = toleranceOf[dtype];

  it.each(rules)('%s steps as its class does, and nowhere else', (_name, optimizer) => {
    const bench = new Workbench(build, dtype);
    for (const length of [4, 8, 12, 64, 260]) {
      const { got, wanted, slots, behind } = stepBoth(bench, optimizer, length, 6);
      expect(relativeDistance(got, wanted)).toBeLessThan(tolerance);
      for (const [own, slot] of slots) expect(relativeDistance(own, slot)).toBeLessThan(tolerance);
      expect(Array.from(behind)).toEqual(new Array(4).fill(Number.NaN));
    }
  });

  it.each(rules)('%s leaves a value without gradient and memory where it is', (_name, optimizer) => {
    if (optimizer instanceof AdamW) return;
    const bench = new Workbench(build, dtype);
    const ruleAt = bench.memory.allocate(ruleStruct.bytes) as number;
    writeRule(bench, ruleAt, optimizer, 0.1, 1);
    const zeros = (): number => bench.put(createValues(dtype, 4));
    const values = bench.put([1, -2, 0, 3e-30]);
    const before = bench.read(values, 4);
    bench.code.takeStep(ruleAt, values, zeros(), zeros(), zeros(), 4);
    expect(bench.read(values, 4)).toEqual(before);
  });

  it('clips by value as the reference does', () => {
    const bench = new Workbench(build, dtype);
    const numbers = [0.5, -0.5, 3, -3, Infinity, -Infinity, Number.NaN, 0];
    const at = bench.put(numbers, 4);
    bench.code.clipValues(at, 8, 1);
    const wanted = Float64Array.from(numbers);
    clipGradient([wanted], { value: 1 });
    expect(Array.from(bench.read(at, 8))).toEqual(Array.from(wanted));
    expect(bench.read(at + 8 * bench.bytes, 1)[0]).toBeNaN();
    bench.code.clipValues(at, 8, 1e308);
    expect(bench.read(at, 1)[0]).toBe(0.5);
  });

  it('measures the largest magnitude, and squares without overflow', () => {
    const bench = new Workbench(build, dtype);
    const huge = dtype === 'float32' ? 3e38 : 1e308;
    for (const numbers of [
      [1, -7, 3, 2, 0, 0, 0, 6],
      [0, 0, 0, 0, 0, 0, 0, 0],
      [huge, -huge, 0, huge, 0, 0, 0, 0],
      [1e-30, 2e-30, 0, 0, 0, 0, 0, -3e-30],
    ]) {
      const at = bench.put(numbers);
      const exact = Array.from(bench.read(at, 8));
      const largest = exact.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expect(bench.code.measure(at, 8, 0)).toBe(largest);
      if (largest === 0) continue;
      const squares = exact.reduce((sum, x) => sum + (x / largest) ** 2, 0);
      expect(bench.code.measure(at, 8, largest)).toBeCloseTo(squares, 12);
    }
    for (let place = 0; place < 8; place++) {
      const numbers = new Array(8).fill(1);
      numbers[place] = Number.NaN;
      expect(bench.code.measure(bench.put(numbers), 8, 0)).toBeNaN();
      numbers[place] = -Infinity;
      expect(bench.code.measure(bench.put(numbers), 8, 0)).toBe(Infinity);
    }
  });

  it('rescales by a quotient that need not be a number of its own', () => {
    const bench = new Workbench(build, dtype);
    const [huge, small] = dtype === 'float32' ? [1e38, 1e-3] : [1e300, 1e-20];
    const at = bench.put([huge, -huge / 2, 0, huge / 4], 4);
    bench.code.rescale(at, 4, huge, small);
    const wanted = [small, -small / 2, 0, small / 4];
    bench.read(at, 4).forEach((x, i) => {
      expect(Math.abs(x - wanted[i]!)).toBeLessThanOrEqual(tolerance * small);
    });
    expect(bench.read(at + 4 * bench.bytes, 1)[0]).toBeNaN();
  });

  it('adds shares of a gradient in double precision', () => {
    const bench = new Workbench(build, dtype);
    const gradient = normalValues(dtype, 9, seededRandom(3));
    const target = bench.memory.allocate(10 * 8) as number;
    const doubles = bench.memory.view(target, 10, 'float64');
    doubles.fill(1);
    const at = bench.put(gradient);
    for (const share of [0.25, 1 / 3]) bench.code.addShare(target, at, 9, share);
    const got = bench.memory.view(target, 10, 'float64').slice();
    gradient.forEach((g, i) => {
      expect(got[i]).toBe(1 + 0.25 * g + (1 / 3) * g);
    });
    expect(got[9]).toBe(1);
  });

  it('finds the one number that is not finite, wherever it is', () => {
    const bench = new Workbench(build, dtype);
    const largest = dtype === 'float32' ? 3.4e38 : 1.7e308;
    const at = bench.put(new Array(12).fill(largest).map((x, i) => (i % 2 === 0 ? x : -x)));
    expect(bench.code.areFinite(at, 12)).toBe(1);
    expect(bench.code.areFinite(at, 0)).toBe(1);
    for (let place = 0; place < 12; place++) {
      for (const bad of [Number.NaN, Infinity, -Infinity]) {
        const view = bench.view(at, 12);
        const before = view[place]!;
        view[place] = bad;
        expect(bench.code.areFinite(at, 12)).toBe(0);
        view[place] = before;
      }
    }
  });
});
