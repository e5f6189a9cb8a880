/**
 * Of an update: becomes committed or rejected, once. A promise of it is made when somebody asks for one; whoever only wants to know
 * is called back without.
 */
export class Settlement {
  #isSettled = false;
  #error: Error | undefined;
  #promise: Promise<void> | undefined;
  #resolve: (() => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #listeners: { committed: () => void; rejected: (error: Error) => void }[] | undefined;

  /** Its rejection need not be handled. */
  get promise(): Promise<void> {
    this.#promise ??= this.#createPromise();
    return this.#promise;
  }

  /** Calls one of these when it is settled: in that very moment, or now. They must not throw. */
  onSettled(committed: () => void, rejected: (error: Error) => void): void {
    if (!this.#isSettled) {
      this.#listeners ??= [];
      this.#listeners.push({ committed, rejected });
    } else if (this.#error === undefined) committed();
    else rejected(this.#error);
  }

  resolve(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#resolve?.();
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners !== undefined) for (const { committed } of listeners) committed();
  }

  reject(error: Error): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#error = error;
    this.#reject?.(error);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners !== undefined) for (const { rejected } of listeners) rejected(error);
  }

  #createPromise(): Promise<void> {
    const promise = this.#isSettled
      ? this.#error === undefined
        ? Promise.resolve()
        : Promise.reject(this.#error)
      : new Promise<void>((resolve, reject) => {
          this.#resolve = resolve;
          this.#reject = reject;
        });
    // A receipt may be ignored; a refusal must not then end the process.
    promise.catch(() => {});
    return promise;
  }
}
