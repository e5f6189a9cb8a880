// A million mutated safetensors headers; the tests run a part of it. `npm run fuzz:safetensors -- <count> <seed>`.
import { fuzzSafetensors } from './fuzz.ts';

const [count = '1000000', seed = '2'] = process.argv.slice(2);
const start = performance.now();
const outcome = await fuzzSafetensors(Number(count), Number(seed));
console.table(Object.fromEntries([...outcome].sort(([, a], [, b]) => b - a)));
console.log(`${count} files, seed ${seed}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
