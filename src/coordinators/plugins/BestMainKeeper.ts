import { InvalidOptionError, MalformedDataError, NonFiniteError } from '../../errors.ts';
import type { JsonValue } from '../../parameters/architecture.ts';
import { ModelParameters } from '../../parameters/ModelParameters.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import type { MergedInfo, Plugin, PluginHost, PublicationInfo } from './Plugin.ts';

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
  readonly #stops: (() => void)[] = [];
  #host: PluginHost | undefined;
  #best: BestMain | undefined;
  /** Judged, and main only if the merge goes through to its end. */
  #candidate: BestMain | undefined;
  /** Scores of mains that wait to be published, by version. */
  readonly #scores = new Map<number, number>();
  #savedBest: JsonValue = null;
  #saved: JsonValue = null;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: BestMainKeeperOptions) {
    refuseUnknownOptions(options, ['score', 'publishOnlyBest'], 'BestMainKeeper');
    const { score, publishOnlyBest = false } = options;
    if (typeof score !== 'function')
      throw new InvalidOptionError(`score is ${show(score)}, expected a function of main`);
    this.#score = score;
    this.#publishOnlyBest = publishOnlyBest;
  }

  /** The best main so far, a copy; the first of equals. Undefined before the first merge. */
  get best(): BestMain | undefined {
    this.#settle();
    return this.#best && { ...this.#best, parameters: this.#best.parameters.clone() };
  }

  setup(host: PluginHost): void {
    this.#host = host;
    // A merge that fails behind this plugin rejects its updates: what was judged never became main.
    this.#stops.push(
      host.on('updateRejected', () => {
        if (host.version !== this.#candidate?.version) this.#candidate = undefined;
      }),
    );
  }

  afterMerge({ version, main }: MergedInfo): void {
    this.#settle();
    const score: unknown = this.#score(main.clone());
    if (typeof score !== 'number' || Number.isNaN(score)) {
      throw new NonFiniteError(`the score of version ${version} is ${show(score)}, expected a number`);
    }
    this.#candidate = { version, score, parameters: main.clone({ baseVersion: version }) };
  }

  beforePublish({ version }: PublicationInfo): boolean {
    this.#settle();
    // A main that was set, not merged, was not judged: whoever set it wants it out.
    const score = this.#scores.get(version);
    for (const older of this.#scores.keys()) if (older <= version) this.#scores.delete(older);
    return !this.#publishOnlyBest || score === undefined || score >= (this.#best?.score ?? score);
  }

  save(): JsonValue {
    this.#settle();
    return this.#saved;
  }

  load(state: JsonValue): void {
    if (state === null) return;
    const { best, last } = state as { best?: JsonValue; last?: JsonValue };
    const read = readBest(best);
    this.#best = read;
    this.#savedBest = best ?? null;
    this.#saved = state;
    if (Array.isArray(last) && last.length === 2) this.#scores.set(Number(last[0]), Number(last[1]));
  }

  dispose(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** What was judged is main now: it counts. */
  #settle(): void {
    const candidate = this.#candidate;
    if (candidate === undefined || this.#host === undefined || candidate.version > this.#host.version) return;
    this.#candidate = undefined;
    const { version, score, parameters } = candidate;
    this.#scores.set(version, score);
    for (const oldest of this.#scores.keys()) if (this.#scores.size > scoresMax) this.#scores.delete(oldest);
    const isBetter = this.#best === undefined || score > this.#best.score;
    if (isBetter) {
      this.#best = candidate;
      // Infinity has no JSON: as text every number comes back.
      this.#savedBest = {
        version,
        score: String(score),
        parameters: { ...parameters.toJSON() } as JsonValue,
      };
    }
    // After a restart the stored main is judged again by what it scored.
    if (isBetter || this.#publishOnlyBest)
      this.#saved = { best: this.#savedBest, last: [version, String(score)] };
  }
}

/** Mains that wait to be published and whose scores are known; of older ones it is forgotten. */
const scoresMax = 1_024;

function readBest(json: JsonValue | undefined): BestMain {
  const { version, score, parameters } = (json ?? {}) as {
    version?: unknown;
    score?: unknown;
    parameters?: unknown;
  };
  if (!Number.isSafeInteger(version) || typeof score !== 'string' || Number.isNaN(Number(score))) {
    throw new MalformedDataError('the memory of a best main keeper has version, score and parameters');
  }
  return {
    version: version as number,
    score: Number(score),
    parameters: ModelParameters.fromJSON(parameters),
  };
}
