import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { ChildProcess } from '../../src/cli/childProcess.ts';
import { demoPlan } from '../../src/cli/plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'mainstem-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A process that does this when it gets its request, and has to be told to end. */
function start(onRequest: string): ChildProcess {
  const path = join(folder, `${onRequest.length}.mjs`);
  writeFileSync(path, `process.on('message', (request) => { ${onRequest} }); setInterval(() => {}, 1_000);`);
  const task = { seed: 1, children: 4, plan: demoPlan, indices: [1, 3] };
  return new ChildProcess(pathToFileURL(path), { url: 'ws://127.0.0.1:1/', token: 'secret', task });
}

test('what it answers is the result, and stopping ends it', async () => {
  const child = start(
    'process.send({ outcomes: [{ bytes: request.task.indices[1], hasDiverged: !process.argv.includes(request.token) }] })',
  );
  expect(await child.result).toEqual([{ bytes: 3, hasDiverged: true }]);
  await child.stop();
  await child.stop();
});

test('an error that it names is passed on', async () => {
  const child = start("process.send({ error: 'learningRate is -1' })");
  await expect(child.result).rejects.toThrow(/^the process of children 1, 3 failed: learningRate is -1$/);
  await child.stop();
});

test('an end without an answer is said with what it has printed', async () => {
  const child = start("console.error('out of luck'); process.exit(3)");
  await expect(child.result).rejects.toThrow(
    /^the process of children 1, 3 has ended before its work was done \(exit code 3\)\nout of luck$/,
  );
  await child.stop();
});

test('a process that is killed from outside is no result', async () => {
  const child = start("process.kill(process.pid, 'SIGKILL')");
  await expect(child.result).rejects.toThrow(/has ended before its work was done \(SIGKILL\)$/);
  await child.stop();
});

test('stopping needs no answer', async () => {
  const child = start('');
  await child.stop();
  await expect(child.result).rejects.toThrow('SIGKILL');
});
