/** An update, as the shadow sees it: the first value of each is a number that no other has. */
export interface ShadowUpdate {
  readonly childId: string;
  readonly sequence: number | undefined;
  readonly values: readonly number[];
  readonly sampleCount: number;
}

/** How main is made. */
export interface ShadowRule {
  readonly kind: 'gradients' | 'parameters';
  /** Updates for each new main; undefined: the latest parameters of every child are merged at each update. */
  readonly updatesPerMain: number | undefined;
  readonly learningRate: number;
}

interface Candidate {
  readonly update: ShadowUpdate;
  /** What the latest of every child were when it came. */
  readonly latest: ReadonlyMap<string, ShadowUpdate>;
}

interface Version {
  readonly main: readonly number[];
  readonly updates: readonly ShadowUpdate[];
}

/** Main once more, computed from the list of updates in plain loops: what a coordinator must have, bit for bit. */
export class Shadow {
  readonly #rule: ShadowRule;
  /** By version, from 1. */
  #versions: Version[] = [];
  /** Ids of updates in main, by their version. */
  #applied = new Map<number, number>();
  #open: Candidate[] = [];
  #latest = new Map<string, ShadowUpdate>();
  readonly #present = new Set<string>();
  /** The candidate whose fold may still fail. */
  #fresh: Candidate | undefined;

  constructor(rule: ShadowRule, start: readonly number[]) {
    this.#rule = rule;
    this.#versions.push({ main: start, updates: [] });
  }

  get version(): number {
    return this.#versions.length;
  }

  mainAt(version: number): readonly number[] | undefined {
    return this.#versions[version - 1]?.main;
  }

  /** The version that an update has come into main with. */
  versionOf(id: number): number | undefined {
    return this.#applied.get(id);
  }

  join(childId: string): void {
    this.#present.add(childId);
  }

  leave(childId: string): void {
    this.#present.delete(childId);
    this.#latest.delete(childId);
  }

  /** The fold before is over. */
  endFold(): void {
    this.#fresh = undefined;
  }

  /** An update is about to be folded in. */
  consider(update: ShadowUpdate): void {
    this.#fresh = { update, latest: new Map(this.#latest).set(update.childId, update) };
    this.#open.push(this.#fresh);
  }

  /** The update was refused; where it is the one that was being folded in, it never was. */
  refuse(childId: string | undefined, sequence: number | undefined): void {
    const fresh = this.#fresh;
    if (fresh?.update.childId !== childId || fresh?.update.sequence !== sequence) return;
    this.#open = this.#open.filter((candidate) => candidate !== fresh);
    this.#fresh = undefined;
  }

  /** Main has changed; returns what is wrong about that. */
  advance(version: number, children: readonly string[]): string | undefined {
    const candidates = this.#open;
    this.#open = [];
    const ids = candidates.map(({ update }) => update.childId);
    if (version !== this.version + 1) return `version ${version} follows ${this.version}`;
    if (ids.join() !== children.join()) return `version ${version} is of ${children}, expected ${ids}`;
    for (const { update } of candidates) {
      const id = update.values[0] as number;
      if (this.#applied.has(id)) return `update ${id} of ${update.childId} is applied twice`;
      this.#applied.set(id, version);
      if (this.#present.has(update.childId)) this.#latest.set(update.childId, update);
    }
    const main = this.#next(candidates);
    this.#versions.push({ main, updates: candidates.map(({ update }) => update) });
    return undefined;
  }

  /** A crash: what came after this version is lost, and of these children the latest parameters are still known. */
  goBack(version: number, kept: readonly string[]): void {
    this.#versions = this.#versions.slice(0, version);
    this.#applied = new Map([...this.#applied].filter(([, at]) => at <= version));
    this.#open = [];
    this.#fresh = undefined;
    this.#present.clear();
    this.#latest.clear();
    for (const { updates } of this.#versions)
      for (const update of updates)
        if (kept.includes(update.childId)) this.#latest.set(update.childId, update);
  }

  #next(candidates: readonly Candidate[]): number[] {
    const main = this.mainAt(this.version) as readonly number[];
    const updates = candidates.map(({ update }) => update);
    const { kind, updatesPerMain, learningRate } = this.#rule;
    if (kind === 'gradients') {
      const gradient = updatesPerMain === 1 ? (updates[0] as ShadowUpdate).values : meanGradient(updates);
      return main.map((value, i) => value - learningRate * (gradient[i] as number));
    }
    if (updatesPerMain !== undefined) return meanParameters(updates);
    const latest = [...(candidates[0] as Candidate).latest.values()];
    return meanParameters(latest.sort((a, b) => (a.childId < b.childId ? -1 : 1)));
  }
}

/** Σ nₖ gₖ / Σ nₖ. */
function meanGradient(updates: readonly ShadowUpdate[]): number[] {
  const rows = updates.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
  const width = updates[0]?.values.length ?? 0;
  return Array.from({ length: width }, (_, i) => {
    const sum = updates.reduce(
      (total, { values, sampleCount }) => total + sampleCount * (values[i] as number),
      0,
    );
    return (1 / rows) * sum;
  });
}

/** θ₁ + Σ nₖ (θₖ − θ₁) / Σ nₖ. */
function meanParameters(updates: readonly ShadowUpdate[]): number[] {
  const first = updates[0] as ShadowUpdate;
  if (updates.length === 1) return [...first.values];
  const rows = updates.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
  return first.values.map((reference, i) => {
    let sum = 0;
    for (const { values, sampleCount } of updates.slice(1))
      sum += sampleCount * ((values[i] as number) - reference);
    return reference + sum / rows;
  });
}
