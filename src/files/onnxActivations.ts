import { UnsupportedModelError } from '../errors.ts';
import type { JsonValue } from '../parameters/architecture.ts';
import { show } from '../show.ts';
import type { OnnxGraph } from './OnnxGraph.ts';

/** Adds the nodes of a(x) and returns the name of its value. */
type Emit = (graph: OnnxGraph, x: string) => string;

/** Each activation by the operators of set 15, which has no Gelu, no Mish and no Swish. */
const activations: Readonly<Record<string, Emit>> = {
  identity: (_graph, x) => x,
  relu: (graph, x) => graph.node('Relu', [x]),
  leakyRelu: (graph, x) => graph.node('LeakyRelu', [x], { alpha: { float: 0.01 } }),
  tanh: (graph, x) => graph.node('Tanh', [x]),
  sigmoid: (graph, x) => graph.node('Sigmoid', [x]),
  softmax: (graph, x) => graph.node('Softmax', [x], { axis: { int: 1 } }),
  // α (e^x − 1) below 0.
  elu: (graph, x) => graph.node('Elu', [x], { alpha: { float: 1 } }),
  // x/2 · (1 + erf(x/√2)).
  gelu: (graph, x) => {
    const erf = graph.node('Erf', [graph.node('Mul', [x, graph.constant(Math.SQRT1_2)])]);
    const half = graph.node('Mul', [x, graph.constant(0.5)]);
    return graph.node('Mul', [half, graph.node('Add', [erf, graph.constant(1)])]);
  },
  silu: (graph, x) => graph.node('Mul', [x, graph.node('Sigmoid', [x])]),
  softplus: (graph, x) => graph.node('Softplus', [x]),
  // e^(−x²).
  gaussian: (graph, x) => graph.node('Exp', [graph.node('Neg', [graph.node('Mul', [x, x])])]),
  // x · tanh(ln(1 + e^x)).
  mish: (graph, x) => graph.node('Mul', [x, graph.node('Tanh', [graph.node('Softplus', [x])])]),
};

/** Adds an activation by its description in the architecture. Throws UnsupportedModelError for one without nodes. */
export function emitActivation(graph: OnnxGraph, description: JsonValue, x: string): string {
  if (typeof description === 'string' && Object.hasOwn(activations, description)) {
    return (activations[description] as Emit)(graph, x);
  }
  const names = Object.keys(activations).join(', ');
  throw new UnsupportedModelError(
    `activation ${show(description)} cannot be written as ONNX; those that can are ${names}`,
  );
}
