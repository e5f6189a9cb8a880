/**
 * What assembly/index.ts exports. Addresses are byte offsets, lengths count numbers; 32 and 64 in a name are the
 * bits of a number. Nothing is checked on the other side.
 */
export interface KernelExports {
  multiplyAdd32(y: number, x: number, a: number, n: number): void;
  multiplyAdd64(y: number, x: number, a: number, n: number): void;
}
