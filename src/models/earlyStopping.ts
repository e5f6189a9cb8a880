import { InvalidOptionError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import { show } from '../show.ts';

/** When a training ends because the validation cost falls no more. */
export interface EarlyStoppingOptions {
  /** Iterations in a row without improvement after which training ends, 1 or more; 10. */
  patience?: number;
  /** How far the validation cost must fall below the best one to count as an improvement, 0 or more; 0. */
  minimumImprovement?: number;
  /** Whether a training that comes to its end, early or not, puts the parameters of the lowest cost back; true. */
  restoreBest?: boolean;
}

const names = ['patience', 'minimumImprovement', 'restoreBest'];

/** Throws InvalidOptionError unless the options are legal. */
export function checkEarlyStopping(options: EarlyStoppingOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError(`earlyStopping is ${show(options)}, expected an object`);
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new InvalidOptionError(`earlyStopping has no option ${unknown}; it has ${names.join(', ')}`);
  }
  const { patience = 1, minimumImprovement = 0, restoreBest = true } = options;
  if (!(Number.isSafeInteger(patience) && patience >= 1)) {
    throw new InvalidOptionError(`patience is ${show(patience)}, expected a whole number, 1 or more`);
  }
  if (!(Number.isFinite(minimumImprovement) && minimumImprovement >= 0)) {
    throw new InvalidOptionError(
      `minimumImprovement is ${show(minimumImprovement)}, expected a finite number, 0 or more`,
    );
  }
  if (typeof restoreBest !== 'boolean') {
    throw new InvalidOptionError(`restoreBest is ${show(restoreBest)}, expected true or false`);
  }
}

/** Watches the validation cost of one training and remembers its best parameters. */
export class EarlyStopping {
  readonly #patience: number;
  readonly #minimumImprovement: number;
  readonly #restoresBest: boolean;
  /** The cost that the next improvement is measured from. */
  #reference: number = Infinity;
  #lowest: number = Infinity;
  #iterationsWithout = 0;
  #best: Values | undefined;

  constructor({ patience = 10, minimumImprovement = 0, restoreBest = true }: EarlyStoppingOptions) {
    this.#patience = patience;
    this.#minimumImprovement = minimumImprovement;
    this.#restoresBest = restoreBest;
  }

  /** Takes the validation cost of the parameters in; returns whether training goes on. */
  observe(cost: number, values: Values): boolean {
    if (cost < this.#lowest) {
      this.#lowest = cost;
      if (this.#restoresBest) {
        this.#best ??= values.slice();
        this.#best.set(values);
      }
    }
    if (cost < this.#reference - this.#minimumImprovement) {
      this.#reference = cost;
      this.#iterationsWithout = 0;
      return true;
    }
    this.#iterationsWithout++;
    return this.#iterationsWithout < this.#patience;
  }

  /** Puts the parameters of the lowest cost back, where that is wanted. */
  restore(values: Values): void {
    if (this.#best !== undefined) values.set(this.#best);
  }
}
