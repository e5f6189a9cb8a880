import { NeuralNetwork } from 'mainstem';
import { inkMax, pixelsPerDigit } from './ink.ts';

/** What a network sees of a digit: numbers between 0 and 1. */
export function toFeatures(pixels: readonly number[]): number[] {
  return pixels.map((pixel) => pixel / inkMax);
}

/**
 * The same network everywhere. A tab takes no steps of its own (learning rate 0): it only says in which direction main
 * should go, by the gradient of one batch.
 */
export function createModel(): NeuralNetwork {
  return new NeuralNetwork({
    layers: [pixelsPerDigit, { units: 32, activation: 'relu' }, { units: 10, activation: 'softmax' }],
    optimizer: 'gradientDescent',
    learningRate: 0,
    maximumNumberOfIterations: 1,
    batchSize: 1_024,
    seed: 1,
  });
}
