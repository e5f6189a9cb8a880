// How long a game loop waits for a coordinator that folds in a million parameters of each of 16 children.
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  ModelParameters,
  ParameterLayout,
  systemClock,
} from 'mainstem';
import type { Effort, Table } from './harness.ts';
import { format, quantile } from './harness.ts';

const length = 2 ** 20;
const children = 16;
const budgetMs = 2;
const layout = new ParameterLayout([{ name: 'weights', shape: [length] }]);
const values = new Float32Array(length).map((_, index) => (index % 13) / 13);
const start = new ModelParameters(layout, values, { sampleCount: 32 });
const gradients = new Gradients(layout, values.slice(), { sampleCount: 32 });

/** A coordinator and the call that adds an update to it. */
interface Case {
  readonly name: string;
  create(drive: 'tick' | 'immediate'): { tick(budgetMs: number): boolean; add(childId: string): unknown };
}

const cases: readonly Case[] = [
  {
    name: 'parameters, `childUpdatesPerMerge: 16`',
    create(drive) {
      const coordinator = new DistributedModelParametersCoordinator({
        drive,
        childUpdatesPerMerge: children,
      });
      return {
        tick: (budget) => coordinator.tick(budget),
        add: (childId) => coordinator.addModelParameters(start, { childId }),
      };
    },
  },
  {
    name: 'gradients, `childrenPerUpdate: 16`',
    create(drive) {
      const coordinator = new DistributedGradientsCoordinator({ drive, childrenPerUpdate: children });
      coordinator.setModelParameters(start);
      return {
        tick: (budget) => coordinator.tick(budget),
        add: (childId) => coordinator.addGradients(gradients, { childId }),
      };
    },
  },
];

export async function measure({ repetitions }: Effort): Promise<Table[]> {
  const rows = cases.flatMap((example) => {
    const lengths: Record<'tick' | 'add' | 'immediate', number[]> = { tick: [], add: [], immediate: [] };
    // The first round warms up.
    for (let round = 0; round <= repetitions; round++) {
      const [ticked, immediate] = [example.create('tick'), example.create('immediate')];
      const adds = eachChild((childId) => timeMs(() => ticked.add(childId)));
      const ticks: number[] = [];
      for (let isDone = false; !isDone; ) {
        ticks.push(
          timeMs(() => {
            isDone = ticked.tick(budgetMs);
          }),
        );
      }
      const calls = eachChild((childId) => timeMs(() => immediate.add(childId)));
      if (round === 0) continue;
      lengths.tick.push(...ticks);
      lengths.add.push(...adds);
      lengths.immediate.push(...calls);
    }
    return [
      [`${example.name}: \`tick(${budgetMs})\``, ...describe(lengths.tick)],
      ['— the call that adds an update to the queue', ...describe(lengths.add)],
      ["— the same call with `drive: 'immediate'`", ...describe(lengths.immediate)],
    ];
  });
  return [
    {
      title: 'Ticks: 16 × 1 Mi float32 parameters',
      note: `Lengths in milliseconds. \`tick\` is given ${budgetMs} ms; one slice may run over.`,
      columns: ['', 'calls', 'median', 'p99', 'longest'],
      rows,
    },
  ];
}

function eachChild(measureOne: (childId: string) => number): number[] {
  return Array.from({ length: children }, (_, index) => measureOne(`child ${index}`));
}

function timeMs(work: () => void): number {
  const startMs = systemClock.now();
  work();
  return systemClock.now() - startMs;
}

function describe(lengths: readonly number[]): string[] {
  const at = (share: number): string => format(quantile(lengths, share));
  return [String(lengths.length), at(0.5), at(0.99), at(1)];
}
