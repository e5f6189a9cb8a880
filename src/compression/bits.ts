import { MalformedDataError } from '../errors.ts';

type Bytes = Uint8Array<ArrayBuffer>;

// Gaps between places in ascending order, in the code of Golomb (1966) and Rice (1979): a gap's quotient by 2ᵏ in unary,
// then its k lowest bits. Where places are as good as random, it is within some 4 % of the best that there is.

/** The k with the fewest bits for gaps of this mean (Kiely 2004, section 3). */
export function riceParameter(length: number, count: number): number {
  const mean = count === 0 ? 0 : (length - count) / count;
  return Math.max(0, Math.floor(Math.log2((mean + 1) * Math.LN2 + 1e-9)));
}

/** Bits that the gaps of these places take. */
export function riceBits(places: Uint32Array, k: number): number {
  let bits = places.length * (k + 1);
  let next = 0;
  for (const place of places) {
    bits += (place - next) >>> k;
    next = place + 1;
  }
  return bits;
}

/** Writes the gaps into bytes that are all 0. */
export function writeRice(places: Uint32Array, k: number, bytes: Bytes): void {
  let at = 0;
  let next = 0;
  const set = (): void => {
    bytes[at >> 3] = (bytes[at >> 3] as number) | (1 << (at & 7));
  };
  for (const place of places) {
    const gap = place - next;
    // Quotient zeros and a one.
    at += gap >>> k;
    set();
    at++;
    for (let bit = 0; bit < k; bit++, at++) if ((gap >>> bit) & 1) set();
    next = place + 1;
  }
}

/** Reads `places.length` places below `length` from the bits; what is over in the last byte must be 0. */
export function readRice(bytes: Bytes, k: number, length: number, places: Uint32Array): void {
  const end = bytes.length * 8;
  const bitAt = (at: number): number => ((bytes[at >> 3] as number) >> (at & 7)) & 1;
  let at = 0;
  let next = 0;
  for (let i = 0; i < places.length; i++) {
    let quotient = 0;
    while (at < end && bitAt(at) === 0) {
      quotient++;
      at++;
    }
    at++;
    if (at + k > end) throw new MalformedDataError(`a packed payload ends within place ${i}`);
    let gap = quotient * 2 ** k;
    for (let bit = 0; bit < k; bit++, at++) gap += bitAt(at) * 2 ** bit;
    const place = next + gap;
    if (place >= length)
      throw new MalformedDataError(`a packed payload names place ${place} of ${length} values`);
    places[i] = place;
    next = place + 1;
  }
  for (; at < end; at++)
    if (end - at >= 8 || bitAt(at) === 1)
      throw new MalformedDataError('a packed payload has bits behind its last place');
}
