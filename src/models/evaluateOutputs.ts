import { Evaluation } from '../evaluation/Evaluation.ts';
import type { Values } from '../parameters/values.ts';
import { architectureClasses, classIndices, probabilityRows } from './classification.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import type { Targets } from './losses.ts';

/** Compares the outputs of a network, rows × columns, with what was wanted. */
export function evaluateOutputs(
  network: DenseNetwork,
  outputs: Values,
  targets: Targets,
  rows: number,
): Evaluation {
  if (targets.kind === 'rows') {
    const { values: labels, columns } = targets;
    return Evaluation.ofRegression({ predicted: outputs, labels, rows, outputs: columns });
  }
  const classes = architectureClasses(network.layout.architecture) ?? [];
  const { indices: actual } = targets;
  if (network.loss.name !== 'hinge') {
    const probabilities = probabilityRows(outputs, rows, classes.length).flat();
    return Evaluation.ofClassification({
      classes,
      actual,
      predicted: classIndices(outputs, rows),
      probabilities,
    });
  }
  // A margin tells its class by its sign. It ranks rows, but is no probability.
  const predicted = classIndices(outputs, rows, 0);
  const scores = classes.length === 2 ? { scores: outputs } : {};
  return Evaluation.ofClassification({ classes, actual, predicted, ...scores });
}
