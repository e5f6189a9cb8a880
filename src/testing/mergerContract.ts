import type { MergeChild, Merger } from '../mergers/Merger.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { runSteps } from '../steps.ts';
import type { ContractCase } from './contract.ts';
import { ensure, ensureSame } from './contract.ts';

/** What the contract of a merger is tried with. */
export interface MergerContractOptions {
  /** A new merger each time, always with the same settings. */
  create(): Merger;
  /** At least three children of one layout; small random ones with `weights` [3 × 1] and `bias` [1] unless given. */
  readonly children?: readonly ModelParameters[];
  /** False for mergers that do not give identical parameters back (rounding, for example); true unless given. */
  readonly isIdempotent?: boolean;
}

const defaultChildren = [
  ModelParameters.fromArrays({ weights: [[0.1], [-2.5], [3.75]], bias: [0.3] }, { sampleCount: 10 }),
  ModelParameters.fromArrays({ weights: [[0.7], [1.5], [-0.25]], bias: [-4] }, { sampleCount: 35 }),
  ModelParameters.fromArrays({ weights: [[-1.1], [0.5], [8]], bias: [0.01] }, { sampleCount: 3 }),
];

function asChild(parameters: ModelParameters, index: number): MergeChild {
  return { id: `child-${index}`, index, parameters, sampleCount: parameters.sampleCount };
}

function merge(merger: Merger, children: readonly MergeChild[]): Values {
  const first = children[0] as MergeChild;
  const state = merger.begin({ layout: first.parameters.layout, main: undefined });
  for (const child of children) runSteps(merger.add(state, child));
  return runSteps(merger.finish(state));
}

/** The promises of a Merger. */
export function mergerContract(options: MergerContractOptions): ContractCase[] {
  return [...resultCases(options), ...isolationCases(options)];
}

function resultCases({
  create,
  children = defaultChildren,
  isIdempotent = true,
}: MergerContractOptions): ContractCase[] {
  const all = children.map(asChild);
  const idempotence: ContractCase = {
    // A plain Σwθ/Σw drifts: add up differences from the first child, as WeightedMean does.
    name: 'identical parameters come back, to one unit in the last place',
    run() {
      for (const dtype of ['float32', 'float64'] satisfies DataType[]) {
        const same = (children[0] as ModelParameters).toDataType(dtype);
        const merged = merge(
          create(),
          Array.from({ length: 30 }, (_, i) => asChild(same.clone(), i % children.length)),
        );
        ensureSame(merged, same.values, `merge of identical ${dtype}`, Number.EPSILON);
      }
    },
  };
  return [
    {
      name: 'needs are stated',
      run() {
        const { minimumChildren, sampleCounts } = create().needs;
        ensure(
          Number.isInteger(minimumChildren) && minimumChildren >= 1,
          'needs.minimumChildren must be 1 or more',
        );
        ensure(typeof sampleCounts === 'boolean', 'needs.sampleCounts must be true or false');
      },
    },
    {
      name: 'the result is finite and as long as the layout',
      run() {
        const merged = merge(create(), all);
        ensure(
          merged.length === (all[0] as MergeChild).parameters.values.length,
          `the result has ${merged.length} values`,
        );
        ensure(Array.from(merged).every(Number.isFinite), 'the result is not finite');
      },
    },
    isIdempotent
      ? idempotence
      : { ...idempotence, skip: 'the merger changes identical parameters on purpose' },
    {
      name: 'the order of the children does not matter beyond rounding',
      run() {
        const expected = merge(create(), all);
        const scale = Math.max(...Array.from(expected, Math.abs));
        merge(create(), [...all].reverse()).forEach((value, i) => {
          ensure(
            Math.abs(value - (expected[i] as number)) <= 1e-12 * scale,
            `value ${i} is ${value} in reverse order, ${expected[i]} before`,
          );
        });
      },
    },
  ];
}

function isolationCases({ create, children = defaultChildren }: MergerContractOptions): ContractCase[] {
  const all = children.map(asChild);
  return [
    {
      name: 'children are not changed, and not looked at after add',
      run() {
        const expected = merge(create(), all);
        const merger = create();
        const state = merger.begin({ layout: (all[0] as MergeChild).parameters.layout, main: undefined });
        for (const child of all) {
          const parameters = child.parameters.clone();
          runSteps(merger.add(state, { ...child, parameters }));
          ensureSame(parameters.values, child.parameters.values, `parameters of ${child.id} after add`);
          parameters.values.fill(1e6);
        }
        ensureSame(runSteps(merger.finish(state)), expected, 'merge after the children were overwritten');
      },
    },
    {
      name: 'two merges at once do not meet',
      run() {
        const expected = merge(create(), all);
        const merger = create();
        const context = { layout: (all[0] as MergeChild).parameters.layout, main: undefined };
        const [mine, other] = [merger.begin(context), merger.begin(context)];
        for (const child of all) {
          runSteps(merger.add(other, { ...child, parameters: child.parameters.scale(-7) }));
          runSteps(merger.add(mine, child));
        }
        ensureSame(runSteps(merger.finish(mine)), expected, 'merge beside another');
      },
    },
    {
      name: 'all children at once, where the merger offers it, is the same as one by one',
      run() {
        const expected = merge(create(), all);
        const target = new Float64Array(expected.length).fill(Number.NaN);
        const context = { layout: (all[0] as MergeChild).parameters.layout, main: undefined };
        const work = create().mergeAll?.(all, context, target);
        if (work === undefined) return;
        runSteps(work);
        ensureSame(target, expected, 'merge of all at once', 1e-12);
      },
    },
    {
      name: 'a merger can be used again',
      run() {
        const merger = create();
        ensureSame(merge(merger, all), merge(merger, all), 'second merge');
      },
    },
  ];
}
