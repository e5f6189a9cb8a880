/** Sums of one kind. `merge` returns the sum of both, or throws where they do not add. */
export interface Mergeable<T> {
  merge(other: T): T;
}

/** The latest sums of each child. */
export class KeptReports<T extends Mergeable<T>> {
  readonly #reports = new Map<string, T>();
  /** The sum of all, as long as children only come; undefined where it has to be worked out again. */
  #total: T | undefined;

  get size(): number {
    return this.#reports.size;
  }

  has(childId: string): boolean {
    return this.#reports.has(childId);
  }

  /**
   * Keeps a report in place of the child's earlier one. Throws, and then nothing has changed, where it does not add to
   * those of others: its sender hears of it. Costs one merge, however many children there are.
   */
  set(childId: string, report: T): void {
    const isNew = !this.#reports.has(childId);
    const total = isNew ? this.#total : undefined;
    const sum = (total ?? this.#anyOther(childId))?.merge(report) ?? report;
    this.#total = total !== undefined || this.#reports.size === 0 ? sum : undefined;
    this.#reports.set(childId, report);
  }

  delete(childId: string): void {
    if (this.#reports.delete(childId)) this.#total = undefined;
  }

  clear(): void {
    this.#reports.clear();
    this.#total = undefined;
  }

  /**
   * All of them added up by id, so that the order of arrival does not matter, not by one bit; one that does not add to
   * those before it is left out. Undefined for none.
   */
  combine(): { children: string[]; sum: T } | undefined {
    const children: string[] = [];
    let sum: T | undefined;
    for (const [id, report] of [...this.#reports].sort(([a], [b]) => (a < b ? -1 : 1))) {
      try {
        sum = sum === undefined ? report : sum.merge(report);
        children.push(id);
      } catch {
        // Each added to another, and all together are too much: nobody shall lose the rest for it.
      }
    }
    if (sum === undefined) return undefined;
    this.#total = children.length === this.#reports.size ? sum : undefined;
    return { children, sum };
  }

  #anyOther(childId: string): T | undefined {
    for (const [id, report] of this.#reports) if (id !== childId) return report;
    return undefined;
  }
}
