import type { Clock } from '../clock.ts';
import { LimitExceededError, toError } from '../errors.ts';
import { publicationWaitMsMax } from '../limits.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { CommittedMain } from './Ledger.ts';
import type { PluginList } from './plugins/PluginList.ts';

/** What a publisher needs and whom it tells. */
export interface PublisherOptions {
  readonly clock: Clock;
  readonly plugins: PluginList;
  /** A main is out. */
  published(main: CommittedMain): void;
  report(error: Error): void;
}

/**
 * What children may see of main: the newest durable version that no plugin keeps back. A plugin may take its time;
 * mains that come meanwhile wait, and only the newest of them is looked at next.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  #published: CommittedMain | undefined;
  #waiting: CommittedMain | undefined;
  #isJudging = false;
  #isClosed = false;
  #cancel: (() => void) | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** A copy of the main that is out; undefined before there is one. */
  get main(): ModelParameters | undefined {
    return this.#published?.read();
  }

  /** A new main is durable. */
  offer(main: CommittedMain): void {
    if (this.#isClosed) return;
    if (this.#isJudging) this.#waiting = main;
    else if (this.#options.plugins.areJudging) this.#judge(main);
    else this.#publish(main);
  }

  /** Publishes nothing more: a verdict that is still to come is ignored. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #judge(main: CommittedMain): void {
    const { plugins, report } = this.#options;
    // A plugin may bring about a newer main while it judges this one.
    this.#isJudging = true;
    try {
      const verdict = plugins.approve({ version: main.version, main: main.read() });
      if (typeof verdict === 'boolean') this.#end(main, verdict);
      else this.#await(main, verdict);
    } catch (thrown) {
      report(toError(thrown));
      this.#end(main, false);
    }
  }

  /** Waits for a slow plugin, but not for ever. */
  #await(main: CommittedMain, verdict: Promise<boolean>): void {
    const { clock, report } = this.#options;
    let isOver = false;
    const end = (isApproved: boolean, error?: Error): void => {
      if (isOver || this.#isClosed) return;
      isOver = true;
      this.#cancel?.();
      if (error !== undefined) report(error);
      this.#end(main, isApproved);
    };
    this.#cancel = clock.schedule(() => {
      const reason = `beforePublish of a plugin gave no answer within ${publicationWaitMsMax} ms: version ${main.version} is kept back`;
      end(false, new LimitExceededError(reason));
    }, publicationWaitMsMax);
    verdict.then(
      (isApproved) => end(isApproved),
      (thrown: unknown) => end(false, toError(thrown)),
    );
  }

  /** A main is judged: the newest of those that came meanwhile is next. */
  #end(main: CommittedMain, isApproved: boolean): void {
    this.#isJudging = false;
    if (isApproved) this.#publish(main);
    const next = this.#waiting;
    this.#waiting = undefined;
    if (next !== undefined) this.offer(next);
  }

  #publish(main: CommittedMain): void {
    this.#published = main;
    this.#options.published(main);
  }
}
