import { readArguments, UsageError } from './arguments.ts';
import { runDemo } from './demo.ts';
import { inspectFile } from './inspect.ts';
import { inspectText } from './inspectReport.ts';
import { join } from './join.ts';
import { demoPlan } from './plan.ts';
import { createProgress } from './progress.ts';
import { replayFile } from './replay.ts';
import { replayText } from './replayReport.ts';
import { reportJson, reportText, styleFor } from './report.ts';
import { serve } from './serve.ts';
import type { Surroundings } from './surroundings.ts';
import { packageVersion, usages } from './usage.ts';

/** Exit statuses, as shells know them. */
export const exitStatus = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Runs a command line, without node and the script; resolves with the exit status and never rejects. */
export async function run(words: readonly string[], around: Surroundings): Promise<number> {
  try {
    await runCommand(words, around);
    return exitStatus.done;
  } catch (thrown) {
    if (around.signal.aborted) {
      around.stderr.write('interrupted\n');
      return exitStatus.interrupted;
    }
    if (thrown instanceof UsageError) {
      around.stderr.write(`${thrown.command}: ${thrown.message}\nTry: ${thrown.command} --help\n`);
      return exitStatus.usage;
    }
    around.stderr.write(`mainstem: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return exitStatus.failed;
  }
}

async function runCommand(words: readonly string[], around: Surroundings): Promise<void> {
  const { stdout, stderr, clock, signal, plan = demoPlan } = around;
  const request = readArguments(words);
  switch (request.kind) {
    case 'help':
      stdout.write(usages[request.of]);
      return;
    case 'version':
      stdout.write(`${packageVersion()}\n`);
      return;
    case 'inspect': {
      const report = await inspectFile(request.file, signal);
      stdout.write(request.json ? reportJson(report) : inspectText(report, styleFor(stdout), stdout.columns));
      return;
    }
    case 'serve':
      await serve(request, around);
      return;
    case 'join':
      await join(request, around);
      return;
    case 'replay': {
      const { json, ...wanted } = request;
      const report = await replayFile(wanted, signal);
      stdout.write(json ? reportJson(report) : replayText(report, styleFor(stdout)));
      return;
    }
    case 'demo': {
      const { json, ...wanted } = request;
      const report = await runDemo({ ...wanted, plan, clock, progress: createProgress(stderr), signal });
      stdout.write(json ? reportJson(report) : `\n${reportText(report, styleFor(stdout))}`);
      return;
    }
  }
}
