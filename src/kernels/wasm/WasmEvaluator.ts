import type { Values } from '../../parameters/values.ts';
import type { NetworkEvaluator } from '../TrainingSession.ts';
import type { WasmNetwork } from './WasmNetwork.ts';
import { WasmPass } from './WasmPass.ts';

/** Costs and gradients by the kernels in WebAssembly. */
export class WasmEvaluator implements NetworkEvaluator {
  readonly chunkRows: number;
  readonly #network: WasmNetwork;
  readonly #pass: WasmPass;
  #sum = 0;
  #isFresh = true;

  constructor(network: WasmNetwork) {
    this.chunkRows = network.chunkRows;
    this.#network = network;
    this.#pass = new WasmPass(network, [], undefined);
  }

  begin(values: Values): void {
    this.#network.load(values);
    this.#sum = 0;
    this.#isFresh = true;
  }

  add(first: number, count: number, withGradient: boolean): void {
    this.#sum = withGradient
      ? this.#pass.accumulate(first, count, this.#isFresh, this.#sum)
      : this.#pass.cost(first, count, this.#sum);
    this.#isFresh = false;
  }

  get cost(): number {
    return this.#sum / this.#network.costDivisor;
  }

  readGradient(target: Float64Array<ArrayBuffer>): void {
    this.#network.unload(target, this.#network.extraAddress(0));
  }

  release(): void {
    this.#network.release();
  }
}
