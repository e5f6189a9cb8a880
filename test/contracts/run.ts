import { describe, test } from 'vitest';
import type { ContractCase } from '../../src/testing/contract.ts';

/** Makes a test of each case. A skipped one says why in its name. */
export function describeContract(name: string, cases: readonly ContractCase[]): void {
  describe(name, () => {
    for (const { name: promise, skip, run } of cases) {
      if (skip === undefined) test(promise, async () => run());
      else test.skip(`${promise} (${skip})`, () => {});
    }
  });
}
