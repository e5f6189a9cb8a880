/**
 * What assembly/index.ts exports. Addresses are byte offsets, lengths count numbers; 32 and 64 in a name are the
 * bits of a number. Nothing is checked on the other side.
 */
export interface KernelExports {
  /** The first address that the code itself does not use. */
  heapBase(): number;
  activate32(code: number, values: number, rows: number, columns: number, row: number): void;
  activate64(code: number, values: number, rows: number, columns: number, row: number): void;
  product32(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aStep: number,
    b: number,
    bStep: number,
    c: number,
    cRow: number,
    start: number,
    startRow: number,
  ): void;
  product64(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aStep: number,
    b: number,
    bStep: number,
    c: number,
    cRow: number,
    start: number,
    startRow: number,
  ): void;
  productTransposed32(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    b: number,
    bRow: number,
    c: number,
    cRow: number,
  ): void;
  productTransposed64(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    b: number,
    bRow: number,
    c: number,
    cRow: number,
  ): void;
  trainBatch32(training: number, first: number, count: number): number;
  trainBatch64(training: number, first: number, count: number): number;
  accumulate32(training: number, first: number, count: number, isFresh: number, sum: number): number;
  accumulate64(training: number, first: number, count: number, isFresh: number, sum: number): number;
  cost32(training: number, first: number, count: number, sum: number): number;
  cost64(training: number, first: number, count: number, sum: number): number;
  finishMean32(training: number, sum: number, rows: number): number;
  finishMean64(training: number, sum: number, rows: number): number;
  penalty32(training: number): number;
  penalty64(training: number): number;
  takeStep32(
    rule: number,
    values: number,
    gradient: number,
    firstSlot: number,
    secondSlot: number,
    length: number,
  ): void;
  takeStep64(
    rule: number,
    values: number,
    gradient: number,
    firstSlot: number,
    secondSlot: number,
    length: number,
  ): void;
  addShare32(target: number, gradient: number, length: number, share: number): void;
  addShare64(target: number, gradient: number, length: number, share: number): void;
  areFinite32(at: number, length: number): number;
  areFinite64(at: number, length: number): number;
  areRowsFinite32(network: number, features: number, rows: number): number;
  areRowsFinite64(network: number, features: number, rows: number): number;
  predict32(network: number, features: number, rows: number): number;
  predict64(network: number, features: number, rows: number): number;
  measure32(at: number, length: number, scale: number): number;
  measure64(at: number, length: number, scale: number): number;
  clipValues32(at: number, length: number, limit: number): void;
  clipValues64(at: number, length: number, limit: number): void;
  rescale32(at: number, length: number, divisor: number, factor: number): void;
  rescale64(at: number, length: number, divisor: number, factor: number): void;
  gatherRows32(network: number, order: number, first: number, count: number): number;
  gatherRows64(network: number, order: number, first: number, count: number): number;
  forward32(network: number, input: number, rows: number, activatesLast: number): void;
  forward64(network: number, input: number, rows: number, activatesLast: number): void;
  forwardLayer32(network: number, index: number, input: number, rows: number): void;
  forwardLayer64(network: number, index: number, input: number, rows: number): void;
  activateLayer32(network: number, index: number, rows: number): void;
  activateLayer64(network: number, index: number, rows: number): void;
  dropUnits32(network: number, index: number, rows: number): void;
  dropUnits64(network: number, index: number, rows: number): void;
  loss32(network: number, order: number, first: number, rows: number, sum: number): number;
  loss64(network: number, order: number, first: number, rows: number, sum: number): number;
  activationBackward32(network: number, index: number, rows: number): void;
  activationBackward64(network: number, index: number, rows: number): void;
  layerGradient32(network: number, index: number, input: number, rows: number, isFresh: number): void;
  layerGradient64(network: number, index: number, input: number, rows: number, isFresh: number): void;
  passBack32(network: number, index: number, rows: number): void;
  passBack64(network: number, index: number, rows: number): void;
  multiplyAdd32(y: number, x: number, a: number, n: number): void;
  multiplyAdd64(y: number, x: number, a: number, n: number): void;

  // Means: blocks are a multiple of 8 numbers, filled up with zeros.
  addProducts32(
    table: number,
    weights: number,
    count: number,
    sums: number,
    offset: number,
    n: number,
    isFirst: number,
  ): void;
  finishProducts32(
    table: number,
    weights: number,
    count: number,
    sums: number,
    offset: number,
    n: number,
    isFirst: number,
    target: number,
  ): number;
  addDifferences32: AddDifferences;
  addDifferences64: AddDifferences;
  finishDifferences(target: number, sums: number, reference: number, total: number, n: number): number;
  widen(target: number, source: number, n: number): void;
  narrow(target: number, source: number, n: number): void;

  // Order statistics: rows of a multiple of 64 bytes, which are exchanged.
  meanOfRanks32: MeanOfRanks;
  meanOfRanks64: MeanOfRanks;

  // Sums over a multiple of 8 numbers (sum32: 16), filled up with zeros.
  dot32(x: number, y: number, n: number): number;
  dot64(x: number, y: number, n: number): number;
  largest32(x: number, n: number): number;
  largest64(x: number, n: number): number;
  sum32(x: number, n: number): number;
  subtract32(target: number, x: number, y: number, n: number): void;
  subtract64(target: number, x: number, y: number, n: number): void;
  squaredDistances(
    distances: number,
    row: number,
    others: number,
    stride: number,
    count: number,
    n: number,
  ): void;

  // 16-bit floats: a multiple of 8 numbers.
  encodeFloat16(codes: number, values: number, n: number): void;
  decodeFloat16(values: number, codes: number, n: number): void;
  encodeBfloat16(codes: number, values: number, n: number): void;
  decodeBfloat16(values: number, codes: number, n: number): void;
}

type AddDifferences = (
  table: number,
  weights: number,
  count: number,
  sums: number,
  reference: number,
  offset: number,
  n: number,
  isFirst: number,
) => void;

type MeanOfRanks = (
  target: number,
  rows: number,
  stride: number,
  comparators: number,
  comparatorsEnd: number,
  first: number,
  kept: number,
  n: number,
) => void;
