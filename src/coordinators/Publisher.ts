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

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** A copy of the main that is out; undefined before there is one. */
  get main(): ModelParameters | undefined {
    return this.#published?.read();
  }

  /** A new main is durable. */
  offer(main: CommittedMain): void {
    if (this.#isJudging) this.#waiting = main;
    else if (this.#options.plugins.areJudging) this.#judge(main);
    else this.#publish(main);
  }

  #judge(main: CommittedMain): void {
    const { plugins, report } = this.#options;
    try {
      const verdict = plugins.approve({ version: main.version, main: main.read() });
      if (typeof verdict === 'boolean') {
        if (verdict) this.#publish(main);
      } else this.#await(main, verdict);
    } catch (thrown) {
      report(toError(thrown));
    }
  }

  /** Waits for a slow plugin, but not for ever. */
  #await(main: CommittedMain, verdict: Promise<boolean>): void {
    const { clock, report } = this.#options;
    this.#isJudging = true;
    let isOver = false;
    const end = (isApproved: boolean, error?: Error): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      this.#isJudging = false;
      if (error !== undefined) report(error);
      if (isApproved) this.#publish(main);
      const next = this.#waiting;
      this.#waiting = undefined;
      if (next !== undefined) this.offer(next);
    };
    const cancel = clock.schedule(() => {
      const reason = `beforePublish of a plugin gave no answer within ${publicationWaitMsMax} ms: version ${main.version} is kept back`;
      end(false, new LimitExceededError(reason));
    }, publicationWaitMsMax);
    verdict.then(
      (isApproved) => end(isApproved),
      (thrown: unknown) => end(false, toError(thrown)),
    );
  }

  #publish(main: CommittedMain): void {
    this.#published = main;
    this.#options.published(main);
  }
}
