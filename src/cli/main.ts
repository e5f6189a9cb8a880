#!/usr/bin/env node
import { systemClock } from 'mainstem';
import { run } from './run.ts';

const interruption = new AbortController();
// Once: who presses Ctrl-C again gets the platform's own, immediate end.
process.once('SIGINT', () => interruption.abort());
process.once('SIGTERM', () => interruption.abort());
// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

void run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  signal: interruption.signal,
}).then((status) => {
  process.exitCode = status;
});
