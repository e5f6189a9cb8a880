import { MalformedDataError } from '../errors.ts';

/**
 * Throws MalformedDataError where lists of a MessagePack lie more than `depthMax` deep in each other. It reads the heads
 * of values alone, many times as fast as a decoder that makes a list for each; what no decoder would take (see the
 * specification of MessagePack, "Formats") is left to it to say.
 */
export function checkListNesting(bytes: Uint8Array, depthMax: number): void {
  /** Values that are still to come in each list that is open. */
  const open: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = readHead(bytes, at);
    if (head === undefined) return;
    at += head.length;
    if (head.entries > 0) {
      if (open.length === depthMax)
        throw new MalformedDataError(`lists lie more than ${depthMax} deep in each other`);
      open.push(head.entries);
      continue;
    }
    // The last value of a list is the last thing of the list that it is in, and so on.
    while (open.length > 0) {
      const left = (open.pop() as number) - 1;
      if (left > 0) {
        open.push(left);
        break;
      }
    }
  }
}

/** Bytes to the next head, and entries of a list that begins. */
interface Head {
  readonly length: number;
  readonly entries: number;
}

/** Bytes behind the head byte of formats from 0xc0 on whose length is fixed. */
const fixedLengths = new Map([
  ...[0xc0, 0xc2, 0xc3].map((head) => [head, 0] as const),
  ...[0xcc, 0xd0].map((head) => [head, 1] as const),
  ...[0xcd, 0xd1].map((head) => [head, 2] as const),
  ...[0xca, 0xce, 0xd2].map((head) => [head, 4] as const),
  ...[0xcb, 0xcf, 0xd3].map((head) => [head, 8] as const),
]);
/** Strings, and how many bytes have their length; then lists. */
const stringLengths = new Map([
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
]);
const listLengths = new Map([
  [0xdc, 2],
  [0xdd, 4],
]);

/** Undefined for what is not allowed in metadata anyway: maps, binary values, extensions. */
function readHead(bytes: Uint8Array, at: number): Head | undefined {
  const head = bytes[at] as number;
  if (head < 0x80 || head >= 0xe0) return { length: 1, entries: 0 };
  if (head < 0x90) return undefined;
  if (head < 0xa0) return { length: 1, entries: head & 15 };
  if (head < 0xc0) return { length: 1 + (head & 31), entries: 0 };
  const fixed = fixedLengths.get(head);
  if (fixed !== undefined) return { length: 1 + fixed, entries: 0 };
  const stringLength = stringLengths.get(head);
  if (stringLength !== undefined)
    return { length: 1 + stringLength + readNumber(bytes, at + 1, stringLength), entries: 0 };
  const listLength = listLengths.get(head);
  if (listLength === undefined) return undefined;
  return { length: 1 + listLength, entries: readNumber(bytes, at + 1, listLength) };
}

/** Big endian, as everything in MessagePack. Bytes that are missing count as 0: the decoder misses them too. */
function readNumber(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = at; i < at + length; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

/** Throws MalformedDataError where lists and objects of a JSON text lie more than `depthMax` deep in each other. */
export function checkJsonNesting(text: string, depthMax: number): void {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isInString) {
      // What is behind a backslash ends no string.
      if (code === 0x5c) at++;
      else if (code === 0x22) isInString = false;
    } else if (code === 0x22) isInString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > depthMax) throw new MalformedDataError(`JSON that is nested more than ${depthMax} deep`);
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
}
