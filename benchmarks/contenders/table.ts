// A row of a table of peers: our time, theirs, how many times ours that is, and whether it is as many as we want.
import type { Contender, Effort, Table } from '../harness.ts';
import { cpuMs, format, median, sample } from '../harness.ts';

/** How many times as long as ours the fastest of some peers should take, at least. */
export interface Bar {
  readonly atLeast: number;
  /** What the bar is called: `NumPy`. */
  readonly of: string;
  /** Names of contenders. The fastest of them counts. */
  readonly peers: readonly string[];
}

/** Work that we and some peers do. */
export interface Work {
  readonly name: string;
  readonly ours: Contender;
  readonly peers: readonly Contender[];
  readonly bars: readonly Bar[];
}

/** What the measuring of a work gave. */
interface Row {
  readonly work: Work;
  readonly ms: number;
  readonly peers: ReadonlyMap<string, { readonly ms: number; readonly ratio: number }>;
}

/** Measures a work in CPU time per unit. */
export async function measureWork(work: Work, effort: Effort): Promise<Row> {
  const [ours, ...theirs] = await sample([work.ours, ...work.peers], effort, cpuMs);
  const peers = work.peers.map(({ name }, index): [string, { ms: number; ratio: number }] => {
    const ratios = theirs[index]!.map((ms, repetition) => ms / ours![repetition]!);
    return [name, { ms: median(theirs[index]!), ratio: median(ratios) }];
  });
  return { work, ms: median(ours!), peers: new Map(peers) };
}

/** The table of measured works: a column for each peer that took part in any of them. */
export function tableOfPeers(title: string, note: string, rows: readonly Row[]): Table {
  const names = [...new Set(rows.flatMap(({ peers }) => [...peers.keys()]))];
  return {
    title,
    note,
    columns: ['work', 'mainstem', ...names, 'bar'],
    rows: rows.map(({ work, ms, peers }) => [
      work.name,
      formatMs(ms),
      ...names.map((name) => {
        const peer = peers.get(name);
        return peer === undefined ? '' : `${formatMs(peer.ms)} (${format(peer.ratio)}×)`;
      }),
      work.bars.map((bar) => verdict(bar, peers)).join('<br>'),
    ]),
  };
}

function verdict({ atLeast, of, peers: names }: Bar, peers: Row['peers']): string {
  const ratios = names.map((name) => peers.get(name)?.ratio).filter((ratio) => ratio !== undefined);
  const bar = `≥ ${atLeast}× ${of}`;
  if (ratios.length === 0) return `${bar}: not measured`;
  const ratio = Math.min(...ratios);
  return `${bar}: ${format(ratio)} ${ratio >= atLeast ? '✓' : '✗'}`;
}

/** A time with three digits and the unit that suits it. */
export function formatMs(ms: number): string {
  if (ms >= 1) return `${format(ms)} ms`;
  if (ms >= 1e-3) return `${format(ms * 1e3)} µs`;
  return `${format(ms * 1e6)} ns`;
}
