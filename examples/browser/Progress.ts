/** What the server tells pages. */
export interface ProgressReport {
  /** Tabs that are connected. */
  readonly tabs: number;
  readonly version: number;
  /** Part of the held-out digits that main recognises, 0 to 1. */
  readonly accuracy: number;
  /** Versions and accuracies, the oldest first. */
  readonly history: readonly (readonly [version: number, accuracy: number])[];
}

const pointsMax = 240;

/** Main's accuracy over its versions, in so few points that they can be sent and drawn whole. */
export class Progress {
  #history: [version: number, accuracy: number][] = [];
  /** Versions between two points: doubles whenever there are too many. */
  #interval = 1;

  get latest(): readonly [version: number, accuracy: number] | undefined {
    return this.#history.at(-1);
  }

  add(version: number, accuracy: number): void {
    const before = this.#history.at(-2);
    // The latest is always there; it stays where it is far enough from the one before.
    if (before !== undefined && this.latest![0] - before[0] < this.#interval) this.#history.pop();
    this.#history.push([version, accuracy]);
    if (this.#history.length <= pointsMax) return;
    this.#interval *= 2;
    const last = this.#history.length - 1;
    this.#history = this.#history.filter((_, index) => index % 2 === 0 || index === last);
  }

  report(tabs: number): ProgressReport {
    const [version, accuracy] = this.latest ?? [0, 0];
    return { tabs, version, accuracy, history: this.#history };
  }
}
