import type { ParameterLayout } from '../parameters/ParameterLayout.ts';

const entriesMin = 64;

/**
 * Layouts that children have shown, each once, so that a thousand children share one. It keeps none alive: what nobody
 * else holds any more is forgotten each time the pool has doubled, so that strangers who show one layout after another
 * leave nothing behind.
 */
export class LayoutPool {
  readonly #layouts = new Map<string, WeakRef<ParameterLayout>>();
  #forgetAt = entriesMin;

  /** Layouts that are remembered, those included that nobody holds and that have not been forgotten yet. */
  get size(): number {
    return this.#layouts.size;
  }

  /** An equal layout that was shown before, or else this one. */
  intern(layout: ParameterLayout): ParameterLayout {
    const known = this.#layouts.get(layout.fingerprint)?.deref();
    if (known !== undefined) return known;
    if (this.#layouts.size >= this.#forgetAt) this.#forget();
    this.#layouts.set(layout.fingerprint, new WeakRef(layout));
    return layout;
  }

  #forget(): void {
    for (const [fingerprint, reference] of this.#layouts)
      if (reference.deref() === undefined) this.#layouts.delete(fingerprint);
    this.#forgetAt = Math.max(entriesMin, 2 * this.#layouts.size);
  }
}
