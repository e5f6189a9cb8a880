/** Sums of one kind. `merge` returns the sum of both, or throws where they do not add. */
export interface Mergeable<T> {
  merge(other: T): T;
}

/** The latest sums of each child. */
export class KeptReports<T extends Mergeable<T>> {
  readonly #reports = new Map<string, T>();
  /** The sum of all: what a new one must add to. Undefined where it has to be worked out again. */
  #total: T | undefined;

  get size(): number {
    return this.#reports.size;
  }

  has(childId: string): boolean {
    return this.#reports.has(childId);
  }

  /**
   * Keeps a report in place of the child's earlier one. Throws, and then nothing has changed, where it does not add to
   * those of all others: its sender must hear of it, and not whoever asks for the sum.
   */
  set(childId: string, report: T): void {
    const others = this.#totalWithout(childId);
    const total = others === undefined ? report : others.merge(report);
    this.#reports.set(childId, report);
    this.#total = total;
  }

  delete(childId: string): void {
    if (this.#reports.delete(childId)) this.#total = undefined;
  }

  clear(): void {
    this.#reports.clear();
    this.#total = undefined;
  }

  /** All of them added up by id, so that the order of arrival does not matter, not by one bit. Undefined for none. */
  combine(): { children: string[]; sum: T } | undefined {
    const sorted = [...this.#reports].sort(([a], [b]) => (a < b ? -1 : 1));
    const sum = addUp(sorted.map(([, report]) => report));
    return sum === undefined ? undefined : { children: sorted.map(([id]) => id), sum };
  }

  #totalWithout(childId: string): T | undefined {
    if (this.#total !== undefined && !this.#reports.has(childId)) return this.#total;
    return addUp([...this.#reports].filter(([id]) => id !== childId).map(([, report]) => report));
  }
}

function addUp<T extends Mergeable<T>>(reports: readonly T[]): T | undefined {
  const [first, ...others] = reports;
  return first === undefined ? undefined : others.reduce((sum, report) => sum.merge(report), first);
}
