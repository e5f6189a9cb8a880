import { MalformedDataError } from '../errors.ts';
import type { ByteWriter } from './bytes.ts';
import { ByteReader } from './bytes.ts';
import { readBfloat16, readFloat16, readFloat32 } from './dense.ts';
import { readLowRank } from './lowRank.ts';
import { readInt4, readInt8 } from './quantised.ts';
import { readOneBit, readTernary } from './signs.ts';
import { readRandomPlaces, readSparse } from './sparse.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Reader = (reader: ByteReader, values: Float32Array<ArrayBuffer>) => void;

/** How the values of a segment are written; the place in `forms` is what says so. */
export type SegmentForm =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'int4'
  | 'oneBit'
  | 'ternary'
  | 'sparse'
  | 'randomPlaces'
  | 'lowRank';

/**
 * A packed payload is a row of segments: one byte for how its values are written, their number as a varint, and what that
 * way of writing takes. They say all that reading takes, so that whoever reads needs no settings.
 */
const readers: Readonly<Record<SegmentForm, Reader>> = {
  float32: readFloat32,
  float16: readFloat16,
  bfloat16: readBfloat16,
  int8: readInt8,
  int4: readInt4,
  oneBit: readOneBit,
  ternary: readTernary,
  sparse: readSparse,
  randomPlaces: readRandomPlaces,
  lowRank: readLowRank,
};

const forms = Object.keys(readers) as SegmentForm[];

/** Begins a segment; its content follows. */
export function beginSegment(writer: ByteWriter, form: SegmentForm, length: number): void {
  writer.byte(forms.indexOf(form));
  writer.varint(length);
}

/** Fills `values` from a payload that a stranger may have sent. Throws MalformedDataError unless it has exactly these. */
export function readPacked(payload: Bytes, values: Float32Array<ArrayBuffer>): void {
  const reader = new ByteReader(payload);
  for (let at = 0; at < values.length; ) {
    const form = forms[reader.byte()];
    const length = reader.varint();
    if (form === undefined || length === 0 || length > values.length - at) {
      throw new MalformedDataError(
        `a packed payload goes on with ${length} values as ${form}, expected 1 to ${values.length - at}`,
      );
    }
    readers[form](reader, values.subarray(at, at + length));
    at += length;
  }
  if (reader.rest > 0)
    throw new MalformedDataError(
      `a packed payload has ${reader.rest} bytes behind its ${values.length} values`,
    );
}
