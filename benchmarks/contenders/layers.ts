/** One layer of a network as peers want it. */
export interface LayerValues {
  readonly inputs: number;
  readonly outputs: number;
  /** inputs × outputs. */
  readonly weights: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
}

/** The layers in mainstem's flat values: each layer's weights, then its bias. Copies. */
export function layerSlices(units: readonly number[], values: Float32Array): LayerValues[] {
  let at = 0;
  return units.slice(1).map((outputs, layer) => {
    const inputs = units[layer]!;
    const middle = at + inputs * outputs;
    const weights = Float32Array.from(values.subarray(at, middle));
    at = middle + outputs;
    return { inputs, outputs, weights, bias: Float32Array.from(values.subarray(middle, at)) };
  });
}
