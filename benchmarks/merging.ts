// Ten sets of a million parameters into one.
import assert from 'node:assert/strict';
import { ModelParameters, ModelParametersMerger, ParameterLayout, seededRandom } from 'mainstem';
import type { Effort, Table } from './harness.ts';
import { compare, format } from './harness.ts';

const length = 2 ** 20;
const children = 10;

export async function measure(effort: Effort): Promise<Table[]> {
  const layout = new ParameterLayout([{ name: 'weights', shape: [length] }]);
  const random = seededRandom(1);
  const sets = Array.from({ length: children }, (_, index) => {
    const values = Float32Array.from({ length }, () => random.next() - 0.5);
    return new ModelParameters(layout, values, { sampleCount: 100 + index });
  });
  const arrays = sets.map(({ values, sampleCount }) => ({
    values: values as Float32Array,
    weight: sampleCount!,
  }));
  const merger = new ModelParametersMerger();
  const expected = plainMean(arrays);
  const got = merger.merge(sets).values;
  assert.ok(expected.every((value, i) => Math.abs(value - got[i]!) < 1e-6));
  const measured = await compare(
    [
      { name: 'plain loop, unchecked', run: () => plainMean(arrays) },
      { name: '`ModelParametersMerger.merge`', run: () => merger.merge(sets) },
    ],
    effort,
  );
  const gigabytes = (children * length * 4) / 1e9;
  return [
    {
      title: 'Merging 10 × 1 Mi float32',
      note: 'The mean, weighted by rows, in float64. The baseline adds up without checking anything.',
      columns: ['', 'ms', 'GB/s read', 'ratio'],
      rows: measured.map(({ name, ms, ratio }) => [
        name,
        format(ms),
        format(gigabytes / (ms / 1000)),
        format(ratio),
      ]),
    },
  ];
}

function plainMean(arrays: readonly { values: Float32Array; weight: number }[]): Float32Array {
  const sum = new Float64Array(length);
  let total = 0;
  for (const { values, weight } of arrays) {
    total += weight;
    for (let i = 0; i < length; i++) sum[i]! += weight * values[i]!;
  }
  const mean = new Float32Array(length);
  for (let i = 0; i < length; i++) mean[i] = sum[i]! / total;
  return mean;
}
