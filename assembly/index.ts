// What the compiled module exports. Addresses and lengths are 32-bit; lengths count numbers, not bytes.
export { multiplyAdd32, multiplyAdd64 } from './axpy';
