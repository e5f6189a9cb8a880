import { InvalidOptionError } from '../errors.ts';
import { tensorPatternsMax } from '../limits.ts';
import { show } from '../show.ts';
import type { ParameterLayout, TensorSlot } from './ParameterLayout.ts';

/** A range of the flat array: from `start` to before `end`, in values. */
export type ValueRange = readonly [start: number, end: number];

/**
 * Checks a list of patterns without a layout: names of tensors, or beginnings of names followed by one `*`, which
 * stands for any characters: `['layers.0.weights', 'layers.1.*']`. `what` names the list in messages. Throws
 * InvalidOptionError.
 */
export function checkTensorPatterns(patterns: unknown, what: string): readonly string[] {
  if (!Array.isArray(patterns) || !patterns.every(isPattern)) {
    throw new InvalidOptionError(
      `${what} are ${show(patterns)}, expected a list of names of tensors, or beginnings of names followed by *`,
    );
  }
  if (patterns.length > tensorPatternsMax) {
    throw new InvalidOptionError(
      `${what} has ${patterns.length} entries, at most ${tensorPatternsMax} are allowed`,
    );
  }
  return patterns as readonly string[];
}

function isPattern(pattern: unknown): boolean {
  if (typeof pattern !== 'string' || pattern === '') return false;
  const star = pattern.indexOf('*');
  return star < 0 || star === pattern.length - 1;
}

/**
 * The tensors of a layout that at least one pattern names, each once, in the order of the layout. Throws
 * InvalidOptionError for an illegal pattern, and for one that names no tensor: a misspelt one must not be ignored.
 */
export function matchTensors(
  layout: ParameterLayout,
  patterns: readonly string[],
  what = 'tensor patterns',
): TensorSlot[] {
  const checked = checkTensorPatterns(patterns, what);
  const unused = checked.find((pattern) => !layout.tensors.some(({ name }) => matches(name, pattern)));
  if (unused !== undefined) {
    const names = show(layout.tensors.map(({ name }) => name));
    throw new InvalidOptionError(`${what} has ${show(unused)}, which names no tensor; there are ${names}`);
  }
  return layout.tensors.filter(({ name }) => checked.some((pattern) => matches(name, pattern)));
}

/** The ranges of the flat array outside these tensors, in order; what touches is one range, none is empty. */
export function rangesOutside(layout: ParameterLayout, slots: readonly TensorSlot[]): ValueRange[] {
  const left: ValueRange[] = [];
  let start = 0;
  const sorted = [...slots].sort((a, b) => a.offset - b.offset);
  for (const { offset, size } of sorted) {
    if (offset > start) left.push([start, offset]);
    start = Math.max(start, offset + size);
  }
  if (start < layout.length) left.push([start, layout.length]);
  return left;
}

function matches(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
