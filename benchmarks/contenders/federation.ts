// Federations of simulated children on the digits, at virtual time: what benchmarks/coordination.ts compares.
import { readFileSync } from 'node:fs';
import type { LocalRule, ModelParameters, NeuralNetworkOptions, Random } from 'mainstem';
import {
  DistributedModelParametersCoordinator,
  type ModelParametersCoordinatorOptions,
  NeuralNetwork,
  seededRandom,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { median } from '../harness.ts';

/** Rows with their digits. */
export interface Rows {
  readonly features: number[][];
  readonly labels: number[];
}

/** How the rows lie with the children: alike, or each with two pieces of the rows sorted by digit. */
export type Split = 'iid' | 'two shards';

/** A federation's data. */
export interface Shards {
  readonly children: readonly Rows[];
  readonly test: Rows;
}

/** The digits, 1 in 5 of them to test with, among so many children. */
export function digitShards(count: number, split: Split, seed: number): Shards {
  const [, ...lines] = readFileSync(new URL('../../data/digits.csv', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  const rows = lines.map((line) => line.split(',').map(Number));
  const pixels = (row: readonly number[]): number[] => row.slice(0, 64).map((pixel) => pixel / 16);
  return dealShards(
    rows.map((row) => ({ pixels: pixels(row), digit: row[64]! })),
    { count, split, seed },
  );
}

/** One picture. */
export interface Picture {
  readonly pixels: number[];
  readonly digit: number;
}

/** Pictures, 1 in 5 of them to test with, among so many children. */
export function dealShards(
  pictures: readonly Picture[],
  { count, split, seed }: { readonly count: number; readonly split: Split; readonly seed: number },
): Shards {
  const random = seededRandom(seed, 7);
  const rows = shuffled(pictures, random);
  const testCount = Math.floor(rows.length / 5);
  const train = rows.slice(testCount);
  if (split === 'two shards') train.sort((a, b) => a.digit - b.digit);
  const pieces = split === 'iid' ? count : 2 * count;
  const cut = Array.from({ length: pieces }, (_, i) =>
    train.slice(Math.floor((i * train.length) / pieces), Math.floor(((i + 1) * train.length) / pieces)),
  );
  const dealt = split === 'iid' ? cut : shuffled(cut, random);
  const children = Array.from({ length: count }, (_, i) =>
    toRows(split === 'iid' ? dealt[i]! : [...dealt[2 * i]!, ...dealt[2 * i + 1]!]),
  );
  return { children, test: toRows(rows.slice(0, testCount)) };
}

function toRows(pictures: readonly Picture[]): Rows {
  return { features: pictures.map(({ pixels }) => pixels), labels: pictures.map(({ digit }) => digit) };
}

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const keyed = items.map((item) => ({ item, key: random.next() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

/** How children train. */
export interface LocalTraining {
  readonly learningRate: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** μ of FedProx; 0 unless given. */
  readonly proximal?: number;
  /** `digitLayers` unless given. */
  readonly layers?: NonNullable<NeuralNetworkOptions['layers']>;
}

export const digits: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

export const digitLayers: NonNullable<NeuralNetworkOptions['layers']> = [
  64,
  { units: 32, activation: 'relu' },
  { units: 10, activation: 'softmax' },
];

export function digitNetwork(
  { learningRate, epochs, batchSize, proximal = 0, layers = digitLayers }: LocalTraining,
  seed: number,
): NeuralNetwork {
  return new NeuralNetwork({
    layers,
    classes: [...digits],
    learningRate,
    batchSize,
    proximal,
    optimizer: 'gradientDescent',
    maximumNumberOfIterations: epochs,
    seed,
  });
}

/** What a run is to do. */
export interface Run {
  readonly shards: Shards;
  readonly training: LocalTraining;
  /** A rule of training that each child has a model of its own for; none unless given: all train the same model in turn. */
  readonly rule?: (model: NeuralNetwork) => LocalRule;
  readonly options: ModelParametersCoordinatorOptions;
  readonly seed: number;
  /** Children that train at once, and begin again with another child when they are done; else those that a round asks. */
  readonly atOnce?: number;
  /** How long a training takes; 1 unless given. */
  readonly duration?: (random: Random, child: number) => number;
}

/** Main after each version, at its time: its accuracy on the rows to test with. */
export interface Point {
  readonly version: number;
  readonly time: number;
  readonly accuracy: number;
}

/** Lets children train until `isDone` or `versionsMax`. */
export function simulate(run: Run, isDone: (point: Point) => boolean, versionsMax: number): Point {
  const { shards, training, rule, options, seed, atOnce, duration = () => 1 } = run;
  const clock = new VirtualClock();
  const random = seededRandom(seed, 1);
  const coordinator = new DistributedModelParametersCoordinator({
    ...options,
    clock,
    random: seededRandom(seed, 2),
  });
  const create = (): NeuralNetwork | LocalRule => {
    const network = digitNetwork(training, seed);
    return rule === undefined ? network : rule(network);
  };
  const [judge, shared] = [create(), create()];
  const models = new Map<number, NeuralNetwork | LocalRule>();
  const modelOf = (child: number): NeuralNetwork | LocalRule => {
    if (rule === undefined) return shared;
    const model = models.get(child) ?? create();
    models.set(child, model);
    return model;
  };
  coordinator.setMainModelParameters(judge.getModelParameters());
  const start = (child: number, done: () => void): void => {
    const main = coordinator.getMainModelParameters();
    clock.schedule(
      () => {
        coordinator.addModelParameters(train(modelOf(child), main, shards.children[child]!), {
          childId: String(child),
        });
        done();
      },
      duration(random, child),
    );
  };
  let last: Point = { version: 0, time: 0, accuracy: 0 };
  coordinator.on('mainUpdated', ({ version }) => {
    judge.setModelParameters(coordinator.getMainModelParameters());
    last = {
      version: version - 1,
      time: clock.now(),
      accuracy: judge.score(shards.test.features, shards.test.labels),
    };
  });
  const anybody = (): number => Math.floor(random.next() * shards.children.length);
  if (atOnce === undefined) {
    coordinator.on('childAsked', ({ childId }) => start(Number(childId), () => {}));
    join(coordinator, shards.children.length);
  } else {
    const next = (): void => start(anybody(), next);
    for (let i = 0; i < atOnce; i++) next();
  }
  while (!isDone(last) && last.version < versionsMax && clock.runNext());
  return last;
}

/** The children come; a round asks those that it wants. */
function join(coordinator: DistributedModelParametersCoordinator, count: number): void {
  for (let i = 0; i < count; i++) coordinator.addChild(String(i));
}

function train(
  model: NeuralNetwork | LocalRule,
  main: ModelParameters,
  { features, labels }: Rows,
): ModelParameters {
  model.setModelParameters(main, { resetOptimizer: true });
  model.train(features, labels);
  return model.getModelParameters();
}

/** A run, but for its data and its seed. */
export type Way = Omit<Run, 'shards' | 'seed'>;

/** When does a federation reach its goal? */
export interface Question {
  readonly shards: (seed: number) => Shards;
  readonly run: Way;
  /** Accuracy to be reached, and what is asked for when it is. */
  readonly goal: number;
  readonly of: 'version' | 'time';
  /** 4,000. */
  readonly versionsMax?: number;
}

/** The median over seeds; Infinity where the goal is not reached within `versionsMax` versions of main. */
export function medianOf(
  seeds: readonly number[],
  { shards, run, goal, of, versionsMax = 4_000 }: Question,
): number {
  const reached = seeds.map((seed) => {
    const end = simulate(
      { ...run, shards: shards(seed), seed },
      (point) => point.accuracy >= goal,
      versionsMax,
    );
    return end.accuracy >= goal ? end[of] : Number.MAX_VALUE;
  });
  const middle = median(reached);
  return middle < Number.MAX_VALUE / 4 ? middle : Infinity;
}
