/** A value that JSON can carry. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** What parameters mean, as plain JSON: `{ model: 'NeuralNetwork', activations: […], loss: … }`. */
export type Architecture = { readonly [key: string]: JsonValue };

/** Says in words where two architectures differ, or returns undefined where they do not. */
export function describeArchitectureDifference(
  got: Architecture,
  expected: Architecture,
): string | undefined {
  const keys = new Set([...Object.keys(expected), ...Object.keys(got)]);
  for (const key of keys) {
    const mine = textOf(got, key);
    const theirs = textOf(expected, key);
    if (mine !== theirs && key === 'preprocessing' && theirs === undefined)
      return `preprocessing is ${clip(mine ?? 'absent')}, expected none; give the model the option preprocessing`;
    if (mine !== theirs)
      return `${clip(key)} is ${clip(mine ?? 'absent')}, expected ${clip(theirs ?? 'none')}`;
  }
  return undefined;
}

/** An own property alone: every object has a `__proto__` that is none of its keys. */
function textOf(architecture: Architecture, key: string): string | undefined {
  const value = Object.hasOwn(architecture, key) ? architecture[key] : undefined;
  return value === undefined ? undefined : canonicalJson(value);
}

/** JSON without white space whose keys are sorted by code unit: equal values give equal text. */
export function canonicalJson(value: JsonValue): string {
  return JSON.stringify(value, (_key, inner: JsonValue) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Text of a stranger, short enough for a message. */
function clip(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
