/** How long and how fast each way of training goes. */
export interface Plan {
  readonly gradients: { readonly rounds: number; readonly learningRate: number };
  /** `epochs` are passes of a child over its rows in each round. */
  readonly parameters: {
    readonly rounds: number;
    readonly epochs: number;
    readonly learningRate: number;
    readonly batchSize: number;
  };
  /** Plain gradient descent, which has no way to make up for the scale of its features. */
  readonly scaling: Plan['parameters'];
}

/** The plan of the demo. A child alone and the central model make as many passes as the children that merge. */
export const demoPlan: Plan = {
  gradients: { rounds: 150, learningRate: 0.02 },
  parameters: { rounds: 60, epochs: 4, learningRate: 0.003, batchSize: 16 },
  scaling: { rounds: 20, epochs: 4, learningRate: 0.1, batchSize: 16 },
};

/** Passes over the rows of whoever trains without a coordinator. */
export function epochsAlone({ parameters }: Plan): number {
  return parameters.rounds * parameters.epochs;
}
