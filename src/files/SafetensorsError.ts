import { MainstemError } from '../errors.ts';

/** Why a safetensors file is refused, named as the format's own reader names it. */
export type SafetensorsProblem =
  /** Fewer than the 8 bytes that hold the header's length. */
  | 'HEADER_TOO_SMALL'
  /** The header is longer than allowed. */
  | 'HEADER_TOO_LARGE'
  /** The header would end behind the file. */
  | 'INVALID_HEADER_LENGTH'
  | 'INVALID_HEADER_UTF8'
  /** The header does not begin with `{`. */
  | 'INVALID_HEADER_START'
  | 'INVALID_HEADER_JSON'
  /** A key is there twice: two readers could see two files. */
  | 'DUPLICATE_KEY'
  /** `__metadata__` is no object of strings, or what mainstem wrote there is not what it should be. */
  | 'INVALID_METADATA'
  | 'TOO_MANY_TENSORS'
  /** A dtype that the format does not know. */
  | 'UNKNOWN_DTYPE'
  /** An entry is not what it must be, or its shape does not fill its bytes. */
  | 'TENSOR_INVALID_INFO'
  /** The tensors do not lie one behind the other from 0: a hole, an overlap, or an end before its begin. */
  | 'INVALID_OFFSET'
  /** A shape has more values than a number can count. */
  | 'VALIDATION_OVERFLOW'
  /** Numbers of less than a byte that do not fill whole bytes. */
  | 'MISALIGNED_SLICE'
  /** The tensors end before or behind the end of the file. */
  | 'METADATA_INCOMPLETE_BUFFER'
  /** The tensor is in order, but its numbers cannot be had, or not without naming a `dtype`. */
  | 'UNSUPPORTED_DTYPE'
  /** There is no tensor of this name. */
  | 'UNKNOWN_TENSOR'
  /** What is to be written has a name that the format cannot hold. */
  | 'INVALID_NAME';

/** A safetensors file is refused, whole; `code` says why: `'SAFETENSORS_HEADER_TOO_SMALL'` and so on. */
export class SafetensorsError extends MainstemError {
  declare readonly code: `SAFETENSORS_${SafetensorsProblem}`;

  constructor(problem: SafetensorsProblem, message: string, options?: { cause?: unknown }) {
    super(`SAFETENSORS_${problem}`, message, options);
  }
}
