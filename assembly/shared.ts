// What the module for shared memory exports: a thread's share of a pass, for floats (32) and doubles (64).
import { Member, runPass } from './threads';

export function runPass32(member: Member): void {
  runPass<f32>(member);
}

export function runPass64(member: Member): void {
  runPass<f64>(member);
}

/** The first address that the code itself does not use. */
export function heapBase(): usize {
  return __heap_base;
}
