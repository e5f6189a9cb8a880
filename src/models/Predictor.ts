import { selectedBuild } from '../kernels/selection.ts';
import type { WasmBuild } from '../kernels/wasm/compile.ts';
import type { NetworkShape } from '../kernels/wasm/networkShape.ts';
import { shapeForPredictions } from '../kernels/wasm/networkShape.ts';
import { ResidentPredictors } from '../kernels/wasm/ResidentPredictors.ts';
import type { WasmPredictor } from '../kernels/wasm/WasmPredictor.ts';
import { residentPredictorBytesMax } from '../limits.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues, dataTypeOf, findNonFinite } from '../parameters/values.ts';
import { forward, outputsOf } from './DenseNetwork.ts';
import type { Matrix } from './features.ts';
import type { ModelState } from './ModelState.ts';

/** Numbers of an array that is kept for the next prediction. */
const spareLengthMax = 1024;

/** One for all models of a thread. */
const residents = new ResidentPredictors(residentPredictorBytesMax);

/**
 * Predictions with the parameters of one state, by the kernels in use: these have a copy of the parameters that stays
 * until the state changes, or until other models take its place.
 */
export class Predictor {
  readonly state: ModelState;
  readonly #outputs: number;
  readonly #dtype: DataType;
  readonly #shape: NetworkShape | undefined;
  #resident: WasmPredictor | undefined;
  #spare: Values | undefined;
  /** The version of the parameters that `#resident` has; −1 where it may be none. */
  #loadedVersion = -1;

  constructor(state: ModelState) {
    this.state = state;
    this.#outputs = outputsOf(state.network);
    this.#dtype = dataTypeOf(state.values);
    this.#shape = shapeForPredictions(state.network, this.#dtype);
  }

  /**
   * The last layer's activations for every row, rows × outputs; undefined where a feature is not finite. Which rows
   * come together does not matter to them.
   */
  predict(features: Matrix): Values | undefined {
    const build = selectedBuild();
    const { rows, data } = features;
    const predictor = build && this.#find(build, rows);
    if (predictor === undefined) return this.#predictByReference(features);
    const outputs = this.#takeValues(rows * this.#outputs);
    try {
      return predictor.predict(data, rows, outputs) ? outputs : undefined;
    } finally {
      if (predictor !== this.#resident) predictor.release();
    }
  }

  /** Takes an array back that `predict` gave, when nobody reads it any more: for the next prediction of as many rows. */
  giveBack(outputs: Values): void {
    if (outputs.length <= spareLengthMax) this.#spare = outputs;
  }

  #takeValues(length: number): Values {
    const spare = this.#spare;
    // Gone while it is in use: an activation may ask for another prediction.
    this.#spare = undefined;
    return spare !== undefined && spare.length === length ? spare : createValues(this.#dtype, length);
  }

  #predictByReference(features: Matrix): Values | undefined {
    if (findNonFinite(features.data) >= 0) return undefined;
    const { network, values } = this.state;
    return forward(network, values, features, this.#dtype);
  }

  /** A predictor with the parameters as they are now: the resident one, or one for this prediction alone. */
  #find(build: WasmBuild, rows: number): WasmPredictor | undefined {
    const { state } = this;
    let resident = this.#resident;
    if (resident?.isBusy === true) return this.#createPassing(build, rows);
    if (resident?.suits(build, rows) !== true) {
      resident = this.#renew(build, rows);
      if (resident === undefined) return this.#createPassing(build, rows);
    }
    residents.use(resident);
    if (this.#loadedVersion !== state.version || state.isChanging) {
      resident.load(state.values);
      this.#loadedVersion = state.isChanging ? -1 : state.version;
    }
    return resident;
  }

  #renew(build: WasmBuild, rows: number): WasmPredictor | undefined {
    if (this.#resident !== undefined) residents.release(this.#resident);
    this.#loadedVersion = -1;
    this.#resident = this.#shape && residents.create(build, this.#shape, rows, this);
    return this.#resident;
  }

  #createPassing(build: WasmBuild, rows: number): WasmPredictor | undefined {
    const predictor = this.#shape && residents.createPassing(build, this.#shape, rows);
    predictor?.load(this.state.values);
    return predictor;
  }
}
