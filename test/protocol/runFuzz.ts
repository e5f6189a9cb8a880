// Mutated frames, brought to a coordinator: `npm run fuzz:frames -- --frames 10000000 --seed 2`. The tests run 50,000.
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzzFrames } from './fuzz/fuzzFrames.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapMegabytes = (): number => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
};

// Hundreds of thousands of errors are made, and none of their stacks is read.
Error.stackTraceLimit = 0;

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '2' },
  },
});
const frames = Number(values.frames);
const start = performance.now();
let firstMegabytes = 0;
let nextReport = frames / 10;
const counts = await fuzzFrames({
  frames,
  seed: Number(values.seed),
  progress(done) {
    if (done < nextReport) return;
    nextReport += frames / 10;
    const megabytes = heapMegabytes();
    if (firstMegabytes === 0) firstMegabytes = megabytes;
    console.log(`${done} frames, ${megabytes.toFixed(1)} MB in use`);
    // What is kept does not grow with what comes.
    if (megabytes > firstMegabytes + 32)
      throw new Error(`${megabytes} MB are in use, ${firstMegabytes} at a tenth of the way`);
  },
});
const seconds = (performance.now() - start) / 1000;
console.table(Object.fromEntries([...counts].sort(([, a], [, b]) => b - a)));
console.log(
  `${frames} frames, seed ${values.seed}: ${seconds.toFixed(1)} s, ${(frames / seconds).toFixed(0)} a second`,
);
