import { expect, it } from 'vitest';
import { fuzzSafetensors } from './fuzz.ts';

it('50,000 mutated headers are read or refused with an error of mainstem', async () => {
  const outcome = await fuzzSafetensors(50_000, 1);
  // Every check was reached; a mutation that never gets past the first would prove nothing.
  const reached = [...outcome.keys()];
  for (const problem of [
    'HEADER_TOO_SMALL',
    'HEADER_TOO_LARGE',
    'INVALID_HEADER_LENGTH',
    'INVALID_HEADER_UTF8',
    'INVALID_HEADER_START',
    'INVALID_HEADER_JSON',
    'DUPLICATE_KEY',
    'INVALID_METADATA',
    'UNKNOWN_DTYPE',
    'TENSOR_INVALID_INFO',
    'INVALID_OFFSET',
    'MISALIGNED_SLICE',
    'METADATA_INCOMPLETE_BUFFER',
  ]) {
    expect(reached).toContain(`SAFETENSORS_${problem}`);
  }
  expect(outcome.get('valid and read')).toBeGreaterThan(100);
}, 60_000);
