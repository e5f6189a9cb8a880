// How long a game loop waits for a coordinator that folds in a million parameters of each of 16 children.
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  ModelParameters,
  ParameterLayout,
  systemClock,
} from 'mainstem';
import { attach } from 'mainstem/game';
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
    await measureLoop(repetitions),
  ];
}

const tickMs = 1000 / 60;
/** Ticks from the arrival of one child's parameters to that of the next one's. */
const ticksPerArrival = 3;

/**
 * A loop at 60 Hz, in real time. In every third tick the parameters of another child come in, in float32 from a pool, as
 * over a connection; each 16 are merged. What is timed is all of the coordinator's work that is in the loop's way.
 */
async function measureLoop(repetitions: number): Promise<Table> {
  const attached: number[] = [];
  const inline: number[] = [];
  const runRound = createLoops();
  for (let round = 0; round <= repetitions; round++) {
    const lengths = await runRound();
    // The first round warms up.
    if (round === 0) continue;
    attached.push(...lengths.attached);
    inline.push(...lengths.inline);
  }
  const row = (name: string, lengths: readonly number[]): string[] => {
    const over = lengths.filter((ms) => ms > budgetMs).map((ms) => ms - budgetMs);
    const at = (share: number): string => (over.length === 0 ? '-' : format(quantile(over, share)));
    const frames = lengths.filter((ms) => ms > tickMs).length;
    return [
      name,
      String(lengths.length),
      String(over.length),
      at(0.5),
      at(0.9),
      at(0.99),
      at(1),
      String(frames),
    ];
  };
  return {
    title: 'Overruns at 60 Hz: 16 × 1 Mi parameters are merged while a game runs',
    note: `Milliseconds beyond ${budgetMs} ms, of ticks in which the coordinator took longer. The parameters of one child come each ${ticksPerArrival} ticks. Both loops run in turn, tick by tick.`,
    columns: ['', 'ticks', 'ticks over', 'median', 'p90', 'p99', 'longest', 'ticks lost whole (16.7 ms)'],
    rows: [
      row(`\`attach(loop, coordinator, { budgetMs: ${budgetMs} })\``, attached),
      row('merged inline', inline),
    ],
  };
}

/** Both loops; the function returned lets them run until 16 more sets of parameters are merged. */
function createLoops(): () => Promise<{ attached: number[]; inline: number[] }> {
  const [sliced, whole] = [createMerging('tick'), createMerging('immediate')];
  let tick: () => void = () => {};
  const loop = (listener: () => void): (() => void) => {
    tick = listener;
    return () => {};
  };
  attach(loop, sliced, { budgetMs });
  return async () => {
    const lengths: { attached: number[]; inline: number[] } = { attached: [], inline: [] };
    const { version } = sliced;
    const arrivals = children * ticksPerArrival;
    for (let index = 0; index < arrivals || sliced.version === version; index++) {
      const childId = index % ticksPerArrival === 0 && index < arrivals ? `child ${index}` : undefined;
      lengths.attached.push(
        timeMs(() => {
          if (childId !== undefined) sliced.addModelParameters(start, { childId });
          tick();
        }),
      );
      lengths.inline.push(
        timeMs(() => {
          if (childId !== undefined) whole.addModelParameters(start, { childId });
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, tickMs));
    }
    return lengths;
  };
}

function createMerging(drive: 'tick' | 'immediate'): DistributedModelParametersCoordinator {
  return new DistributedModelParametersCoordinator({ drive, childUpdatesPerMerge: children });
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
