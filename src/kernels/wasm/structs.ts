import type { KernelMemory } from './KernelMemory.ts';

/** The fields of a record in assembly/, in their order: 32-bit integers and addresses, and doubles. */
type Fields = Readonly<Record<string, 'i32' | 'f64'>>;

/** Where each field of a record is, as AssemblyScript lays it out: each at a multiple of its size. */
export interface Struct {
  readonly bytes: number;
  readonly fields: ReadonlyMap<string, { readonly offset: number; readonly type: 'i32' | 'f64' }>;
}

function layOut(types: Fields): Struct {
  let at = 0;
  const fields = new Map<string, { offset: number; type: 'i32' | 'f64' }>();
  for (const [name, type] of Object.entries(types)) {
    const size = type === 'i32' ? 4 : 8;
    at = Math.ceil(at / size) * size;
    fields.set(name, { offset: at, type });
    at += size;
  }
  return { bytes: at, fields };
}

function integers(...names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, 'i32' as const]));
}

function doubles(...names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, 'f64' as const]));
}

/** assembly/network.ts. */
export const layerStruct: Struct = layOut({
  ...integers('inputs', 'outputs', 'stride', 'activation', 'weights', 'bias', 'weightGradient'),
  ...integers('biasGradient', 'values', 'preactivations', 'deltas', 'kept', 'mask'),
});

/** assembly/losses.ts. */
export const targetsStruct: Struct = layOut(integers('values', 'columns', 'order'));

/** assembly/network.ts. */
export const networkStruct: Struct = layOut({
  ...integers('layers', 'layerCount', 'loss'),
  ...doubles('lossBound'),
  ...integers('isFused', 'features', 'featureStride', 'gathered', 'zeros', 'targets'),
});

/** assembly/regression.ts. */
export const regressionStruct: Struct = layOut(
  integers('loss', 'stride', 'weights', 'bias', 'gradient', 'biasGradient', 'scores', 'wanted', 'targets'),
);

/** assembly/optimizers.ts. */
export const ruleStruct: Struct = layOut({
  ...integers('code', 'hasVelocity'),
  ...doubles('rate', 'first', 'second', 'epsilon', 'firstCorrection', 'secondCorrection', 'weightDecay'),
});

/** assembly/training.ts. */
export const trainingStruct: Struct = layOut({
  ...integers('network', 'regression', 'order', 'values', 'gradient', 'firstSlot', 'secondSlot', 'length'),
  ...integers('rule', 'weightRuns', 'weightRunCount'),
  ...doubles('l1', 'l2', 'costDivisor'),
});

/** assembly/meeting.ts. */
export const meetingStruct: Struct = layOut(integers('arrived', 'round', 'asleep'));

/** assembly/threads.ts. */
export const teamStruct: Struct = layOut({
  ...integers('threads', 'rows', 'batchSize', 'chunkRows', 'stop', 'stepsMade', 'meeting', 'gradients'),
  ...integers('slips', 'steps', 'saved'),
  ...doubles('normMax', 'valueMax', 'cost'),
});

/** assembly/threads.ts, with what fills a cache line. */
export const slipBytes = 64;

/** assembly/threads.ts. */
export const memberStruct: Struct = layOut(
  integers('team', 'training', 'index', 'start', 'length', 'pieces', 'pieceCount'),
);

/** Writes fields of a record; the others stay. */
export function writeStruct(
  memory: KernelMemory,
  struct: Struct,
  address: number,
  values: Readonly<Record<string, number>>,
): void {
  const { integers: whole, doubles: real } = memory;
  for (const [name, value] of Object.entries(values)) {
    const { offset, type } = struct.fields.get(name) as { offset: number; type: string };
    if (type === 'i32') whole[(address + offset) >> 2] = value;
    else real[(address + offset) >> 3] = value;
  }
}
