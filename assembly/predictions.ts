// What a prediction asks of the kernels: rows that are checked and taken through the network in one call.
import { forward, Network } from './network';
import { lanes } from './simd';

/** Whether all numbers are finite. `length` is a multiple of the lanes. */
export function areFinite<T>(at: usize, length: i32): bool {
  // x·0 is 0, or NaN where x is not finite. Two sums, so that not each addition waits for the one before.
  const zero = v128.splat<T>(0);
  let sum = zero;
  let other = zero;
  let i = 0;
  for (; i + 2 * lanes<T>() <= length; i += 2 * lanes<T>()) {
    sum = v128.add<T>(sum, v128.mul<T>(v128.load(at), zero));
    other = v128.add<T>(other, v128.mul<T>(v128.load(at, 16), zero));
    at += 32;
  }
  if (i < length) sum = v128.add<T>(sum, v128.mul<T>(v128.load(at), zero));
  sum = v128.add<T>(sum, other);
  return !v128.any_true(v128.ne<T>(sum, sum));
}

/** Whether rows of features are finite; zeros fill the last vector up. */
export function areRowsFinite<T>(network: Network, features: usize, rows: i32): bool {
  const numbers = rows * network.featureStride;
  return areFinite<T>(features, (numbers + lanes<T>() - 1) & -lanes<T>());
}

/** The activations of all layers for rows of features; false, and nothing done, where a feature is not finite. */
export function predict<T>(network: Network, features: usize, rows: i32): bool {
  if (!areRowsFinite<T>(network, features, rows)) return false;
  forward<T>(network, features, rows, true);
  return true;
}
