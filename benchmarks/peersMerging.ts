// Many sets of a million parameters into one, from ordinary arrays, beside NumPy and a plain loop.
import { ModelParameters, ModelParametersMerger, ParameterLayout, seededRandom } from 'mainstem';
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
    'in a Float64Array and checks nothing.';
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
    // HOOK: merging what is in a coordinator's pool already. One more work here per number of sets: `ours` merges
    // from the pool; a peer `our sum` adds up the same bytes in WebAssembly without checking anything; bars:
    // ≥ 0.8 (10 sets) / 0.85 (100 sets) of `our sum`, ≥ 8 / 5 of `ofList`, ≥ 0.9 of `ofMatrix`.
  ];
}

function plainMean(sets: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(length);
  for (const set of sets) for (let i = 0; i < length; i++) sum[i]! += set[i]!;
  const mean = new Float32Array(length);
  for (let i = 0; i < length; i++) mean[i] = sum[i]! / sets.length;
  return mean;
}
