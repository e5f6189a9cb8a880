// Many sets of a million parameters into one, from ordinary arrays and from a pool, beside NumPy and a plain loop.
import { ModelParameters, ModelParametersMerger, ParameterLayout, seededRandom } from 'mainstem';
import { InboxPool } from '../src/kernels/InboxPool.ts';
import { assertClose } from './contenders/data.ts';
import type { Python } from './contenders/python.ts';
import { startPython } from './contenders/python.ts';
import type { Bar, Work } from './contenders/table.ts';
import { measureWork, tableOfPeers } from './contenders/table.ts';
import type { Contender, Effort, Table } from './harness.ts';

const length = 2 ** 20;
const distinct = 10;

const ofList = 'NumPy, mean of a list';
const ofMatrix = 'NumPy, `w @ S`';
const plainLoop = 'plain loop';
const ourSum = 'our sum';
const bars: readonly Bar[] = [
  { atLeast: 3, of: ofList, peers: [ofList] },
  { atLeast: 4, of: plainLoop, peers: [plainLoop] },
];

export async function measure(effort: Effort): Promise<Table[]> {
  const python = await startPython(['numpy']);
  const random = seededRandom(1);
  const values = Float32Array.from({ length: distinct * length }, () => random.next() - 0.5);
  const rows = [];
  for (const children of [10, 100]) {
    const sets = Array.from({ length: children }, (_, index) => {
      const first = (index % distinct) * length;
      return values.slice(first, first + length);
    });
    for (const work of await worksOf(sets, values, python)) rows.push(await measureWork(work, effort));
  }
  python?.close();
  const note =
    'CPU time of one merge: the mean of all sets, which the finished one is a new array of. NumPy stacks its list ' +
    'on the spot, or multiplies a row of weights with a matrix that is stacked already; the plain loop adds up ' +
    'in a Float64Array and checks nothing. The sum is that of the same bytes in our WebAssembly, in floats: what reading ' +
    'them costs.';
  return [tableOfPeers('Merging float32 parameters beside its peers', note, rows)];
}

async function worksOf(
  sets: readonly Float32Array<ArrayBuffer>[],
  values: Float32Array,
  python: Python | undefined,
): Promise<Work[]> {
  const layout = new ParameterLayout([{ name: 'weights', shape: [length] }]);
  const children = sets.map((set) => new ModelParameters(layout, set));
  const merger = new ModelParametersMerger();
  const expected = merger.merge(children).values.slice(0, 1000);
  const peers: Contender[] = [{ name: plainLoop, run: () => plainMean(sets) }];
  assertClose(plainLoop, plainMean(sets).slice(0, 1000), expected, 1e-6);
  if (python !== undefined) {
    const settings = { values: python.write('sets', values), length, copies: sets.length / distinct };
    for (const [name, work] of [
      [ofList, 'merging.MeanOfList'],
      [ofMatrix, 'merging.WeightedProduct'],
    ] as const) {
      const contender = await python.prepare(name, work, settings);
      assertClose(name, await contender.result(), expected, 1e-6);
      peers.push(contender);
    }
  }
  const name = `${sets.length} × 1 Mi float32`;
  return [
    {
      name: `${name}, \`merger.merge(children)\``,
      ours: { name: 'mainstem', run: () => merger.merge(children) },
      peers,
      bars,
    },
    ...poolWorksOf(name, sets, expected, peers),
  ];
}

/**
 * The same of what is in a coordinator's pool already. The pool is no part of the public package, so the source is
 * measured: the code that does the work is WebAssembly in either.
 */
function poolWorksOf(
  name: string,
  sets: readonly Float32Array<ArrayBuffer>[],
  expected: ArrayLike<number>,
  peers: readonly Contender[],
): Work[] {
  const pool = InboxPool.create(length);
  const slots = sets.map((set) => pool?.put(set)).filter((slot) => slot !== undefined);
  const result = pool?.put(new Float32Array(length));
  if (pool === undefined || result === undefined || slots.length < sets.length) return [];
  const weights = sets.map(() => 1);
  pool.mean(slots, weights, result, 0, length);
  const merged = new Float32Array(length);
  result.copyTo(merged, 0, length);
  assertClose('the pool', merged.slice(0, 1000), expected, 1e-6);
  const sum: Contender = { name: ourSum, run: () => pool.sum(slots) };
  const poolBars: readonly Bar[] = [
    { atLeast: sets.length === 10 ? 0.8 : 0.85, of: ourSum, peers: [ourSum] },
    { atLeast: sets.length === 10 ? 8 : 5, of: ofList, peers: [ofList] },
    { atLeast: 0.9, of: ofMatrix, peers: [ofMatrix] },
  ];
  return [
    {
      name: `${name} in the pool, into the pool`,
      ours: { name: 'mainstem', run: () => pool.mean(slots, weights, result, 0, length) },
      peers: [...peers, sum],
      bars: poolBars,
    },
    {
      name: `${name} in the pool, into an array that is there`,
      ours: { name: 'mainstem', run: () => pool.mean(slots, weights, merged, 0, length) },
      peers: [...peers, sum],
      bars: poolBars,
    },
  ];
}

function plainMean(sets: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(length);
  for (const set of sets) for (let i = 0; i < length; i++) sum[i]! += set[i]!;
  const mean = new Float32Array(length);
  for (let i = 0; i < length; i++) mean[i] = sum[i]! / sets.length;
  return mean;
}
