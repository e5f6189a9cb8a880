import { ConnectionClosedError, InvalidOptionError, toMainstemError } from '../errors.ts';
import { GuardedEvents } from '../events.ts';
import type { Logger } from '../logger.ts';
import { guardedLogger, silentLogger } from '../logger.ts';
import type { BayesianModel } from '../models/bayesian/BayesianModel.ts';
import type { Beliefs } from '../models/bayesian/beliefs.ts';
import { MessageModel } from '../models/bayesian/MessageModel.ts';
import { Child } from './Child.ts';
import type { ChildEvents } from './childEvents.ts';
import type { ChildOptions } from './childOptions.ts';
import type { ChildReceipt } from './SentUpdates.ts';

/** Options of `PosteriorChild.connect`: those of `Child.connect`, but for what messages have no use for. */
export interface PosteriorChildOptions<B extends Beliefs>
  extends Omit<ChildOptions, 'model' | 'compression' | 'savedState'> {
  /** A model of the shared variables with data of its own. Its prior must be known, and that of the coordinator. */
  model: BayesianModel<B>;
}

/** Codes of what will not be otherwise the next time. */
const misfits: readonly string[] = ['LAYOUT_MISMATCH', 'ARCHITECTURE_MISMATCH'];

/**
 * The other end of a posteriors coordinator. Whenever it is asked it infers anew, with what all others have said, and answers with what
 * its own data say: from `connect` until `leave`, by itself. What it computes runs on this thread.
 */
export class PosteriorChild<B extends Beliefs> {
  readonly #child: Child;
  readonly #model: MessageModel<B>;
  /** What fails while it answers by itself. */
  readonly #errors: GuardedEvents<Pick<ChildEvents, 'error'>>;
  readonly #logger: Logger;
  #isAnswering = false;
  #isAsked = false;
  #isOver = false;

  /**
   * Connects, says what its data say, and takes part from then on. Rejects as `Child.connect`, and where the coordinator wants no
   * messages, or none about these variables with this prior.
   */
  static async connect<B extends Beliefs>(options: PosteriorChildOptions<B>): Promise<PosteriorChild<B>> {
    if (typeof options?.model?.computeMessage !== 'function')
      throw new InvalidOptionError(
        'PosteriorChild.connect needs a model with prior and computeMessage(inbox)',
      );
    const model = new MessageModel(options.model);
    const child = await Child.connect({ ...options, model });
    try {
      if (child.kind !== 'messages')
        throw new InvalidOptionError(`the coordinator wants ${child.kind}, a PosteriorChild gives messages`);
      const one = new PosteriorChild(child, model, options);
      const { reason } = await one.speak();
      if (reason !== undefined && misfits.includes(reason.code)) throw reason;
      return one;
    } catch (thrown) {
      await child.leave();
      throw thrown;
    }
  }

  private constructor(child: Child, model: MessageModel<B>, { logger }: PosteriorChildOptions<B>) {
    this.#child = child;
    this.#model = model;
    this.#logger = guardedLogger(logger ?? silentLogger);
    this.#errors = new GuardedEvents((error) => this.#logger.error('a listener failed', error));
    child.on('asked', () => this.#ask());
    // Its posterior is of the newest that it has heard.
    child.on('mainUpdated', () => void child.adopt().catch((error: Error) => this.#report(error)));
    child.on('closed', () => {
      this.#isOver = true;
    });
  }

  get childId(): string {
    return this.#child.childId;
  }

  /** Calls the listener at every event of this name, which are those of a Child; the function returned removes it. */
  on<Name extends keyof ChildEvents>(name: Name, listener: (event: ChildEvents[Name]) => void): () => void {
    const stop = this.#child.on(name, listener);
    if (name !== 'error') return stop;
    const stopOwn = this.#errors.on('error', listener as (error: Error) => void);
    return () => {
      stop();
      stopOwn();
    };
  }

  /** What this child believes: prior, what others have said as far as it has heard, and its own data. */
  get posterior(): B {
    return this.#model.posterior;
  }

  /** Says what its data say now: there are more of them, say. Rejects where the connection is over. */
  async speak(): Promise<ChildReceipt> {
    await this.#child.adopt();
    this.#child.announceBusy();
    this.#model.compute();
    return this.#child.send();
  }

  /** Says goodbye. What it has said stays counted until the coordinator unlearns it. May be called again. */
  async leave(): Promise<void> {
    this.#isOver = true;
    await this.#child.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  #report(error: Error): void {
    if (!this.#errors.emit('error', error)) this.#logger.error(error.message, error);
  }

  #ask(): void {
    this.#isAsked = true;
    if (!this.#isAnswering) void this.#answer();
  }

  /** One answer at a time: who is asked meanwhile answers once more. */
  async #answer(): Promise<void> {
    this.#isAnswering = true;
    while (this.#isAsked && !this.#isOver) {
      this.#isAsked = false;
      try {
        const { reason } = await this.speak();
        if (reason !== undefined) this.#report(reason);
      } catch (thrown) {
        const error = toMainstemError(thrown);
        if (!(error instanceof ConnectionClosedError)) this.#report(error);
      }
    }
    this.#isAnswering = false;
  }
}
