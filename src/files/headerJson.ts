import { SafetensorsError } from './SafetensorsError.ts';

/**
 * JSON as `readHeaderJson` gives it. Objects are Maps, so that no key is special; a number that is not written as
 * a whole one (`1.0`, `-0`, `1e3`) is NaN, which no check of a header lets pass.
 */
export type HeaderJson = string | number | boolean | null | readonly HeaderJson[] | HeaderJsonObject;

/** An object of a header: its keys, each once, in the order of the text. */
export type HeaderJsonObject = ReadonlyMap<string, HeaderJson>;

/** A header needs three levels. More would only cost stack. */
const depthMax = 8;

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const wholePattern = /^(?:0|[1-9]\d*)$/;
const loneSurrogate = /\p{Surrogate}/u;

const quote = 0x22;
const backslash = 0x5c;
const space = 0x20;

interface Cursor {
  readonly text: string;
  at: number;
}

/**
 * Reads one JSON value, behind which only spaces may stand. `JSON.parse` lets a key come twice and keeps the last,
 * where other readers keep the first, and rounds large numbers in silence; this does neither. Throws
 * SafetensorsError.
 */
export function readHeaderJson(text: string): HeaderJson {
  const cursor = { text, at: 0 };
  const value = readValue(cursor, 0);
  while (cursor.at < text.length) {
    if (text.charCodeAt(cursor.at) !== space) throw invalid(cursor, 'spaces up to the end of the header');
    cursor.at++;
  }
  return value;
}

function readValue(cursor: Cursor, depth: number): HeaderJson {
  if (depth > depthMax) throw invalid(cursor, `at most ${depthMax} levels`);
  skipSpace(cursor);
  switch (cursor.text[cursor.at]) {
    case '{':
      return readObject(cursor, depth);
    case '[':
      return readArray(cursor, depth);
    case '"':
      return readString(cursor);
    case 't':
      return readWord(cursor, 'true', true);
    case 'f':
      return readWord(cursor, 'false', false);
    case 'n':
      return readWord(cursor, 'null', null);
    default:
      return readNumber(cursor);
  }
}

function readObject(cursor: Cursor, depth: number): HeaderJsonObject {
  const object = new Map<string, HeaderJson>();
  cursor.at++;
  if (takes(cursor, '}')) return object;
  do {
    skipSpace(cursor);
    if (cursor.text[cursor.at] !== '"') throw invalid(cursor, 'a key in double quotes');
    const key = readString(cursor);
    if (object.has(key)) {
      throw new SafetensorsError(
        'DUPLICATE_KEY',
        `the header has the key ${JSON.stringify(key.slice(0, 80))} twice, expected each once`,
      );
    }
    if (!takes(cursor, ':')) throw invalid(cursor, 'a colon');
    object.set(key, readValue(cursor, depth + 1));
  } while (takes(cursor, ','));
  if (!takes(cursor, '}')) throw invalid(cursor, 'a comma or }');
  return object;
}

function readArray(cursor: Cursor, depth: number): readonly HeaderJson[] {
  const array: HeaderJson[] = [];
  cursor.at++;
  if (takes(cursor, ']')) return array;
  do array.push(readValue(cursor, depth + 1));
  while (takes(cursor, ','));
  if (!takes(cursor, ']')) throw invalid(cursor, 'a comma or ]');
  return array;
}

function readString(cursor: Cursor): string {
  const { text, at: start } = cursor;
  let at = start + 1;
  let isPlain = true;
  for (; ; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) break;
    if (code === backslash) at++;
    if (code === backslash || code < space) isPlain = false;
    if (!(at < text.length)) throw invalid(cursor, 'a string that ends');
  }
  cursor.at = at + 1;
  if (isPlain) return text.slice(start + 1, at);
  const string = parseEscapes({ text, at: start }, at + 1);
  // Such a name is no Unicode text, and could not be written again.
  if (loneSurrogate.test(string)) throw invalid({ text, at: start }, 'no half of a surrogate pair');
  return string;
}

function parseEscapes(cursor: Cursor, end: number): string {
  try {
    return JSON.parse(cursor.text.slice(cursor.at, end)) as string;
  } catch {
    throw invalid(cursor, 'a string with legal escapes and no control characters');
  }
}

function readNumber(cursor: Cursor): number {
  numberPattern.lastIndex = cursor.at;
  const literal = numberPattern.exec(cursor.text)?.[0];
  if (literal === undefined) throw invalid(cursor, 'a value');
  cursor.at += literal.length;
  return wholePattern.test(literal) ? Number(literal) : Number.NaN;
}

function readWord<Value>(cursor: Cursor, word: string, value: Value): Value {
  if (!cursor.text.startsWith(word, cursor.at)) throw invalid(cursor, 'a value');
  cursor.at += word.length;
  return value;
}

function takes(cursor: Cursor, character: string): boolean {
  skipSpace(cursor);
  if (cursor.text[cursor.at] !== character) return false;
  cursor.at++;
  return true;
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const code = cursor.text.charCodeAt(cursor.at);
    if (code !== space && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    cursor.at++;
  }
}

function invalid({ text, at }: Cursor, expected: string): SafetensorsError {
  const got = at < text.length ? JSON.stringify(text.slice(at, at + 12)) : 'the end';
  return new SafetensorsError(
    'INVALID_HEADER_JSON',
    `the header has ${got} at character ${at}, expected ${expected}`,
  );
}
