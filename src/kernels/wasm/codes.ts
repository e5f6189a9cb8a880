// Numbers that stand for names in assembly/. What has none is done in JavaScript, or not at all by these kernels.

/** assembly/activations.ts. */
export const activationCodes: ReadonlyMap<string | object, number> = new Map([
  ['identity', 0],
  ['relu', 1],
  ['leakyRelu', 2],
  ['elu', 3],
  ['tanh', 4],
  ['sigmoid', 5],
  ['softplus', 6],
  ['silu', 7],
  ['mish', 8],
  ['gaussian', 9],
  ['softmax', 10],
]);

/** assembly/losses.ts. */
export const lossCodes: ReadonlyMap<string, number> = new Map([
  ['meanSquaredError', 0],
  ['huber', 1],
  ['binaryCrossEntropy', 2],
  ['crossEntropy', 3],
  ['hinge', 4],
]);

/** assembly/optimizers.ts. AdamW is Adam with a weight decay. */
export const optimizerCodes: ReadonlyMap<string, number> = new Map([
  ['gradientDescent', 0],
  ['momentum', 1],
  ['nesterov', 2],
  ['adaGrad', 3],
  ['rmsProp', 4],
  ['adam', 5],
  ['adamW', 5],
]);
