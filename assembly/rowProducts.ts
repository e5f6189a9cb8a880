// The product of one row with a matrix, which is what a prediction of one row is. B is read once, in stretches of four
// vectors: whole cache lines, and sums enough that they do not wait for each other. Eight were slower: V8 loads all that a
// loop needs before it adds, and runs out of registers. A sum runs in the order of k, as in products.ts.
import { lanes, loadSplat, madd } from './simd';

function rowTile4<T>(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, start: usize): void {
  let c0 = v128.load(start);
  let c1 = v128.load(start, 16);
  let c2 = v128.load(start, 32);
  let c3 = v128.load(start, 48);
  for (let p = 0; p < k; p++) {
    const x = loadSplat<T>(a);
    c0 = madd<T>(x, v128.load(b), c0);
    c1 = madd<T>(x, v128.load(b, 16), c1);
    c2 = madd<T>(x, v128.load(b, 32), c2);
    c3 = madd<T>(x, v128.load(b, 48), c3);
    a += aStep;
    b += bStep;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
}

function rowTile3<T>(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, start: usize): void {
  let c0 = v128.load(start);
  let c1 = v128.load(start, 16);
  let c2 = v128.load(start, 32);
  for (let p = 0; p < k; p++) {
    const x = loadSplat<T>(a);
    c0 = madd<T>(x, v128.load(b), c0);
    c1 = madd<T>(x, v128.load(b, 16), c1);
    c2 = madd<T>(x, v128.load(b, 32), c2);
    a += aStep;
    b += bStep;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
}

function rowTile2<T>(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, start: usize): void {
  let c0 = v128.load(start);
  let c1 = v128.load(start, 16);
  for (let p = 0; p < k; p++) {
    const x = loadSplat<T>(a);
    c0 = madd<T>(x, v128.load(b), c0);
    c1 = madd<T>(x, v128.load(b, 16), c1);
    a += aStep;
    b += bStep;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
}

function rowTile1<T>(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, start: usize): void {
  let c0 = v128.load(start);
  for (let p = 0; p < k; p++) {
    const x = loadSplat<T>(a);
    c0 = madd<T>(x, v128.load(b), c0);
    a += aStep;
    b += bStep;
  }
  v128.store(c, c0);
}

/** c = start + a·B for one row of A: its k numbers are aStep apart; n is a multiple of the lanes. Strides are in bytes. */
export function rowProduct<T>(
  n: i32,
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  start: usize,
): void {
  let vectors = n / lanes<T>();
  while (vectors > 0) {
    let width = 1;
    if (vectors >= 4) {
      width = 4;
      rowTile4<T>(k, a, aStep, b, bStep, c, start);
    } else if (vectors === 3) {
      width = 3;
      rowTile3<T>(k, a, aStep, b, bStep, c, start);
    } else if (vectors === 2) {
      width = 2;
      rowTile2<T>(k, a, aStep, b, bStep, c, start);
    } else {
      rowTile1<T>(k, a, aStep, b, bStep, c, start);
    }
    const bytes = (<usize>width) << 4;
    b += bytes;
    c += bytes;
    start += bytes;
    vectors -= width;
  }
}
