import type { MergeChild, MergeContext, Merger } from 'mainstem';

/** What one merge remembers: a copy of every child's values. */
interface MedianState {
  readonly length: number;
  readonly children: number[][];
}

/** A merger of our own: the median of each number. A minority of children cannot pull it away. */
export class Median implements Merger<MedianState> {
  readonly needs = { minimumChildren: 1, sampleCounts: false };

  begin({ layout }: MergeContext): MedianState {
    return { length: layout.length, children: [] };
  }

  add(state: MedianState, { parameters }: MergeChild): void {
    state.children.push(Array.from(parameters.values));
  }

  finish({ length, children }: MedianState): Float64Array<ArrayBuffer> {
    return Float64Array.from({ length }, (_, index) => {
      const sorted = children.map((values) => values[index]!).sort((a, b) => a - b);
      const half = Math.floor(sorted.length / 2);
      const upper = sorted[half]!;
      return sorted.length % 2 === 1 ? upper : (sorted[half - 1]! + upper) / 2;
    });
  }
}
