import { fileChunkBytes, safetensorsLimits } from '../limits.ts';
import { checkOptions, countOfOneOrMore } from '../models/options.ts';
import type { Architecture } from '../parameters/architecture.ts';
import { bytesOf, swapOnBigEndian } from '../parameters/littleEndian.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { checkDataType, createValues } from '../parameters/values.ts';
import { show } from '../show.ts';
import type { ByteSource, FileSource } from './byteSources.ts';
import { byteSourceOf } from './byteSources.ts';
import { describedBy } from './parametersMetadata.ts';
import { SafetensorsError } from './SafetensorsError.ts';
import type { SafetensorsHeader, SafetensorsLimits, SafetensorsTensor } from './safetensorsHeader.ts';
import { lengthBytes, readHeader, readHeaderLength } from './safetensorsHeader.ts';
import { safetensorsBits, safetensorsDecoders } from './safetensorsTypes.ts';

/** How numbers are read. */
export interface SafetensorsReadOptions {
  /**
   * The numbers that are wanted. Unless given, F32 gives float32 and F64 float64, and other types are refused:
   * F16, BF16 and integers are converted only where it is asked for. Rounds to the nearest where it must.
   */
  readonly dtype?: DataType;
}

/** What a file says of its tensors as the parameters of a model. */
export interface SafetensorsDescription {
  /** In the order of the model; in that of the file where it is a stranger's. */
  readonly tensors: readonly SafetensorsTensor[];
  readonly architecture: Architecture | undefined;
  readonly sampleCount: number | undefined;
  readonly baseVersion: number | undefined;
}

/** A safetensors file whose header was read and checked. Its numbers are read when they are asked for. */
export class SafetensorsFile {
  /** The tensors, in the order of their bytes. */
  readonly tensors: readonly SafetensorsTensor[];
  /** What `__metadata__` says, all of it. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: ByteSource;
  readonly #byName: ReadonlyMap<string, SafetensorsTensor>;

  /** Use `openSafetensors`. */
  constructor(source: ByteSource, { tensors, metadata }: SafetensorsHeader) {
    this.#source = source;
    this.tensors = tensors;
    this.metadata = metadata;
    this.#byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  }

  /**
   * What `readParameters` will give but for the numbers: tensors in the order of the model, what they mean, and
   * where they came from. Throws SafetensorsError where mainstem's metadata are damaged.
   */
  describe(): SafetensorsDescription {
    return describedBy(this.metadata, this.tensors);
  }

  /**
   * The numbers of one tensor, flat and row-major. NaN and infinities are not looked for. Rejects with a
   * SafetensorsError for an unknown name, or numbers that cannot be had.
   */
  async read(name: string, options: SafetensorsReadOptions = {}): Promise<Values> {
    const { dtype } = checkReadOptions(options);
    const tensor = this.#byName.get(name);
    if (tensor === undefined) {
      throw new SafetensorsError('UNKNOWN_TENSOR', `there is no tensor ${show(name)} in the file`);
    }
    const values = createValues(dtype ?? dataTypeFor([tensor]), sizeOf(tensor));
    await this.#readInto(values, tensor);
    return values;
  }

  /**
   * All tensors as parameters. A file of `writeSafetensors` gives back order, architecture, sample count and base
   * version; one of a stranger gives parameters without architecture, in the order of the file, float64 where one
   * tensor is. Rejects with a SafetensorsError, or with a LimitExceededError or MalformedDataError where the
   * tensors are too many or too large, or have no names, for one set of parameters.
   */
  async readParameters(options: SafetensorsReadOptions = {}): Promise<ModelParameters> {
    const { dtype } = checkReadOptions(options);
    const { tensors, architecture, sampleCount, baseVersion } = this.describe();
    const layout = new ParameterLayout(tensors, architecture);
    const values = createValues(dtype ?? dataTypeFor(tensors), layout.length);
    for (const tensor of tensors) {
      const { offset, size } = layout.find(tensor.name) ?? { offset: 0, size: 0 };
      await this.#readInto(values.subarray(offset, offset + size), tensor);
    }
    return new ModelParameters(layout, values, { sampleCount, baseVersion });
  }

  async #readInto(target: Values, tensor: SafetensorsTensor): Promise<void> {
    const native = target instanceof Float32Array ? 'F32' : 'F64';
    if (tensor.dtype === native) {
      const bytes = bytesOf(target);
      await this.#source.read(bytes, tensor.byteOffset);
      swapOnBigEndian(bytes, target.BYTES_PER_ELEMENT);
      return;
    }
    const decode = safetensorsDecoders[tensor.dtype];
    if (decode === undefined) {
      throw new SafetensorsError(
        'UNSUPPORTED_DTYPE',
        `tensor ${show(tensor.name)} is ${tensor.dtype}, whose numbers mainstem cannot read`,
      );
    }
    const size = safetensorsBits[tensor.dtype] / 8;
    const chunk = new Uint8Array(Math.min(tensor.byteLength, fileChunkBytes));
    for (let start = 0; start < tensor.byteLength; start += chunk.length) {
      const bytes = chunk.subarray(0, Math.min(chunk.length, tensor.byteLength - start));
      await this.#source.read(bytes, tensor.byteOffset + start);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < bytes.length; at += size) target[(start + at) / size] = decode(view, at);
    }
  }
}

/**
 * Opens a safetensors file: reads the header and nothing else, and checks it. The source must stay as it is while
 * the file is read. Rejects with a SafetensorsError whose `code` says what is wrong.
 */
export async function openSafetensors(
  source: FileSource,
  limits: Partial<SafetensorsLimits> = {},
): Promise<SafetensorsFile> {
  const checked = { ...safetensorsLimits, ...checkOptions<SafetensorsLimits>(limits, limitChecks) };
  const file = await byteSourceOf(source);
  const start = new Uint8Array(Math.min(lengthBytes, file.size));
  await file.read(start, 0);
  const header = new Uint8Array(readHeaderLength(start, file.size, checked));
  await file.read(header, lengthBytes);
  return new SafetensorsFile(file, readHeader(header, file.size, checked));
}

/** Reads a whole safetensors file as parameters: `openSafetensors` and `readParameters` in one. */
export async function readSafetensors(
  source: FileSource,
  options: SafetensorsReadOptions = {},
): Promise<ModelParameters> {
  const file = await openSafetensors(source);
  return file.readParameters(options);
}

const limitChecks = {
  headerBytesMax: countOfOneOrMore,
  tensorsMax: countOfOneOrMore,
};

const readChecks = {
  dtype: (value: unknown) => {
    checkDataType(value);
  },
};

function checkReadOptions(options: SafetensorsReadOptions): SafetensorsReadOptions {
  return checkOptions<SafetensorsReadOptions>(options, readChecks);
}

function sizeOf({ shape }: SafetensorsTensor): number {
  return shape.reduce((product, axis) => product * axis, 1);
}

/** The type that holds all these tensors as they are. Throws SafetensorsError where none does. */
function dataTypeFor(tensors: readonly SafetensorsTensor[]): DataType {
  const other = tensors.find(({ dtype }) => dtype !== 'F32' && dtype !== 'F64');
  if (other !== undefined) {
    const hint =
      safetensorsDecoders[other.dtype] === undefined
        ? 'whose numbers mainstem cannot read'
        : "say dtype: 'float32' or 'float64' to convert it";
    throw new SafetensorsError('UNSUPPORTED_DTYPE', `tensor ${show(other.name)} is ${other.dtype}, ${hint}`);
  }
  return tensors.some(({ dtype }) => dtype === 'F64') ? 'float64' : 'float32';
}
