// What a training does with a gradient, and the whole step in one call.
import { backward, forward, gatherRows, lossOf, Network } from './network';
import { Rule, takeStep } from './optimizers';
import { Regression, regress } from './regression';

/** A training: a network or a regression, and what its steps work on. */
@unmanaged
export class Training {
  network: Network;
  /** 0: the network is more than one layer with one output. */
  regression: usize;
  /** 32-bit row numbers, 0 where rows come in order. */
  order: usize;
  values: usize;
  gradient: usize;
  firstSlot: usize;
  secondSlot: usize;
  /** Numbers of values, of the gradient and of each slot: whole vectors. */
  length: i32;
  rule: Rule;
  /** Pairs of 32-bit integers, start and length of each run of weights in `values`. */
  weightRuns: usize;
  weightRunCount: i32;
  l1: f64;
  l2: f64;
  /** What a summed cost is divided by to be a mean over outputs. */
  costDivisor: f64;
}

/** `sum` and the cost of rows, with their gradient begun afresh or added. */
export function accumulate<T>(training: Training, first: i32, count: i32, isFresh: bool, sum: f64): f64 {
  const network = training.network;
  const order = training.order;
  const input = gatherRows<T>(network, order, first, count);
  if (training.regression !== 0) {
    if (isFresh) memory.fill(training.gradient, 0, <usize>training.length * sizeof<T>());
    const regression = changetype<Regression>(training.regression);
    return regress<T>(regression, input, order, first, count, true, sum);
  }
  forward<T>(network, input, count, network.isFused === 0);
  const cost = lossOf<T>(network, order, first, count, sum);
  backward<T>(network, input, count, isFresh);
  return cost;
}

/** `sum` and the cost of rows that come in order. */
export function costOf<T>(training: Training, first: i32, count: i32, sum: f64): f64 {
  const network = training.network;
  const input = gatherRows<T>(network, 0, first, count);
  if (training.regression !== 0) {
    return regress<T>(changetype<Regression>(training.regression), input, 0, first, count, false, sum);
  }
  forward<T>(network, input, count, network.isFused === 0);
  return lossOf<T>(network, 0, first, count, sum);
}

/** Turns summed cost and gradient of `rows` rows into means and adds the penalty. */
export function finishMean<T>(training: Training, sum: f64, rows: i32): f64 {
  const gradient = training.gradient;
  const bytes = <usize>training.length * sizeof<T>();
  const divisor = v128.splat<T>(<T>rows);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(gradient + at, v128.div<T>(v128.load(gradient + at), divisor));
  }
  return sum / training.costDivisor / <f64>rows + penaltyOf<T>(training, true);
}

/** l1 Σ |w| + l2/2 Σ w², and its gradient if asked for. */
export function penaltyOf<T>(training: Training, addsGradient: bool): f64 {
  const l1 = training.l1;
  const l2 = training.l2;
  if (l1 === 0 && l2 === 0) return 0;
  let cost: f64 = 0;
  for (let run = 0; run < training.weightRunCount; run++) {
    const entry = training.weightRuns + ((<usize>run) << 3);
    const start = <usize>load<i32>(entry) * sizeof<T>();
    const end = start + <usize>load<i32>(entry, 4) * sizeof<T>();
    for (let at = start; at < end; at += sizeof<T>()) {
      const weight = <f64>load<T>(training.values + at);
      cost += l1 * abs<f64>(weight) + (l2 / 2) * weight * weight;
      if (!addsGradient) continue;
      const sign: f64 = weight > 0 ? 1 : weight < 0 ? -1 : 0;
      const place = training.gradient + at;
      store<T>(place, <T>(<f64>load<T>(place) + l1 * sign + l2 * weight));
    }
  }
  return cost;
}

/**
 * Forward, loss, backward, penalty and the optimizer's step: one batch in one call, with the bits of the single calls.
 * Returns its mean cost.
 */
export function trainBatch<T>(training: Training, first: i32, count: i32): f64 {
  const sum = accumulate<T>(training, first, count, true, 0);
  let cost: f64;
  let factor: f64 = 1;
  if (training.l1 === 0 && training.l2 === 0 && popcnt(count) === 1) {
    // The mean is taken on the way of the step. A power of two has an exact reciprocal: the bits are those of a division.
    factor = 1.0 / <f64>count;
    cost = sum / training.costDivisor / <f64>count;
  } else {
    cost = finishMean<T>(training, sum, count);
  }
  takeStep<T>(
    training.rule,
    training.values,
    training.gradient,
    training.firstSlot,
    training.secondSlot,
    training.length,
    factor,
  );
  return cost;
}

/** target += share · gradient, in double precision whatever the gradient is. */
export function addShare<T>(target: usize, gradient: usize, length: i32, share: f64): void {
  for (let i = 0; i < length; i++) {
    const place = target + ((<usize>i) << 3);
    store<f64>(place, load<f64>(place) + share * <f64>load<T>(gradient + <usize>i * sizeof<T>()));
  }
}
