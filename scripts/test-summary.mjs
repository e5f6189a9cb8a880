// The one line that sums up a test run, from vitest's JSON report: `tests: 12 passed, 0 failed, 1 skipped`.
//   node scripts/test-summary.mjs report.json
import { readFileSync } from 'node:fs';

let report;
try {
  report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
} catch {
  // No report: the run broke off before its end. Nothing passed that we know of.
  console.log('tests: 0 passed, 0 failed');
  process.exit(1);
}

// A file that cannot be loaded has no tests that fail, and must still be seen.
const brokenFiles = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
).length;
const failed = report.numFailedTests + brokenFiles;
const skipped = report.numPendingTests + report.numTodoTests;
console.log(
  `tests: ${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
);
process.exitCode = failed > 0 || report.numPassedTests === 0 ? 1 : 0;
