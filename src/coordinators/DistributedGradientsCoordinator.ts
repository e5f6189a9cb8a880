import type { MainstemError } from '../errors.ts';
import {
  AlreadyContributedError,
  InvalidOptionError,
  NoMainParametersError,
  NonFiniteError,
  UpdateDiscardedError,
} from '../errors.ts';
import type { OptimizerOption } from '../optimizers/createOptimizer.ts';
import { createOptimizer } from '../optimizers/createOptimizer.ts';
import type { ScheduleOption } from '../optimizers/createSchedule.ts';
import { createSchedule } from '../optimizers/createSchedule.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import { requireGradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { Values } from '../parameters/values.ts';
import type { UpdateKind } from '../protocol/messages.ts';
import { show } from '../show.ts';
import type { Steps } from '../steps.ts';
import { andThen, inSlices, inSteps, slices, valuesPerSlice } from '../steps.ts';
import type { StoreOperation } from '../storage/Store.ts';
import { Coordinator } from './Coordinator.ts';
import type { ReadRecord } from './Ledger.ts';
import { MainOptimizer } from './MainOptimizer.ts';
import type { Member, UpdateIdentity } from './Membership.ts';
import type { CoordinatorOptions } from './options.ts';
import { checkCount } from './options.ts';
import type { Pending } from './pending.ts';
import type { Folded } from './Road.ts';
import type { Receipt } from './receipts.ts';

/** Options of DistributedGradientsCoordinator. */
export interface GradientsCoordinatorOptions extends CoordinatorOptions {
  /** Step size of main, 0 or more; the optimizer's own default unless given: 0.1, or 0.001 for Adam. */
  learningRate?: number;
  /** How the step size changes with the steps of main; `'constant'` unless given. */
  learningRateSchedule?: ScheduleOption;
  /** `'gradientDescent'` unless given. */
  optimizer?: OptimizerOption;
  /** Whether gradients lead down (a cost, the default) or up (a reward). */
  gradientChangeMode?: 'descent' | 'ascent';
  /**
   * 1 (default): main moves at every update. More: main moves once for each so many children, by the mean of
   * their gradients, weighted by rows; a child's second update within a round is refused.
   */
  childrenPerUpdate?: number;
}

const ownOptions = [
  'learningRate',
  'learningRateSchedule',
  'optimizer',
  'gradientChangeMode',
  'childrenPerUpdate',
];
const optimizerKey = 'optimizer';

/** What one round has so far: Σ nₖ gₖ and Σ nₖ. */
interface Round {
  readonly sum: Float64Array<ArrayBuffer>;
  rows: number;
  readonly pending: Pending<Gradients>[];
}

/**
 * Owns the main parameters and moves them by the gradients that children send. One synchronous full-batch step
 * over the children equals one full-batch step on all their rows.
 */
export class DistributedGradientsCoordinator extends Coordinator<Gradients> {
  protected readonly kind: UpdateKind = 'gradients';
  readonly #learningRate: number;
  readonly #sign: number;
  readonly #childrenPerUpdate: number;
  readonly #optimizer: MainOptimizer;
  #round: Round | undefined;
  /** Room for a slice of a gradient. */
  #scaled = new Float64Array(0);

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: GradientsCoordinatorOptions = {}) {
    super(options, ownOptions);
    const optimizer = createOptimizer(options.optimizer ?? 'gradientDescent');
    const {
      learningRate = optimizer.defaultLearningRate,
      gradientChangeMode = 'descent',
      learningRateSchedule = 'constant',
      childrenPerUpdate = 1,
    } = options;
    if (!(Number.isFinite(learningRate) && learningRate >= 0)) {
      throw new InvalidOptionError(`learningRate is ${learningRate}, expected a finite number, 0 or more`);
    }
    if (gradientChangeMode !== 'descent' && gradientChangeMode !== 'ascent') {
      throw new InvalidOptionError(
        `gradientChangeMode is ${show(gradientChangeMode)}, expected 'descent' or 'ascent'`,
      );
    }
    this.#learningRate = learningRate;
    this.#sign = gradientChangeMode === 'ascent' ? -1 : 1;
    this.#childrenPerUpdate = checkCount(childrenPerUpdate, 'childrenPerUpdate');
    this.#optimizer = new MainOptimizer(optimizer, createSchedule(learningRateSchedule));
  }

  /**
   * Sets main, and starts the optimizer and the round afresh. Throws MalformedDataError or NonFiniteError, and
   * then main is as it was.
   */
  setModelParameters(parameters: ModelParameters): void {
    const main = this.asMain(parameters);
    this.clearGradients();
    this.#optimizer.reset(main.values.length);
    this.replaceMain(main);
  }

  /**
   * Takes gradients in. The receipt says what became of them; main is changed when it returns (`drive:
   * 'immediate'`). Throws MalformedDataError only where the argument is no Gradients at all.
   */
  addGradients(gradients: Gradients, identity: UpdateIdentity = {}): Receipt {
    return this.submit(requireGradients(gradients), identity);
  }

  /** Gives up what the round has so far (`childrenPerUpdate` above 1). Main stays. */
  clearGradients(): void {
    this.giveUpPartial(new UpdateDiscardedError('the round was cleared before it was complete'));
  }

  protected giveUpPartial(reason: MainstemError): void {
    const round = this.#round;
    this.#round = undefined;
    for (const pending of round?.pending ?? []) this.discard(pending, reason);
  }

  protected override admitMember(member: Member): void {
    if (this.main.version === 0) {
      throw new NoMainParametersError(
        'there are no main parameters to move yet; call setModelParameters first',
      );
    }
    this.#refuseSecond(member);
  }

  protected fold(pending: Pending<Gradients>): Steps<Folded> {
    if (this.main.version === 0) throw new NoMainParametersError('there are no main parameters to move yet');
    this.#refuseSecond(pending.member);
    if (this.#round === undefined) this.beginRound();
    // A plugin may have set main anew.
    this.main.layout?.assertFits(pending.content.layout, this.kind, 'main');
    if (this.#childrenPerUpdate > 1) return this.#addToRound(pending);
    return this.#move(pending.content.values, this.#sign, [pending]);
  }

  *#addToRound(pending: Pending<Gradients>): Generator<undefined, Folded> {
    const { values, sampleCount } = pending.content;
    this.#round ??= { sum: new Float64Array(values.length), rows: 0, pending: [] };
    const round = this.#round;
    yield* checkWeighted(pending.content);
    yield* inSlices(values.length, (start, end) => addScaled(round.sum, sampleCount, values, start, end));
    // Cleared in between: the sums that this went into are gone.
    if (this.#round !== round) throw new UpdateDiscardedError('the round was cleared before it was complete');
    round.rows += sampleCount;
    round.pending.push(pending);
    if (round.pending.length < this.#childrenPerUpdate) return 'accepted';
    this.#round = undefined;
    return yield* this.#finishRound(round, pending);
  }

  protected override storedState(): StoreOperation[] {
    return [{ key: optimizerKey, value: this.#optimizer.encode() }];
  }

  protected override async loadState(read: ReadRecord, length: number): Promise<() => void> {
    const stored = await read(optimizerKey);
    const state = stored === undefined ? undefined : this.#optimizer.decode(stored, length);
    return () => this.#optimizer.reset(length, state);
  }

  /** Where a round fails, all of its updates are given up: their sum cannot be taken apart again. */
  *#finishRound(round: Round, last: Pending<Gradients>): Generator<undefined, Folded> {
    try {
      if (!(round.rows > 0))
        throw new InvalidOptionError(
          `the gradients of a round are over ${round.rows} rows together, expected more than 0`,
        );
      return yield* inSteps(this.#move(round.sum, this.#sign / round.rows, round.pending));
    } catch (thrown) {
      const reason = new UpdateDiscardedError(
        `its round failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
      for (const pending of round.pending) if (pending !== last) this.discard(pending, reason);
      throw thrown;
    }
  }

  /** One step of main's optimizer along factor · gradient. */
  #move(gradient: Values, factor: number, included: readonly Pending<Gradients>[]): Steps<Folded> {
    const { layout, dtype, version: base, values } = this.main;
    if (layout === undefined) return 'applied';
    this.plugins.beforeMerge({ version: base + 1, children: included.length });
    const next = this.main.spare(values.length);
    const step = this.#optimizer.begin(values, next, { base: this.#learningRate, round: base });
    const isWhole = gradient.length <= valuesPerSlice;
    const work = slices(values.length, (start, end) => {
      const part = isWhole ? gradient : gradient.subarray(start, end);
      step(factor === 1 ? part : this.#scale(part, factor), start, end);
      this.main.checkRange(layout, dtype, start, end);
    });
    return andThen(work, () => {
      this.publishMain({ layout, dtype, base, included, adopt: () => this.#optimizer.adopt() });
      return 'applied';
    });
  }

  /** factor · gradient, in an array that the next call uses again. */
  #scale(gradient: Values, factor: number): Values {
    const { length } = gradient;
    if (this.#scaled.length < length) this.#scaled = new Float64Array(length);
    const scaled = this.#scaled.subarray(0, length);
    scaled.fill(0);
    addScaled(scaled, factor, gradient, 0, length);
    return scaled;
  }

  #refuseSecond(member: Member): void {
    if (this.#round?.pending.some((pending) => pending.member === member) !== true) return;
    throw new AlreadyContributedError(
      `${member.id} has given its gradients to this round; it has ${this.#round.pending.length} of ${this.#childrenPerUpdate}`,
    );
  }
}

/** Throws NonFiniteError where rows · gradient overflows: it would spoil the sums of the whole round. */
function* checkWeighted(gradients: Gradients): Generator<undefined, void> {
  const { values, sampleCount } = gradients;
  yield* inSlices(values.length, (start, end) => {
    for (let i = start; i < end; i++) {
      if (Number.isFinite(sampleCount * (values[i] as number))) continue;
      throw new NonFiniteError(`gradient ${i} times ${sampleCount} rows is not finite`);
    }
  });
}

function addScaled(
  target: Float64Array,
  factor: number,
  source: ArrayLike<number>,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) target[i] = (target[i] as number) + factor * (source[i] as number);
}
