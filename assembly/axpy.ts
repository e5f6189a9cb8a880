import { lanes, madd } from './simd';

/** y += a·x for n numbers. */
function multiplyAdd<T>(y: usize, x: usize, a: T, n: i32): void {
  const factor = v128.splat<T>(a);
  const whole = n - (n % lanes<T>());
  for (const end = y + whole * sizeof<T>(); y < end; y += 16, x += 16) {
    v128.store(y, madd<T>(factor, v128.load(x), v128.load(y)));
  }
  for (let i = whole; i < n; i++, y += sizeof<T>(), x += sizeof<T>()) {
    store<T>(y, load<T>(y) + a * load<T>(x));
  }
}

export function multiplyAdd32(y: usize, x: usize, a: f32, n: i32): void {
  multiplyAdd<f32>(y, x, a, n);
}

export function multiplyAdd64(y: usize, x: usize, a: f64, n: i32): void {
  multiplyAdd<f64>(y, x, a, n);
}
