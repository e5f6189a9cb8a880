// Four processes train on a quarter of the digits each, over WebSockets; one is killed and started anew.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DistributedModelParametersCoordinator } from 'mainstem';
import { WebSocketServerTransport } from 'mainstem/websocket';
import { createModel, testRows } from './digits.ts';

const shards = 4;
const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: shards });
coordinator.setMainModelParameters(createModel().getModelParameters());
const server = new WebSocketServerTransport({ port: 0, tokens: 'an open secret' });
await coordinator.listen(server);
const url = `ws://127.0.0.1:${server.address!.port}/`;

const start = (shard: number): ChildProcess =>
  spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('child.ts', import.meta.url)), url, `${shard}`, `${shards}`],
    { stdio: 'inherit' },
  );
const processes = Array.from({ length: shards }, (_, shard) => start(shard));

/** Resolves when main has this version. */
function version(wanted: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = coordinator.on('mainUpdated', ({ version: current }) => {
      if (current < wanted) return;
      stop();
      resolve();
    });
  });
}

const model = createModel();
function report(what: string): number {
  model.setModelParameters(coordinator.getMainModelParameters());
  const accuracy = model.score(testRows.features, testRows.labels);
  console.log(`${what}: version ${coordinator.version}, accuracy ${(100 * accuracy).toFixed(1)} %`);
  return accuracy;
}

report('before');
await version(10);
report('four children');
processes[0]!.kill('SIGKILL');
await version(coordinator.version + 5);
report('one of them killed');
processes[0] = start(0);
await new Promise<void>((resolve) => {
  coordinator.on('updateReceived', ({ childId }) => {
    if (childId === 'shard-0') resolve();
  });
});
await version(coordinator.version + 10);
const accuracy = report('and back');
await coordinator.close();
for (const one of processes) {
  if (one.exitCode === null) await new Promise((resolve) => one.once('exit', resolve));
}
assert.ok(accuracy > 0.94, 'main recognises the digits');
console.log('all children have gone home');
