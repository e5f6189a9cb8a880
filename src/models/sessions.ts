import { selectedBuild } from '../kernels/selection.ts';
import type { NetworkEvaluator, TrainingSession } from '../kernels/TrainingSession.ts';
import type { NetworkShape } from '../kernels/wasm/networkShape.ts';
import { shapeNetwork } from '../kernels/wasm/networkShape.ts';
import { WasmEvaluator } from '../kernels/wasm/WasmEvaluator.ts';
import { WasmNetwork } from '../kernels/wasm/WasmNetwork.ts';
import { WasmPass } from '../kernels/wasm/WasmPass.ts';
import { WasmTraining } from '../kernels/wasm/WasmTraining.ts';
import { isResident } from '../kernels/wasm/workspacePlaces.ts';
import { scheduledRate } from '../optimizers/LearningRateSchedule.ts';
import type { DataType, Values } from '../parameters/values.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { rowsPerChunk } from './DenseNetwork.ts';
import type { Dropout } from './dropout.ts';
import { drawMask } from './dropout.ts';
import type { Matrix } from './features.ts';
import type { Targets } from './losses.ts';
import { Objective } from './Objective.ts';
import type { StepRule } from './ParameterSteps.ts';
import { kernelRuleOf, ParameterSteps } from './ParameterSteps.ts';
import type { Penalty } from './penalty.ts';
import { ReferenceEvaluator, ReferenceTraining } from './ReferenceSession.ts';

/** A network and its rows. */
export interface SessionData {
  readonly network: DenseNetwork;
  readonly features: Matrix;
  readonly targets: Targets;
  readonly dtype: DataType;
  /** Most bytes of features that the kernels keep a copy of; what is larger they copy in each pass. 512 MiB. */
  readonly residentBytesMax?: number;
}

/** What a training does besides. `values` and the state in `rule` are the model's own. */
export interface SessionPlan extends SessionData {
  readonly values: Values;
  readonly rule: StepRule;
  readonly penalty: Required<Penalty>;
  readonly dropout: Dropout;
  readonly batchSize: number;
  readonly savedGradient: Float64Array<ArrayBuffer> | undefined;
  /** Whether the training pauses between chunks of rows, which have to be short then. */
  readonly isSliced: boolean;
}

/** Rows of a chunk where nothing waits: enough for the kernels to run at full speed, few enough to stay in the cache. */
const fullChunkRows = 256;

/** A training by the kernels in use; by the reference where they have no room for it. */
export function createTraining(plan: SessionPlan): TrainingSession {
  return createWasmTraining(plan) ?? createReferenceTraining(plan);
}

/** Costs and gradients by the kernels in use. */
export function createEvaluator(data: SessionData, isSliced: boolean): NetworkEvaluator {
  const { network, features, targets, dtype, residentBytesMax } = data;
  const build = selectedBuild();
  const shape = build && shapeNetwork(network, dtype);
  const workspace =
    shape &&
    WasmNetwork.create(build, shape, {
      chunkRows: Math.min(features.rows, isSliced ? slicedChunkRows(network) : fullChunkRows),
      data: { features, targets },
      gathers: false,
      extraArrays: 1,
      savedLength: 0,
      dropout: [],
      residentBytesMax,
    });
  if (workspace !== undefined) return new WasmEvaluator(workspace);
  return new ReferenceEvaluator(new Objective(network, features, targets, dtype));
}

/**
 * Rows that a fast kernel works through in one to two milliseconds: a multiple of 4, which is where the kernels' sums
 * over rows may be cut, and of the blocks of 32 that regressions work in.
 */
function slicedChunkRows(network: DenseNetwork): number {
  const rows = Math.floor(2 ** 22 / (network.layout.length + 1));
  if (rows >= fullChunkRows) return fullChunkRows;
  return rows >= 32 ? rows - (rows % 32) : Math.max(4, rows - (rows % 4));
}

function createReferenceTraining(plan: SessionPlan): TrainingSession {
  const { network, features, targets, dtype, values, rule, penalty, dropout, savedGradient } = plan;
  const objective = new Objective(network, features, targets, dtype, dropout);
  return new ReferenceTraining({ objective, values, rule, penalty, savedGradient });
}

function createWasmTraining(plan: SessionPlan): TrainingSession | undefined {
  const { network, features, targets, dtype, values, rule, dropout, savedGradient, residentBytesMax } = plan;
  const build = selectedBuild();
  const shape = build && shapeNetwork(network, dtype);
  if (shape === undefined) return undefined;
  const dropsOut = dropout.shares.some((share) => share > 0);
  const kernel = kernelRuleOf(rule, dtype);
  const workspace = WasmNetwork.create(build as NonNullable<typeof build>, shape, {
    chunkRows: chunkRowsOf(plan, dropsOut, shape),
    data: { features, targets },
    gathers: plan.batchSize < features.rows,
    extraArrays: 1 + (kernel?.slotCount ?? 0),
    savedLength: savedGradient === undefined ? 0 : shape.length,
    dropout: dropout.shares,
    residentBytesMax,
  });
  if (workspace === undefined) return undefined;
  const pass = new WasmPass(workspace, dropout.shares, (layer, mask, count) => {
    drawMask(mask, count, dropout.shares[layer] as number, dropout.random);
  });
  return new WasmTraining(workspace, pass, {
    values,
    state: rule.state,
    rule: kernel ?? stepInJavaScript(rule, values),
    rate: (steps) => rateOf(rule, steps),
    clipping: rule.clipping,
    trainable: rule.trainable,
    penalty: plan.penalty,
    savedGradient,
  });
}

/** Masks of dropout are drawn chunk by chunk, so that with it a chunk depends on the network alone. */
function chunkRowsOf(plan: SessionPlan, dropsOut: boolean, shape: NetworkShape): number {
  const { network, features, targets, batchSize, isSliced, residentBytesMax } = plan;
  if (dropsOut) return Math.min(rowsPerChunk(network), features.rows);
  // Regressions have no buffers that grow with a chunk, unless rows are copied together or into reach.
  const isWhole = shape.isRegression && !isSliced && batchSize >= features.rows;
  if (isWhole && isResident(shape, { data: { features, targets }, residentBytesMax })) return features.rows;
  const most = isSliced ? slicedChunkRows(network) : fullChunkRows;
  return Math.min(most, features.rows, batchSize);
}

/** The learning rate of the step before which so many were made. */
export function rateOf({ schedule, learningRate, round }: StepRule, step: number): number {
  return schedule === undefined ? learningRate : scheduledRate(schedule, { base: learningRate, step, round });
}

/** A rule of the user's own works on ordinary arrays. */
function stepInJavaScript(rule: StepRule, values: Values): (gradient: Float64Array<ArrayBuffer>) => void {
  let steps: ParameterSteps | undefined;
  return (gradient) => {
    // The same array at every step.
    steps ??= new ParameterSteps(rule, values, gradient);
    steps.take();
  };
}
