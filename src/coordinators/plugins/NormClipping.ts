import { InvalidOptionError, UpdateRefusedError } from '../../errors.ts';
import { Gradients } from '../../parameters/Gradients.ts';
import type { Values } from '../../parameters/values.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import type { Plugin, PluginHost, Update } from './Plugin.ts';

/** Options of NormClipping. */
export interface NormClippingOptions {
  /** The largest Euclidean norm that an update may have, above 0. */
  maximumNorm: number;
  /** What happens beyond it: `'clip'` (default) scales the update down to the norm, `'refuse'` refuses it. */
  action?: 'clip' | 'refuse';
}

/**
 * Bounds how far one update can move main: the norm of gradients, or the distance of parameters from main (McMahan
 * et al. 2018, algorithm 1: Δ · min(1, C / ‖Δ‖)). Parameters that come before there is a main pass as they are.
 * Alone it is no defence against many children that agree.
 */
export class NormClipping implements Plugin {
  readonly name: string = 'normClipping';
  readonly #maximumNorm: number;
  readonly #action: 'clip' | 'refuse';
  #host: PluginHost | undefined;
  #clipped = 0;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: NormClippingOptions) {
    refuseUnknownOptions(options, ['maximumNorm', 'action'], 'NormClipping');
    const { maximumNorm, action = 'clip' } = options;
    if (!(Number.isFinite(maximumNorm) && maximumNorm > 0)) {
      throw new InvalidOptionError(`maximumNorm is ${show(maximumNorm)}, expected a finite number above 0`);
    }
    if (action !== 'clip' && action !== 'refuse') {
      throw new InvalidOptionError(`action is ${show(action)}, expected 'clip' or 'refuse'`);
    }
    this.#maximumNorm = maximumNorm;
    this.#action = action;
  }

  /** Updates that were above the norm so far. */
  get clippedUpdates(): number {
    return this.#clipped;
  }

  setup(host: PluginHost): void {
    this.#host = host;
  }

  onUpdate(update: Update): Update | undefined {
    const { content } = update;
    const isGradients = Gradients.isGradients(content);
    // Nothing to measure the first parameters from.
    if (!isGradients && (this.#host?.version ?? 0) === 0) return undefined;
    const reference = isGradients ? undefined : this.#host?.getModelParameters().values;
    const norm = distance(content.values, reference);
    if (norm <= this.#maximumNorm) return undefined;
    this.#clipped++;
    if (this.#action === 'refuse') {
      throw new UpdateRefusedError(
        `the update has norm ${norm.toPrecision(6)}, at most ${this.#maximumNorm} is allowed`,
      );
    }
    const clipped = content.clone();
    scaleTowards(clipped.values, reference, this.#maximumNorm / norm);
    return { ...update, content: clipped };
  }
}

/** ‖a − b‖, or ‖a‖ without b. Scaled by the largest entry, so that finite numbers have a finite norm where there is one. */
function distance(a: Values, b: Values | undefined): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs((a[i] as number) - (b === undefined ? 0 : (b[i] as number))));
  }
  if (largest === 0 || largest === Infinity) return largest;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const scaled = ((a[i] as number) - (b === undefined ? 0 : (b[i] as number))) / largest;
    sum += scaled * scaled;
  }
  return largest * Math.sqrt(sum);
}

/** a ← b + factor (a − b), in place. */
function scaleTowards(a: Values, b: Values | undefined, factor: number): void {
  for (let i = 0; i < a.length; i++) {
    const from = b === undefined ? 0 : (b[i] as number);
    a[i] = from + factor * ((a[i] as number) - from);
  }
}
