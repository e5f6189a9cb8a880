import type { Store } from './Store.ts';

/**
 * Keeps nothing: what a coordinator has that was given no store. Nobody else could read what it would write there, so
 * it is not even asked to.
 */
export const noStore: Store = Object.freeze({
  get: () => undefined,
  keys: () => [],
  batch() {},
  close() {},
});
