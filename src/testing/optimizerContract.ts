import type { Optimizer, OptimizerState } from '../optimizers/Optimizer.ts';
import {
  createOptimizerState,
  optimizerStateFromJson,
  optimizerStateToJson,
} from '../optimizers/Optimizer.ts';
import type { ContractCase } from './contract.ts';
import { ensure, ensureSame } from './contract.ts';

const start = [0.5, -1.25, 3, 0, -0.001, 42];
const gradients = [
  [0.1, -0.2, 0.3, 0, 1e-4, -5],
  [-0.3, 0.2, 0.1, 2, -1e-4, 5],
  [0.05, 0.04, -0.03, 0.02, 0.01, 0.6],
];

interface Run {
  readonly values: Float64Array<ArrayBuffer>;
  readonly state: OptimizerState;
}

function begin(optimizer: Optimizer): Run {
  return { values: Float64Array.from(start), state: createOptimizerState(optimizer, start.length) };
}

function step(
  optimizer: Optimizer,
  { values, state }: Run,
  gradient: readonly number[],
  learningRate: number,
): void {
  state.steps++;
  optimizer.step(state, values, gradient, learningRate);
}

/** What is known of the optimizer that is tried. */
export interface OptimizerContractOptions {
  /** It draws every value towards 0 also without a gradient, as AdamW does; false unless given. */
  readonly decaysValues?: boolean;
}

/** The promises of an Optimizer. `create` makes one each time, always with the same settings. */
export function optimizerContract(
  create: () => Optimizer,
  { decaysValues = false }: OptimizerContractOptions = {},
): ContractCase[] {
  return [restCase(create, decaysValues), ...directionCases(create, decaysValues), ...stateCases(create)];
}

function afterZeroGradients(create: () => Optimizer): Float64Array {
  const run = begin(create());
  const zeros = start.map(() => 0);
  for (let i = 0; i < 10; i++) step(create(), run, zeros, 0.1);
  return run.values;
}

function restCase(create: () => Optimizer, decaysValues: boolean): ContractCase {
  if (!decaysValues) {
    return {
      name: 'ten zero gradients change nothing',
      run() {
        ensureSame(afterZeroGradients(create), start, 'values after zero gradients');
      },
    };
  }
  return {
    name: 'ten zero gradients draw every value towards 0, and none beyond',
    run() {
      afterZeroGradients(create).forEach((value, i) => {
        const before = start[i] as number;
        const isNearer = Math.abs(value) < Math.abs(before) && value * before > 0;
        ensure(before === 0 ? value === 0 : isNearer, `value ${i} went from ${before} to ${value}`);
      });
    },
  };
}

function directionCases(create: () => Optimizer, decaysValues: boolean): ContractCase[] {
  return [
    {
      name: 'a learning rate of 0 changes nothing',
      run() {
        const run = begin(create());
        for (const gradient of gradients) step(create(), run, gradient, 0);
        ensureSame(run.values, start, 'values after steps of size 0');
      },
    },
    {
      name: 'the first step goes against the gradient',
      ...(decaysValues ? { skip: 'where the decay is stronger it goes towards 0' } : {}),
      run() {
        const run = begin(create());
        const gradient = gradients[0] as readonly number[];
        step(create(), run, gradient, 0.01);
        gradient.forEach((g, i) => {
          const move = (run.values[i] as number) - (start[i] as number);
          ensure(g === 0 ? move === 0 : move * g < 0, `value ${i} moved by ${move} at gradient ${g}`);
        });
      },
    },
    {
      name: 'a step over two halves is a step over the whole',
      run() {
        const optimizer = create();
        const whole = begin(optimizer);
        const halves = begin(optimizer);
        for (const gradient of gradients) {
          step(optimizer, whole, gradient, 0.05);
          halves.state.steps++;
          for (const [from, to] of [
            [0, 2],
            [2, start.length],
          ] as const) {
            const slots = halves.state.slots.map((slot) => slot.subarray(from, to));
            optimizer.step(
              { steps: halves.state.steps, slots },
              halves.values.subarray(from, to),
              gradient.slice(from, to),
              0.05,
            );
          }
        }
        ensureSame(halves.values, whole.values, 'values after half steps');
      },
    },
  ];
}

function stateCases(create: () => Optimizer): ContractCase[] {
  return [
    {
      name: 'one object serves two at once: all memory is in the state',
      run() {
        const shared = create();
        const [a, b] = [begin(shared), begin(shared)];
        const alone = begin(create());
        for (const gradient of gradients) {
          step(shared, a, gradient, 0.05);
          step(
            shared,
            b,
            gradient.map((g) => -3 * g),
            0.2,
          );
          step(create(), alone, gradient, 0.05);
        }
        ensureSame(a.values, alone.values, 'values of the first');
      },
    },
    {
      name: 'a saved and restored state continues with the same bits',
      run() {
        const optimizer = create();
        const straight = begin(optimizer);
        const resumed = begin(optimizer);
        gradients.forEach((gradient, i) => {
          step(optimizer, straight, gradient, 0.05);
          const saved: unknown = JSON.parse(JSON.stringify(optimizerStateToJson(optimizer, resumed.state)));
          const state = optimizerStateFromJson(
            optimizer,
            saved as ReturnType<typeof optimizerStateToJson>,
            start.length,
          );
          step(create(), { values: resumed.values, state }, gradient, 0.05);
          resumed.state.steps = state.steps;
          for (const [index, slot] of state.slots.entries()) resumed.state.slots[index]?.set(slot);
          ensureSame(resumed.values, straight.values, `values after step ${i + 1}`);
        });
      },
    },
  ];
}
