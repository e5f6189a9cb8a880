import type {
  ClientTransport,
  Clock,
  GradientModel,
  Gradients,
  ModelParameters,
  ServerTransport,
} from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  isMainstemError,
  systemClock,
} from 'mainstem';
import { gradientsOf, numbersOf, parametersOf } from '../coordinators/helpers.ts';

const small = [0.5, -1.25, 3];
/** Its frames and values are in memory that is used again. */
const large = [...small, ...new Array<number>(600).fill(0)];
const startOf = (exchange: Exchange): readonly number[] => (exchange === 'gradients' ? small : large);
export const children = 4;

/** Synchronous rounds of gradients, of parameters, or updates that each move main and wait for nothing. */
export type Exchange = 'gradients' | 'parameters' | 'pipelined';

/** What came of a run. */
export interface Outcome {
  readonly version: number;
  readonly main: readonly number[];
  /** Updates whose commit was acknowledged. */
  readonly acknowledged: number;
  readonly disconnections: number;
}

/** Time that goes so many times as fast: heartbeats, waits and time-outs all come sooner, and what they do is the same. */
export function fastClock(times: number): Clock {
  return {
    now: () => systemClock.now() * times,
    schedule: (callback, delayMs, options) => systemClock.schedule(callback, delayMs / times, options),
    yieldTurn: () => systemClock.yieldTurn(),
  };
}

/** Numbers of few bits, so that no sum of four children is ever rounded, in whatever order they come. */
class ExactModel implements GradientModel {
  readonly #share: number;
  readonly #exchange: Exchange;
  #values: readonly number[];
  #round = 0;

  constructor(share: number, exchange: Exchange) {
    this.#share = share;
    this.#exchange = exchange;
    this.#values = startOf(exchange);
  }

  setAreGradientsSaved(): void {}
  train = (): number[] => [];
  predict = (): number[] => [];
  computeGradients = (): Gradients => this.getGradients();

  setModelParameters(parameters: ModelParameters): void {
    this.#values = numbersOf(parameters);
  }

  /** Half the way from main to where this child would have it, in 64ths. */
  getModelParameters(): ModelParameters {
    const moved = this.#values.map((value, i) => Math.round(32 * (value + this.#share * (i + 1))) / 64);
    return parametersOf(...moved);
  }

  getGradients(): Gradients {
    if (this.#exchange === 'pipelined') {
      this.#round++;
      return gradientsOf(large.map((_, i) => 1_000 * (this.#share + 1) + this.#round + i));
    }
    return gradientsOf(this.#values.map((value, i) => Math.round(64 * (value - this.#share * (i + 1))) / 64));
  }
}

type AnyCoordinator = DistributedGradientsCoordinator | DistributedModelParametersCoordinator;

function createCoordinator(exchange: Exchange, clock: Clock): AnyCoordinator {
  // A child that is away for long is away, but not out: its round waits for it.
  const options = { clock, resumeMs: 1e8 };
  if (exchange === 'parameters') {
    const merging = new DistributedModelParametersCoordinator({ ...options, childUpdatesPerMerge: children });
    merging.setMainModelParameters(parametersOf(...startOf(exchange)));
    return merging;
  }
  const childrenPerUpdate = exchange === 'pipelined' ? 1 : children;
  const moving = new DistributedGradientsCoordinator({ ...options, learningRate: 0.5, childrenPerUpdate });
  moving.setModelParameters(parametersOf(...startOf(exchange)));
  return moving;
}

/** A run of a federation over a road that is not to be trusted. */
export class FaultFederation {
  readonly #exchange: Exchange;
  readonly #rounds: number;
  readonly #clock: Clock;
  readonly #coordinator: AnyCoordinator;
  #acknowledged = 0;
  #disconnections = 0;
  /** Whatever must not happen ends the run. */
  readonly #problem: Promise<never>;
  #fail: (problem: Error) => void = () => {};

  constructor(exchange: Exchange, rounds: number, clock: Clock) {
    this.#exchange = exchange;
    this.#rounds = rounds;
    this.#clock = clock;
    this.#problem = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#problem.catch(() => {});
    this.#coordinator = createCoordinator(exchange, clock);
    this.#coordinator.on('mainUpdated', ({ children: ids }) => {
      const expected = exchange === 'pipelined' ? 1 : children;
      if (new Set(ids).size !== expected || ids.length !== expected)
        this.#fail(new Error(`a main is made of the updates of ${ids}`));
    });
  }

  async listen(transport: ServerTransport): Promise<void> {
    await this.#coordinator.listen(transport);
  }

  /** Plays all rounds; `calm` is called when the last update has been acknowledged. */
  async play(transport: ClientTransport, calm: () => void): Promise<Outcome> {
    const all = await this.#guard(
      Promise.all(Array.from({ length: children }, (_, share) => this.#playChild(transport, share))),
    );
    calm();
    for (const child of all) await child.leave();
    const main = this.#coordinator.getModelParameters();
    await this.#coordinator.close();
    return {
      version: main.baseVersion ?? 0,
      main: numbersOf(main),
      acknowledged: this.#acknowledged,
      disconnections: this.#disconnections,
    };
  }

  #guard<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#problem]);
  }

  async #playChild(transport: ClientTransport, share: number): Promise<Child> {
    const child = await this.#connect(transport, share);
    child.on('closed', (error) => {
      if (error !== undefined) this.#fail(new Error(`${child.childId} has ended`, { cause: error }));
    });
    child.on('disconnected', () => this.#disconnections++);
    if (this.#exchange === 'pipelined') await this.#playPipelined(child);
    else await this.#playRounds(child);
    return child;
  }

  async #playPipelined(child: Child): Promise<void> {
    const ends: Promise<void>[] = [];
    for (let i = 0; i < this.#rounds; i++) {
      ends.push(this.#sendOne(child));
      // A few at a time share a message.
      if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(ends);
  }

  async #playRounds(child: Child): Promise<void> {
    for (let version = 1; version <= this.#rounds; version++) {
      await mainOf(child, version);
      await child.adopt();
      if (child.version !== version)
        throw new Error(`${child.childId} has main ${child.version} in round ${version}`);
      await this.#sendOne(child);
    }
  }

  async #sendOne(child: Child): Promise<void> {
    const { status, reason, committed } = await child.send();
    if (reason !== undefined && status !== 'duplicate') throw reason;
    await committed;
    this.#acknowledged++;
  }

  /** A first connection that fails is the caller's to make again. */
  async #connect(transport: ClientTransport, share: number): Promise<Child> {
    const model = new ExactModel(share, this.#exchange);
    const reconnect = { initialMs: 500, maxMs: 4_000, giveUpAfterMs: 1e8 };
    for (;;) {
      try {
        return await Child.connect({
          transport,
          model,
          childId: `child-${share}`,
          clock: this.#clock,
          reconnect,
        });
      } catch (thrown) {
        if (!isMainstemError(thrown)) throw thrown;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

/** Resolves when a child has main of this version, or a later one. */
function mainOf(child: Child, version: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = child.on('mainUpdated', () => look());
    const look = (): void => {
      if (child.version < version) return;
      stop();
      resolve();
    };
    look();
  });
}
