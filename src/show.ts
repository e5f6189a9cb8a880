/** A value as text for a message, at most 80 characters; never throws. Numbers that JSON lacks keep their names. */
export function show(value: unknown): string {
  return describe(value).slice(0, 80);
}

function describe(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) return String(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  try {
    return (
      JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ??
      'nothing'
    );
  } catch {
    return 'an object';
  }
}
