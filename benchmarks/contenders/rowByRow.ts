// brain.js and synaptic: networks that learn from one row at a time. Their output layers and losses are their own
// (they have no softmax with cross-entropy), so what is compared is the time of a step, and that the error falls.
import assert from 'node:assert/strict';
import type { Contender } from '../harness.ts';
import type { Rows } from './data.ts';
import { loadPeer } from './load.ts';

interface BrainNetwork {
  initialize(): void;
  sizes: number[];
  updateTrainingOptions(options: object): void;
  /** One row; the error only if asked for. */
  trainPattern(row: { input: Float32Array; output: Float32Array }, isErrorWanted?: boolean): number;
}

interface Brain {
  readonly default: new (options: object) => BrainNetwork;
}

interface SynapticNetwork {
  activate(input: readonly number[]): number[];
  propagate(rate: number, target: readonly number[]): void;
  readonly layers: { readonly hidden: readonly { set(options: object): void }[] };
}

interface Synaptic {
  readonly Architect: { readonly Perceptron: new (...units: number[]) => SynapticNetwork };
  readonly Neuron: { readonly squash: Readonly<Record<'RELU' | 'LOGISTIC', unknown>> };
}

/** Contenders of those that are installed. A step is `batchSize` rows. */
export function rowByRowPeers(
  network: { units: readonly number[]; batchSize: number; rate: number },
  rows: Rows<Float32Array>,
): Contender[] {
  const { units } = network;
  const { data, columns } = rows.features;
  const patterns = Array.from(rows.labels, (label, row) => ({
    input: data.slice(row * columns, (row + 1) * columns),
    output: Float32Array.from({ length: units.at(-1)! }, (_, index) => (index === label ? 1 : 0)),
  }));
  // The module of the network alone: the entry also loads a backend for graphics cards.
  const brain = loadPeer<Brain>('brain.js', 'brain.js/dist/neural-network.js');
  const synaptic = loadPeer<Synaptic>('synaptic');
  const steps = patterns.length / network.batchSize;
  return [
    ...(brain === undefined ? [] : [brainSteps(brain, network, patterns, steps)]),
    ...(synaptic === undefined ? [] : [synapticSteps(synaptic, network, patterns, steps)]),
  ];
}

type Patterns = readonly { readonly input: Float32Array; readonly output: Float32Array }[];

/** relu in every layer, the last included; mean squared error. Rows as typed arrays, which it is fastest with. */
function brainSteps(
  brain: Brain,
  { units, rate }: { units: readonly number[]; rate: number },
  patterns: Patterns,
  steps: number,
): Contender {
  const network = new brain.default({ hiddenLayers: units.slice(1, -1), activation: 'relu' });
  network.sizes = [...units];
  network.initialize();
  network.updateTrainingOptions({ learningRate: rate, momentum: 1e-9 });
  const errors = Array.from({ length: 3 }, () =>
    patterns.reduce((sum, pattern) => sum + network.trainPattern(pattern, true), 0),
  );
  assert.ok(errors.at(-1)! < errors[0]!, `brain.js does not learn: ${errors.join(', ')}`);
  return {
    name: 'brain.js',
    units: steps,
    run() {
      for (const pattern of patterns) network.trainPattern(pattern);
      return network;
    },
  };
}

/** relu, then logistic outputs. It compiles itself at the first rows. */
function synapticSteps(
  { Architect, Neuron }: Synaptic,
  { units, rate }: { units: readonly number[]; rate: number },
  patterns: Patterns,
  steps: number,
): Contender {
  const network = new Architect.Perceptron(...units);
  for (const layer of network.layers.hidden) layer.set({ squash: Neuron.squash.RELU });
  const rows = patterns.map(({ input, output }) => ({ input: [...input], output: [...output] }));
  const pass = (): number => {
    let error = 0;
    for (const { input, output } of rows) {
      const got = network.activate(input);
      for (let i = 0; i < output.length; i++) error += (got[i]! - output[i]!) ** 2;
      network.propagate(rate, output);
    }
    return error;
  };
  const errors = [pass(), pass(), pass()];
  assert.ok(errors[2]! < errors[0]!, `synaptic does not learn: ${errors.join(', ')}`);
  return {
    name: 'synaptic',
    units: steps,
    run() {
      for (const { input, output } of rows) {
        network.activate(input);
        network.propagate(rate, output);
      }
      return network;
    },
  };
}
