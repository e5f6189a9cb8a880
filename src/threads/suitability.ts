import type { KernelRule } from '../kernels/TrainingSession.ts';
import type { NetworkShape } from '../kernels/wasm/networkShape.ts';
import { shapeNetwork } from '../kernels/wasm/networkShape.ts';
import { kernelRuleOf } from '../models/ParameterSteps.ts';
import type { SessionPlan } from '../models/sessions.ts';
import { show } from '../show.ts';
import type { TrainingWork } from './gain.ts';

/** A training that threads can do. */
export interface ThreadedWork extends TrainingWork {
  readonly shape: NetworkShape;
  readonly kernel: KernelRule;
}

/** What threads would have to do for a training, or why they cannot. */
export function threadedWork(plan: SessionPlan): ThreadedWork | string {
  const { network, features, dtype, dropout, rule, batchSize } = plan;
  // Masks are drawn one after the other, by one source of chance.
  if (dropout.shares.some((share) => share > 0)) return 'dropout is not done in threads';
  if (rule.term !== undefined) return 'a proximal term and a gradient correction are added in JavaScript';
  const kernel = kernelRuleOf(rule, dtype);
  if (kernel === undefined) return `optimizer ${show(rule.optimizer.name)} steps in JavaScript`;
  const shape = shapeNetwork(network, dtype);
  if (shape === undefined) return `loss ${show(network.loss.name)} is done in JavaScript`;
  const last = shape.layers.length - 1;
  const layer = shape.layers.findIndex(
    ({ code }, index) => code < 0 && !shape.isRegression && !(shape.isFused && index === last),
  );
  if (layer >= 0) return `the activation of layer ${layer} is done in JavaScript`;
  return {
    shape,
    kernel,
    widths: [features.columns, ...network.layers.map(({ outputs }) => outputs)],
    parameters: shape.length,
    rows: features.rows,
    batchSize,
    dtype,
    slotCount: kernel.slotCount,
    meetings: rule.clipping !== undefined && 'norm' in rule.clipping ? 3 : 2,
  };
}
