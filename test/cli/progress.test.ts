import { describe, expect, it } from 'vitest';
import type { StageInfo } from '../../src/cli/progress.ts';
import { createProgress } from '../../src/cli/progress.ts';
import type { Result } from '../../src/cli/setting.ts';
import { Sink } from './streams.ts';

const info: StageInfo = { split: 'even', way: 'parameters', total: 4, unit: 'rounds' };
const result: Result = { name: 'parameters', accuracy: 0.969, rounds: 4, epochs: 8, bytes: 9, seconds: 1.25 };
const esc = String.fromCharCode(27);

describe('createProgress', () => {
  it('writes one plain line for each part where the stream is no terminal', async () => {
    const stream = new Sink();
    const progress = createProgress(stream);
    const returned = await progress.run(info, async (stage) => {
      stage.advance(1, 0.5);
      expect(stream.text).toBe('');
      return result;
    });
    expect(returned).toBe(result);
    expect(stream.text).toBe('even    parameters coordinator  96.9 %  4 rounds, 1.3 s\n');
  });

  it('draws a bar in a terminal, which ends full and gives the cursor back', async () => {
    const stream = new Sink(true);
    await createProgress(stream).run(info, async (stage) => {
      stage.advance(1, 0.5);
      return result;
    });
    expect(stream.text).toContain('even    parameters coordinator');
    expect(stream.text).toContain('░');
    expect(stream.text).toContain('4/4');
    expect(stream.text).toContain('96.9 %');
    expect(stream.text.lastIndexOf(`${esc}[?25h`)).toBeGreaterThan(stream.text.lastIndexOf(`${esc}[?25l`));
  });

  it('gives the cursor back where the work fails', async () => {
    const stream = new Sink(true);
    const running = createProgress(stream).run(info, async () => {
      throw new Error('stopped');
    });
    await expect(running).rejects.toThrow('stopped');
    expect(stream.text).toContain(`${esc}[?25h`);
  });
});
