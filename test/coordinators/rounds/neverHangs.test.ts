// Federations from a seed, whose children leave at the worst moment: each wait ends or is stated.
import type { ModeOption, Random, Receipt } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  ModelParameters,
  seededRandom,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { expect, test } from 'vitest';
import { flatLayout } from '../helpers.ts';

const layout = flatLayout(2);
const seeds = 10_000;
const ids = ['a', 'b', 'c', 'd', 'e'];
type Coordinator = DistributedGradientsCoordinator | DistributedModelParametersCoordinator;

function randomMode(random: Random): ModeOption {
  const count = 1 + Math.floor(random.next() * 3);
  const deadline = ([20, 'none', { factor: 1, floor: 1, ceiling: 30 }] as const)[
    Math.floor(random.next() * 3)
  ]!;
  switch (Math.floor(random.next() * 6)) {
    case 0:
      return { mode: 'synchronous', quorum: count, deadline };
    case 1:
      return { mode: 'synchronous', children: 3, quorum: count, deadline };
    case 2: {
      const selection = (['random', 'roundRobin', 'staleness', 'weight'] as const)[count]!;
      return { mode: 'synchronous', children: count, ask: count + 1, selection, deadline };
    }
    case 3:
      return { mode: 'buffered', updates: count, stalenessMax: 2 };
    case 4:
      return { mode: 'boundedStaleness', updatesAheadMax: count };
    default:
      return 'asynchronous';
  }
}

/** Everything that a federation does wrong, as text; undefined where all is well. */
async function play(seed: number): Promise<string | undefined> {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const isGradients = random.next() < 0.5;
  const options = { mode: randomMode(random), clock, random: seededRandom(seed, 1) };
  const drive = random.next() < 0.3 ? 'tick' : 'immediate';
  const coordinator: Coordinator = isGradients
    ? new DistributedGradientsCoordinator({ ...options, drive })
    : new DistributedModelParametersCoordinator({ ...options, drive });
  const start = new ModelParameters(layout, new Float64Array(2));
  if (coordinator instanceof DistributedGradientsCoordinator) coordinator.setModelParameters(start);
  else coordinator.setMainModelParameters(start);
  const settled = new Map<Receipt, boolean>();
  const add = (childId: string): void => {
    const baseVersion = Math.max(1, coordinator.version - Math.floor(random.next() * 2));
    const info = { baseVersion, sampleCount: 1 + Math.floor(random.next() * 4) };
    const values = Float64Array.of(random.next(), random.next());
    const receipt =
      coordinator instanceof DistributedGradientsCoordinator
        ? coordinator.addGradients(new Gradients(layout, values, info), { childId })
        : coordinator.addModelParameters(new ModelParameters(layout, values, info), { childId });
    settled.set(receipt, false);
    const end = (): unknown => settled.set(receipt, true);
    receipt.committed.then(end, end);
  };
  for (let step = 0; step < 30; step++) {
    const childId = ids[Math.floor(random.next() * ids.length)]!;
    const what = random.next();
    if (what < 0.55) add(childId);
    else if (what < 0.7) coordinator.removeChild(childId);
    else if (what < 0.72) for (const id of ids) coordinator.removeChild(id);
    else if (what < 0.76) coordinator.setMode(randomMode(random));
    else clock.advance(random.next() * 15);
    if (drive === 'tick') coordinator.tick(Infinity);
    await Promise.resolve();
    await Promise.resolve();
    const open = [...settled.values()].filter((isSettled) => !isSettled).length;
    const wait = coordinator.waitingFor();
    if (open !== (wait?.updates ?? 0)) return `step ${step}: ${open} wait, ${JSON.stringify(wait)} is stated`;
    if (wait !== undefined && wait.remaining === 0 && wait.updates >= wait.quorum)
      return `step ${step}: the deadline has passed with the quorum`;
    if (wait !== undefined && wait.updates >= wait.needed) return `step ${step}: the round is full`;
    if (wait?.needed === Infinity && wait.updates >= wait.quorum && wait.missingCount === 0)
      return `step ${step}: nobody is missing`;
  }
  // A deadline that has passed makes way for whoever comes.
  clock.advance(1_000);
  if (drive === 'tick') coordinator.tick(Infinity);
  await coordinator.close();
  await Promise.resolve();
  if ([...settled.values()].includes(false)) return 'an update is never settled';
  return undefined;
}

test(`${seeds} federations: each round ends in an update, a refusal or a stated wait`, async () => {
  const wrong: string[] = [];
  for (let seed = 0; seed < seeds && wrong.length < 3; seed++) {
    const fault = await play(seed);
    if (fault !== undefined) wrong.push(`seed ${seed}, ${fault}`);
  }
  expect(wrong).toEqual([]);
}, 120_000);
