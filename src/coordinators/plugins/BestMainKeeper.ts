import { InvalidOptionError, MalformedDataError, NonFiniteError } from '../../errors.ts';
import type { JsonValue } from '../../parameters/architecture.ts';
import { ModelParameters } from '../../parameters/ModelParameters.ts';
import { show } from '../../show.ts';
import type { MergedInfo, Plugin, PublicationInfo } from './Plugin.ts';

/** Options of BestMainKeeper. */
export interface BestMainKeeperOptions {
  /** How good a main is; higher is better. It runs on the thread of the coordinator: a few held-out rows are enough. */
  score: (main: ModelParameters) => number;
  /** Whether children get only mains that are as good as the best so far; false unless given. */
  publishOnlyBest?: boolean;
}

/** A main and how good it is. */
export interface BestMain {
  readonly version: number;
  readonly score: number;
  readonly parameters: ModelParameters;
}

/**
 * Keeps the best main that merges have made, over restarts too. Add it after plugins that change main. A score that is
 * not a number, or a `score` that throws, refuses the merge at hand.
 */
export class BestMainKeeper implements Plugin {
  readonly name: string = 'bestMainKeeper';
  readonly #score: (main: ModelParameters) => number;
  readonly #publishOnlyBest: boolean;
  #best: BestMain | undefined;
  #saved: JsonValue = null;
  /** The last main that was looked at. */
  #last: { readonly version: number; readonly isBest: boolean } | undefined;

  /** Throws InvalidOptionError for an illegal option. */
  constructor({ score, publishOnlyBest = false }: BestMainKeeperOptions) {
    if (typeof score !== 'function')
      throw new InvalidOptionError(`score is ${show(score)}, expected a function of main`);
    this.#score = score;
    this.#publishOnlyBest = publishOnlyBest;
  }

  /** The best main so far, a copy; the first of equals. Undefined before the first merge. */
  get best(): BestMain | undefined {
    return this.#best && { ...this.#best, parameters: this.#best.parameters.clone() };
  }

  afterMerge({ version, main }: MergedInfo): void {
    const score = this.#score(main.clone());
    if (Number.isNaN(score)) throw new NonFiniteError(`the score of version ${version} is NaN`);
    const isBest = this.#best === undefined || score >= this.#best.score;
    this.#last = { version, isBest };
    if (this.#best !== undefined && score <= this.#best.score) return;
    const parameters = main.clone({ baseVersion: version });
    this.#best = { version, score, parameters };
    // Infinity has no JSON: as text every number comes back.
    this.#saved = { version, score: String(score), parameters: { ...parameters.toJSON() } as JsonValue };
  }

  beforePublish({ version }: PublicationInfo): boolean {
    // A main that was set, not merged, was not judged: whoever set it wants it out.
    const isBest = this.#last?.version !== version || this.#last.isBest;
    return isBest || !this.#publishOnlyBest;
  }

  save(): JsonValue {
    return this.#saved;
  }

  load(state: JsonValue): void {
    if (state === null) return;
    const { version, score, parameters } = state as {
      version?: unknown;
      score?: unknown;
      parameters?: unknown;
    };
    if (!Number.isSafeInteger(version) || typeof score !== 'string' || Number.isNaN(Number(score))) {
      throw new MalformedDataError('the memory of a best main keeper has version, score and parameters');
    }
    this.#best = {
      version: version as number,
      score: Number(score),
      parameters: ModelParameters.fromJSON(parameters),
    };
    this.#saved = state;
  }
}
