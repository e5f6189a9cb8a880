// One pass of a training by several threads in one memory. Each thread works through its part of a batch's rows with
// activations and a gradient of its own; then all meet, and each sums its stretch of all gradients and makes the step
// there: steps work number by number. Sums are taken in the order of the threads, so that the same number of threads
// gives the same bits. All addresses are those that src/kernels/wasm/SharedTraining.ts lays out and fills in.
import { Meeting, meet } from './meeting';
import { clipValues, measure, rescale, takeStep } from './optimizers';
import { accumulate, addShare, penaltyOf, Training } from './training';

/** What the threads of a training have in common. */
@unmanaged
export class Team {
  threads: i32;
  rows: i32;
  batchSize: i32;
  /** Most rows that a thread works through at once. */
  chunkRows: i32;
  /** 1, from any thread: the batch under way is not finished, nor any after it. */
  stop: i32;
  /** Batches of the pass whose step was made. */
  stepsMade: i32;
  meeting: Meeting;
  /** Of each thread, 32-bit addresses: where its gradient is. */
  gradients: usize;
  /** Two slips for each thread, for batches of even and of odd number. */
  slips: usize;
  /** Four doubles for each batch: the numbers of its step. */
  steps: usize;
  /** Doubles, the gradient of the pass, or 0 where it is not saved. */
  saved: usize;
  /** 0: not clipped. */
  normMax: f64;
  valueMax: f64;
  /** The row-weighted mean of the batches' costs; what is not finite ends the pass. */
  cost: f64;
}

/** What a thread tells the others about its part of a batch. A cache line each: nobody waits for a neighbour's. */
@unmanaged
export class Slip {
  sum: f64;
  penalty: f64;
  largest: f64;
  squares: f64;
  stop: i32;
  // Up to 64 bytes.
  unused0: i32;
  unused1: f64;
  unused2: f64;
  unused3: f64;
}

/** One thread of a team. */
@unmanaged
export class Member {
  team: Team;
  /** Its own, but for values, slots, features, labels and order; its runs of weights are those of its stretch. */
  training: Training;
  index: i32;
  /** Numbers that it sums and steps over, whole cache lines from the first. */
  start: i32;
  length: i32;
  /** Pairs of 32-bit integers, start and length of what is not frozen in its stretch. */
  pieces: usize;
  pieceCount: i32;
}

function slipOf(team: Team, index: i32, batch: i32): Slip {
  return changetype<Slip>(team.slips + <usize>(2 * index + (batch & 1)) * offsetof<Slip>());
}

/** The first row of a thread's part of a batch, in fours, which is how products go through rows. */
function partStart(count: i32, index: i32, threads: i32): i32 {
  const fours = (count + 3) >> 2;
  return min(count, (<i32>((<i64>fours * index) / threads)) << 2);
}

/** The summed cost of a thread's part of a batch; its gradient, where the part has any rows. */
function accumulatePart<T>(member: Member, first: i32, count: i32): f64 {
  const team = member.team;
  const training = member.training;
  const start = partStart(count, member.index, team.threads);
  const end = partStart(count, member.index + 1, team.threads);
  let sum: f64 = 0;
  for (let row = start; row < end; row += team.chunkRows) {
    const rows = min(team.chunkRows, end - row);
    sum = accumulate<T>(training, first + row, rows, row === start, sum);
  }
  return sum;
}

/** The mean of all gradients over a thread's stretch, in the thread's own gradient. */
function sumGradients<T>(member: Member, count: i32): void {
  const team = member.team;
  const threads = team.threads;
  const gradients = team.gradients;
  const begin = <usize>member.start * sizeof<T>();
  const end = begin + <usize>member.length * sizeof<T>();
  const target = member.training.gradient;
  const divisor = v128.splat<T>(<T>count);
  for (let at = begin; at < end; at += 64) {
    let s0 = v128.splat<T>(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let index = 0; index < threads; index++) {
      // Whoever had no rows has an older gradient.
      if (partStart(count, index, threads) === partStart(count, index + 1, threads)) continue;
      const source = <usize>load<i32>(gradients + ((<usize>index) << 2)) + at;
      s0 = v128.add<T>(s0, v128.load(source));
      s1 = v128.add<T>(s1, v128.load(source, 16));
      s2 = v128.add<T>(s2, v128.load(source, 32));
      s3 = v128.add<T>(s3, v128.load(source, 48));
    }
    v128.store(target + at, v128.div<T>(s0, divisor));
    v128.store(target + at, v128.div<T>(s1, divisor), 16);
    v128.store(target + at, v128.div<T>(s2, divisor), 32);
    v128.store(target + at, v128.div<T>(s3, divisor), 48);
  }
}

function pieceStart(member: Member, piece: i32): i32 {
  return load<i32>(member.pieces + ((<usize>piece) << 3));
}

function pieceLength(member: Member, piece: i32): i32 {
  return load<i32>(member.pieces + ((<usize>piece) << 3), 4);
}

/** The largest magnitude in a thread's pieces of the gradient, or with `scale` Σ (g/scale)². */
function measurePieces<T>(member: Member, scale: f64): f64 {
  let result: f64 = 0;
  for (let piece = 0; piece < member.pieceCount; piece++) {
    const at = member.training.gradient + <usize>pieceStart(member, piece) * sizeof<T>();
    const measured = measure<T>(at, pieceLength(member, piece), scale);
    result = scale === 0 ? max<f64>(result, measured) : result + measured;
  }
  return result;
}

/** Scales the gradient of all threads down to the norm allowed. The threads meet on the way. */
function clipNorm<T>(member: Member, batch: i32): void {
  const team = member.team;
  const threads = team.threads;
  const slip = slipOf(team, member.index, batch);
  slip.largest = measurePieces<T>(member, 0);
  slip.squares = slip.largest > 0 ? measurePieces<T>(member, slip.largest) : 0;
  meet(team.meeting, threads);
  let largest: f64 = 0;
  for (let index = 0; index < threads; index++)
    largest = max<f64>(largest, slipOf(team, index, batch).largest);
  if (!(largest > 0)) return;
  let squares: f64 = 0;
  for (let index = 0; index < threads; index++) {
    const other = slipOf(team, index, batch);
    const share = other.largest / largest;
    squares += share * share * other.squares;
  }
  const norm = sqrt<f64>(squares);
  if (!(largest * norm > team.normMax)) return;
  for (let piece = 0; piece < member.pieceCount; piece++) {
    const at = member.training.gradient + <usize>pieceStart(member, piece) * sizeof<T>();
    // By the largest number first: the norm itself may be too large for a float.
    rescale<T>(at, pieceLength(member, piece), largest, team.normMax / norm);
  }
}

/** The step over a thread's stretch. */
function stepStretch<T>(member: Member, batch: i32): void {
  const training = member.training;
  const rule = training.rule;
  const step = member.team.steps + ((<usize>batch) << 5);
  rule.rate = load<f64>(step);
  rule.firstCorrection = load<f64>(step, 8);
  rule.secondCorrection = load<f64>(step, 16);
  rule.weightDecay = load<f64>(step, 24);
  const valueMax = member.team.valueMax;
  for (let piece = 0; piece < member.pieceCount; piece++) {
    const at = <usize>pieceStart(member, piece) * sizeof<T>();
    const length = pieceLength(member, piece);
    const gradient = training.gradient + at;
    if (valueMax > 0) clipValues<T>(gradient, length, valueMax);
    const first = training.firstSlot === 0 ? <usize>0 : training.firstSlot + at;
    const second = training.secondSlot === 0 ? <usize>0 : training.secondSlot + at;
    takeStep<T>(rule, training.values + at, gradient, first, second, length, 1);
  }
}

/** The mean cost of a batch, from the slips of all. */
function costOf(member: Member, batch: i32, count: i32): f64 {
  const team = member.team;
  let sum: f64 = 0;
  let penalty: f64 = 0;
  for (let index = 0; index < team.threads; index++) {
    const slip = slipOf(team, index, batch);
    sum += slip.sum;
    penalty += slip.penalty;
  }
  return sum / member.training.costDivisor / <f64>count + penalty;
}

/**
 * A thread's share of a pass over all rows; all threads of the team must call it. A slip is written again two batches
 * later, which is after a meeting that nobody reaches before having read it.
 */
export function runPass<T>(member: Member): void {
  const team = member.team;
  const rows = team.rows;
  const batchSize = team.batchSize;
  const isFirst = member.index === 0;
  let total: f64 = 0;
  let batch = 0;
  for (let first = 0; first < rows; first += batchSize) {
    const count = min(batchSize, rows - first);
    const slip = slipOf(team, member.index, batch);
    slip.sum = accumulatePart<T>(member, first, count);
    // One thread looks, and all do as it says.
    if (isFirst) slip.stop = atomic.load<i32>(changetype<usize>(team) + offsetof<Team>('stop'));
    meet(team.meeting, team.threads);
    if (slipOf(team, 0, batch).stop !== 0) break;
    sumGradients<T>(member, count);
    slip.penalty = penaltyOf<T>(member.training, true);
    saveStretch<T>(member, count);
    if (team.normMax > 0) clipNorm<T>(member, batch);
    stepStretch<T>(member, batch);
    meet(team.meeting, team.threads);
    const cost = costOf(member, batch, count);
    batch++;
    total += cost * <f64>count;
    // Not a number, or infinite.
    if (cost - cost !== 0) {
      total = cost * <f64>rows;
      break;
    }
  }
  if (!isFirst) return;
  team.cost = total / <f64>rows;
  team.stepsMade = batch;
}

/** Before the step, which clips the gradient in place: what is saved is the gradient of the cost. */
function saveStretch<T>(member: Member, count: i32): void {
  const team = member.team;
  if (team.saved === 0) return;
  const target = team.saved + ((<usize>member.start) << 3);
  const source = member.training.gradient + <usize>member.start * sizeof<T>();
  addShare<T>(target, source, member.length, <f64>count / <f64>team.rows);
}
