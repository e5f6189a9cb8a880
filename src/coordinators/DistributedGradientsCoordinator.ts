import type { MainstemError } from '../errors.ts';
import {
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
import type { ReadRecord } from './Ledger.ts';
import { MainOptimizer } from './MainOptimizer.ts';
import type { Member, UpdateIdentity } from './Membership.ts';
import { checkCount } from './options.ts';
import type { Pending } from './pending.ts';
import type { Folded } from './Road.ts';
import type { RoundsCoordinatorOptions } from './RoundsCoordinator.ts';
import { RoundsCoordinator } from './RoundsCoordinator.ts';
import type { Receipt } from './receipts.ts';
import type { Mode } from './rounds/Mode.ts';
import { createMode, everyUpdates } from './rounds/Mode.ts';

/** Options of DistributedGradientsCoordinator. */
export interface GradientsCoordinatorOptions extends RoundsCoordinatorOptions {
  /** Step size of main, 0 or more; the optimizer's own default unless given: 0.1, or 0.001 for Adam. */
  learningRate?: number;
  /** How the step size changes with the steps of main; `'constant'` unless given. */
  learningRateSchedule?: ScheduleOption;
  /**
   * `'linear'`: a step along the mean of n updates is n times as long, as n steps would be (Goyal and others 2017); with a
   * `learningRateSchedule` that warms up. `'none'` unless given.
   */
  learningRateScaling?: 'none' | 'linear';
  /** `'gradientDescent'` unless given. */
  optimizer?: OptimizerOption;
  /** Whether gradients lead down (a cost, the default) or up (a reward). */
  gradientChangeMode?: 'descent' | 'ascent';
  /**
   * Main moves once for each so many children, by the mean of their gradients, weighted by rows; a child's second update
   * within a round is refused. 1 unless given. In short for a `mode` whose rounds wait for no deadline and take gradients
   * of whatever version of main; not together with one.
   */
  childrenPerUpdate?: number;
}

const ownOptions = [
  'learningRate',
  'learningRateSchedule',
  'learningRateScaling',
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
export class DistributedGradientsCoordinator extends RoundsCoordinator<Gradients> {
  protected readonly kind: UpdateKind = 'gradients';
  readonly #learningRate: number;
  readonly #isScaled: boolean;
  readonly #sign: number;
  readonly #optimizer: MainOptimizer;
  #round: Round | undefined;
  /** Room for a slice of a gradient. */
  #scaled = new Float64Array(0);

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: GradientsCoordinatorOptions = {}) {
    super(options, ownOptions, modeOf(options));
    const optimizer = createOptimizer(options.optimizer ?? 'gradientDescent');
    const {
      learningRate = optimizer.defaultLearningRate,
      gradientChangeMode = 'descent',
      learningRateSchedule = 'constant',
      learningRateScaling = 'none',
    } = options;
    if (!(Number.isFinite(learningRate) && learningRate >= 0)) {
      throw new InvalidOptionError(`learningRate is ${learningRate}, expected a finite number, 0 or more`);
    }
    if (gradientChangeMode !== 'descent' && gradientChangeMode !== 'ascent') {
      throw new InvalidOptionError(
        `gradientChangeMode is ${show(gradientChangeMode)}, expected 'descent' or 'ascent'`,
      );
    }
    if (learningRateScaling !== 'none' && learningRateScaling !== 'linear') {
      throw new InvalidOptionError(
        `learningRateScaling is ${show(learningRateScaling)}, expected 'none' or 'linear'`,
      );
    }
    this.#learningRate = learningRate;
    this.#isScaled = learningRateScaling === 'linear';
    this.#sign = gradientChangeMode === 'ascent' ? -1 : 1;
    this.#optimizer = new MainOptimizer(optimizer, createSchedule(learningRateSchedule), options.compression);
  }

  /**
   * Sets main, and starts the optimizer and the round afresh. Throws MalformedDataError or NonFiniteError, and
   * then main is as it was.
   */
  setModelParameters(parameters: ModelParameters): void {
    const main = this.asMain(parameters);
    this.giveUpPartial(new UpdateDiscardedError('main was set anew before the round was complete'));
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

  /** Gives up what the open round has so far. Main stays. */
  clearGradients(): void {
    this.giveUpPartial(new UpdateDiscardedError('the round was cleared before it was complete'));
    this.rounds.begin();
  }

  protected giveUpPartial(reason: MainstemError): void {
    const round = this.#round;
    this.#round = undefined;
    for (const pending of round?.pending ?? []) this.road.reject(pending, reason);
    this.rounds.close();
  }

  protected override admitMember(member: Member, gradients: Gradients): void {
    if (this.main.version === 0) {
      throw new NoMainParametersError(
        'there are no main parameters to move yet; call setModelParameters first',
      );
    }
    super.admitMember(member, gradients);
  }

  protected fold(pending: Pending<Gradients>): Steps<Folded> {
    if (this.main.version === 0) throw new NoMainParametersError('there are no main parameters to move yet');
    const { member, content } = pending;
    // Main may have moved while it waited.
    this.rounds.check(member, content.baseVersion);
    if (this.#round === undefined) this.plugins.beforeRound({ version: this.main.version });
    // A plugin may have set main anew.
    this.main.layout?.assertFits(content.layout, this.kind, 'main');
    const { mode } = this.rounds;
    const weight = mode.weigh(this.rounds.staleness(content.baseVersion));
    if (mode.needed > 1 || this.#round !== undefined) return this.#addToRound(pending, weight);
    const work = this.#move(content.values, this.#sign * weight * (mode.mixing ?? 1), [pending]);
    return mode.name === 'immediate' ? work : andThen(work, (folded) => this.#stepped(pending, folded));
  }

  /** A round of one update is over. */
  #stepped({ member, content }: Pending<Gradients>, folded: Folded): Folded {
    this.rounds.took(member, content.sampleCount);
    this.rounds.begin();
    return folded;
  }

  *#addToRound(pending: Pending<Gradients>, weight: number): Generator<undefined, Folded> {
    const { values, sampleCount } = pending.content;
    this.#round ??= { sum: new Float64Array(values.length), rows: 0, pending: [] };
    const round = this.#round;
    const factor = sampleCount * weight;
    yield* checkWeighted(pending.content);
    yield* inSlices(values.length, (start, end) => addScaled(round.sum, factor, values, start, end));
    // Cleared in between: the sums that this went into are gone.
    if (this.#round !== round) throw new UpdateDiscardedError('the round was cleared before it was complete');
    round.rows += sampleCount;
    round.pending.push(pending);
    if (!this.rounds.took(pending.member, sampleCount)) return 'accepted';
    return yield* this.#finishRound(round, pending);
  }

  protected finishOpenRound(): Steps<unknown> {
    return this.#round && this.#finishRound(this.#round, undefined);
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
  *#finishRound(round: Round, last: Pending<Gradients> | undefined): Generator<undefined, Folded> {
    this.#round = undefined;
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
      for (const pending of round.pending) if (pending !== last) this.road.reject(pending, reason);
      throw thrown;
    } finally {
      this.rounds.begin();
    }
  }

  /** One step of main's optimizer along factor · gradient. */
  #move(gradient: Values, factor: number, included: readonly Pending<Gradients>[]): Steps<Folded> {
    const { layout, dtype, version: base, values } = this.main;
    if (layout === undefined) return 'applied';
    this.plugins.beforeMerge({ version: base + 1, children: included.length });
    const next = this.main.spare(values.length);
    const rate = this.#learningRate * (this.#isScaled ? included.length : 1);
    const step = this.#optimizer.begin({ values, dtype }, next, { base: rate, round: base });
    const isWhole = gradient.length <= valuesPerSlice;
    const work = slices(values.length, (start, end) => {
      const part = isWhole ? gradient : gradient.subarray(start, end);
      const isKnownFinite = step(factor === 1 ? part : this.#scale(part, factor), start, end);
      if (!isKnownFinite) this.main.checkRange(layout, dtype, start, end);
    });
    return andThen(work, () => {
      const adopt = (): void => {
        this.#optimizer.adopt();
        this.rounds.close();
      };
      this.publishMain({ layout, dtype, base, included, adopt });
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
}

/** Throws InvalidOptionError where `mode` and what is short for one are both given. */
function modeOf({ mode, childrenPerUpdate }: GradientsCoordinatorOptions): Mode {
  if (childrenPerUpdate === undefined) return createMode(mode ?? 'immediate');
  if (mode !== undefined)
    throw new InvalidOptionError('childrenPerUpdate is in short for a mode; expected only one of the two');
  const count = checkCount(childrenPerUpdate, 'childrenPerUpdate');
  return count === 1 ? createMode('immediate') : everyUpdates(count, true);
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
