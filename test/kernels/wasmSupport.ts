import type { KernelName } from '../../src/kernels/selection.ts';
import { kernels } from '../../src/kernels/selection.ts';
import type { WasmBuild } from '../../src/kernels/wasm/compile.ts';
import { KernelMemory } from '../../src/kernels/wasm/KernelMemory.ts';
import { shapeNetwork } from '../../src/kernels/wasm/networkShape.ts';
import type { TypedCode } from '../../src/kernels/wasm/typedCode.ts';
import { typedCode } from '../../src/kernels/wasm/typedCode.ts';
import { WasmNetwork } from '../../src/kernels/wasm/WasmNetwork.ts';
import type { ActivationName } from '../../src/models/activations.ts';
import { activationNamed } from '../../src/models/activations.ts';
import { createLoss } from '../../src/models/createLoss.ts';
import { planNetwork } from '../../src/models/DenseNetwork.ts';
import type { LossOption, Targets } from '../../src/models/losses.ts';
import type { DataType, Values } from '../../src/parameters/values.ts';
import { createValues } from '../../src/parameters/values.ts';
import type { Random } from '../../src/random.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';

/** The builds that this engine takes. */
export const builds: WasmBuild[] = kernels.available.filter((name) => name !== 'reference');

export const dataTypes: DataType[] = ['float32', 'float64'];

/** Every build with every type of number. */
export const buildsAndTypes: [WasmBuild, DataType][] = builds.flatMap((build) =>
  dataTypes.map((dtype): [WasmBuild, DataType] => [build, dtype]),
);

/** How far two results may be apart: relative to the magnitudes that were added up. */
export const toleranceOf: Readonly<Record<DataType, number>> = { float32: 1e-5, float64: 1e-12 };

/** Does something with other kernels than the default, and goes back. */
export function withKernels<Result>(name: KernelName, work: () => Result): Result {
  const before = kernels.name;
  kernels.select(name);
  try {
    return work();
  } finally {
    kernels.select(before);
  }
}

export function normalValues(dtype: DataType, count: number, random: Random): Values {
  const values = createValues(dtype, count);
  for (let i = 0; i < count; i++) values[i] = standardNormal(random);
  return values;
}

/** Arrays in a memory of their own, with kernels to work on them. */
export class Workbench {
  readonly memory: KernelMemory;
  readonly code: TypedCode;
  readonly dtype: DataType;
  readonly bytes: number;
  readonly lanes: number;

  constructor(build: WasmBuild, dtype: DataType, bytes: number = 2 ** 22) {
    this.memory = new KernelMemory(build, bytes, bytes);
    this.code = typedCode(this.memory, dtype);
    this.dtype = dtype;
    this.bytes = dtype === 'float32' ? 4 : 8;
    this.lanes = 16 / this.bytes;
  }

  /** Numbers up to the next whole vector. */
  padded(count: number): number {
    return Math.ceil(count / this.lanes) * this.lanes;
  }

  /** The address of a copy, with `spare` numbers of NaN before and behind it. */
  put(values: ArrayLike<number>, spare = 0): number {
    const around = this.padded(spare);
    const address = this.memory.allocate((values.length + 2 * around) * this.bytes) as number;
    const view = this.view(address, values.length + 2 * around);
    view.fill(Number.NaN);
    view.set(values, around);
    return address + around * this.bytes;
  }

  view(address: number, length: number): Values {
    return this.memory.view(address, length, this.dtype);
  }

  read(address: number, length: number): Values {
    return this.view(address, length).slice();
  }

  /** Gives all back. `addresses` are those of blocks without spare numbers. */
  free(...addresses: number[]): void {
    for (const address of addresses) this.memory.free(address);
  }
}

/** One dense layer with its data in the memory of the kernels, for what works on a layer or on its outputs. */
export function oneLayer(
  build: WasmBuild,
  dtype: DataType,
  columns: number,
  rows: number,
  options: { activation?: ActivationName; loss?: LossOption; targets?: Targets; inputs?: number } = {},
): WasmNetwork {
  // Squared errors of one output would be a regression, which has no buffers.
  const { activation = 'identity', loss = 'huber', inputs = 2 } = options;
  const plan = { inputs, outputs: columns, activation: activationNamed(activation), hasBias: true };
  const network = planNetwork([{ ...plan, prefix: '' }], createLoss(loss), {});
  const shape = shapeNetwork(network, dtype);
  if (shape === undefined) throw new Error('there is no kernel for this loss');
  const data = createValues(dtype, rows * inputs);
  const none: Targets = { kind: 'rows', values: createValues(dtype, rows * columns), columns };
  const result = WasmNetwork.create(build, shape, {
    chunkRows: rows,
    data: { features: { data, rows, columns: inputs }, targets: options.targets ?? none },
    gathers: true,
    extraArrays: 3,
    savedLength: shape.length,
    dropout: [],
    residentBytesMax: undefined,
  });
  if (result === undefined) throw new Error('there is no room for the layer');
  return result;
}

/** Numbers at every distance from 0, whose last bits are random. */
export function spreadValues(dtype: DataType, count: number, seed: number, largest: number): Values {
  const random = seededRandom(seed);
  const values = createValues(dtype, count);
  const range = Math.log(largest) + 12;
  for (let i = 0; i < count; i++) {
    const magnitude = Math.exp(Math.log(largest) - range * random.next());
    values[i] = random.next() < 0.5 ? -magnitude : magnitude;
  }
  return values;
}

/** How many representable numbers lie between two of the same sign. */
export function unitsApart(a: number, b: number, dtype: DataType): number {
  if (a === b) return 0;
  if (!(Number.isFinite(a) && Number.isFinite(b))) return Infinity;
  return Math.abs(a - b) / unitInLastPlace(b, dtype);
}

function unitInLastPlace(x: number, dtype: DataType): number {
  const digits = dtype === 'float32' ? 23 : 52;
  const least = dtype === 'float32' ? -126 : -1022;
  const exponent = Math.max(least, Math.floor(Math.log2(Math.abs(x))));
  return 2 ** (exponent - digits);
}
