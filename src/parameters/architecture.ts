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
    const mine = JSON.stringify(got[key]);
    const theirs = JSON.stringify(expected[key]);
    if (mine !== theirs) return `${key} is ${mine ?? 'absent'}, expected ${theirs ?? 'none'}`;
  }
  return undefined;
}
