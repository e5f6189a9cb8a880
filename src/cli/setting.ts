import type { Clock, ModelParameters, NeuralNetworkOptions } from 'mainstem';
import { NeuralNetwork, seededRandom } from 'mainstem';
import type { LabelledRows } from './digits.ts';
import { digitClasses } from './digits.ts';
import type { Plan } from './plan.ts';
import type { Progress } from './progress.ts';

/** The four ways to train, and by parameters again on raw pixels, without a scaler and behind one. */
export type WayName = 'alone' | 'central' | FederatedWay;

/** The ways in which children and a coordinator train together. */
export type FederatedWay = 'gradients' | 'parameters' | 'unscaled' | 'scaled';

/** What one way of training comes to. */
export interface Result {
  readonly name: WayName;
  /** Share of the held-out rows whose digit is recognised, 0 to 1; of children alone the mean. */
  readonly accuracy: number;
  /** The worst and the best child, of children alone. */
  readonly accuracyMin?: number;
  readonly accuracyMax?: number;
  /** Cycles of collect, combine, publish; 0 without a coordinator. */
  readonly rounds: number;
  /** Passes over the rows. */
  readonly epochs: number;
  /** Bytes of all frames, both ways; 0 without a coordinator. */
  readonly bytes: number;
  readonly seconds: number;
}

/** What all ways of training share. */
export interface Setting {
  readonly seed: number;
  readonly children: number;
  readonly plan: Plan;
  readonly heldOut: LabelledRows;
  /** The one initialisation that everybody starts from. */
  readonly start: ModelParameters;
  readonly clock: Clock;
  readonly progress: Progress;
  /** Ends the demo between two rounds, or between two steps of a training. */
  readonly signal: AbortSignal;
}

const hiddenUnits = 32;

/** The network of the demo, 64-32-10, untrained. */
export function createNetwork(options: NeuralNetworkOptions): NeuralNetwork {
  return new NeuralNetwork({
    layers: [
      64,
      { units: hiddenUnits, activation: 'relu' },
      { units: digitClasses.length, activation: 'softmax' },
    ],
    classes: digitClasses,
    ...options,
  });
}

/** A seed of its own for each child, so that they do not shuffle their rows alike. */
export function childSeeds(seed: number, children: number): number[] {
  const random = seededRandom(seed, 3);
  return Array.from({ length: children }, () => Math.floor(random.next() * 2 ** 32));
}

/** The share of held-out rows that a network with these parameters recognises. */
export function accuracyOf(parameters: ModelParameters, { heldOut }: Setting): number {
  const network = createNetwork({});
  network.setModelParameters(parameters);
  return network.score(heldOut.features, heldOut.labels);
}
