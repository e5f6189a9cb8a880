import { type Random, seededRandom } from 'mainstem';
import { packMessage, unpackMessage } from '../../../src/protocol/codec.ts';
import { conversations } from './conversations.ts';
import { type Bytes, type Draft, writeDraft } from './drafts.ts';
import { type Counts, FuzzTarget, type Line } from './FuzzTarget.ts';
import { below, mutateBytes, mutateDraft, mutateOrder, pick } from './mutations.ts';

const helloKind = 16;
const linesMax = 4;

/** Options of a run. */
export interface FuzzOptions {
  /** Frames to bring, at least. */
  readonly frames: number;
  readonly seed: number;
  /** Called now and then with the frames so far. */
  progress?(frames: number): void;
}

/**
 * Brings mutated frames, in conversations that may go on for a while, to a coordinator. Throws at the first that ends
 * in anything but acceptance or a typed error, or that changes main without being a whole legal update; the message
 * names the seed and the frames.
 */
export async function fuzzFrames({ frames, seed, progress }: FuzzOptions): Promise<Counts> {
  const random = seededRandom(seed);
  const sources = await conversations();
  const target = new FuzzTarget();
  const lines: Line[] = [];
  let done = 0;
  for (let run = 0; done < frames; run++) {
    const line = takeLine(lines, random) ?? target.open();
    const said = mutated(sources, target, random, line.next);
    try {
      for (const bytes of said) {
        // What comes after the end is nobody's.
        if (line.isClosed) break;
        line.bring(bytes);
        done++;
      }
    } catch (cause) {
      const hex = said.map((bytes) => Buffer.from(bytes).toString('hex'));
      throw new Error(`seed ${seed}, run ${run}: ${hex.join(' ')}`, { cause });
    }
    await rest(target, run, random);
    if (line.isClosed || random.next() < 0.6) line.end();
    else lines.push(line);
    if (lines.length > linesMax) lines.shift()?.end();
    if (run % 20_000 === 0) progress?.(done);
  }
  for (const line of lines) line.end();
  await turn();
  target.checkMain();
  return target.counts;
}

/** One that is open, now and then: its conversations go on. */
function takeLine(lines: Line[], random: Random): Line | undefined {
  if (lines.length === 0 || random.next() < 0.6) return undefined;
  return lines.splice(below(random, lines.length), 1)[0];
}

/** What waits has its turn, and main is looked at. */
async function rest(target: FuzzTarget, run: number, random: Random): Promise<void> {
  await Promise.resolve();
  if (run % 64 !== 0) return;
  // Rejections that nobody handles are raised between turns.
  await turn();
  target.checkMain();
  target.pass(below(random, 40_000));
  if (run % 1_024 === 0) target.resetMain();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function mutated(
  sources: readonly (readonly Draft[])[],
  target: FuzzTarget,
  random: Random,
  first: number,
): Bytes[] {
  let drafts = pick(random, sources).map((draft) => ({ ...draft }));
  while (random.next() < 0.4) drafts = mutateOrder(drafts, sources, random);
  for (const draft of drafts) if (draft.kind === helloKind && random.next() < 0.3) comeBack(draft, target);
  while (random.next() < 0.5 && drafts.length > 0) mutateDraft(pick(random, drafts), random);
  let next = first;
  return drafts.map((draft) => {
    const bytes = writeDraft(draft, next++);
    return random.next() < 0.06 ? mutateBytes(bytes, random) : bytes;
  });
}

/** The hello of a child that was welcomed before. */
function comeBack(draft: Draft, { instance, epoch }: FuzzTarget): void {
  try {
    const hello = unpackMessage(draft.kind, draft.metadata, draft.payload);
    if (hello?.type === 'hello') draft.metadata = packMessage({ ...hello, instance, epoch }).metadata;
  } catch {
    // It has been mutated already.
  }
}
