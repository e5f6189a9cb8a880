import { ContractViolationError, toError } from '../errors.ts';

/** One promise of a contract. Any test runner can run it: `test(case.name, case.run)`. */
export interface ContractCase {
  readonly name: string;
  /** Why it does not apply to this implementation; it is not run then. */
  readonly skip?: string;
  /** Throws a ContractViolationError, or whatever the implementation threw, where the promise is not kept. */
  run(): void | Promise<void>;
}

/**
 * Runs cases without a test runner and returns how many were kept. Throws a ContractViolationError that lists all
 * that were not.
 */
export async function runContract(cases: readonly ContractCase[]): Promise<number> {
  const broken: string[] = [];
  let kept = 0;
  for (const { name, skip, run } of cases) {
    if (skip !== undefined) continue;
    try {
      await run();
      kept++;
    } catch (thrown) {
      broken.push(`- ${name}: ${toError(thrown).message}`);
    }
  }
  if (broken.length > 0)
    throw new ContractViolationError(
      `${broken.length} ${broken.length === 1 ? 'promise is' : 'promises are'} not kept:\n${broken.join('\n')}`,
    );
  return kept;
}

/** Throws a ContractViolationError unless the condition holds. */
export function ensure(condition: boolean, otherwise: string): void {
  if (!condition) throw new ContractViolationError(otherwise);
}

/** Throws a ContractViolationError unless the call throws or rejects. */
export async function ensureFails(call: () => unknown, otherwise: string): Promise<void> {
  try {
    await call();
  } catch {
    return;
  }
  throw new ContractViolationError(otherwise);
}

/** Throws a ContractViolationError unless both have the same numbers, to `tolerance` relative to the larger one. */
export function ensureSame(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  tolerance = 0,
): void {
  ensure(got.length === expected.length, `${what}: got ${got.length} values, expected ${expected.length}`);
  for (let i = 0; i < got.length; i++) {
    const a = got[i] as number;
    const b = expected[i] as number;
    const isSame = Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
    ensure(isSame, `${what}: value ${i} is ${a}, expected ${b}`);
  }
}
