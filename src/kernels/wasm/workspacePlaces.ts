import type { PlannedData } from '../NetworkPlan.ts';
import type { NetworkShape } from './networkShape.ts';
import type { Reservation } from './Reservation.ts';
import {
  layerStruct,
  networkStruct,
  regressionStruct,
  ruleStruct,
  targetsStruct,
  trainingStruct,
} from './structs.ts';

/** Features above this are copied into the workspace chunk by chunk, in each pass, and not kept there. */
const residentBytesDefault = 2 ** 29;

/** What a workspace is to hold besides parameters and activations. */
export interface WorkspaceNeeds {
  readonly chunkRows: number;
  readonly data: PlannedData;
  /** Whether rows may come in another order than that of the data. */
  readonly gathers: boolean;
  /** Arrays of the size of the parameters: a gradient and the slots of an optimizer. */
  readonly extraArrays: number;
  /** Numbers of double precision for the gradient that a training saves; 0 for none. */
  readonly savedLength: number;
  /** The share of units that each layer leaves out. */
  readonly dropout: readonly number[];
  /** Most bytes of features that are kept in the workspace; 512 MiB unless given. */
  readonly residentBytesMax: number | undefined;
}

/** Offsets of everything in the block. */
export interface WorkspacePlaces {
  readonly training: number;
  readonly network: number;
  readonly regression: number;
  readonly targets: number;
  readonly rule: number;
  readonly layers: number;
  readonly zeros: number;
  readonly runs: number;
  readonly values: number;
  readonly extras: readonly number[];
  readonly saved: number;
  readonly features: number;
  readonly gathered: number;
  readonly labels: number;
  readonly order: number;
  readonly scores: number;
  readonly buffers: readonly LayerPlaces[];
}

/** Offsets of the buffers of a layer. */
export interface LayerPlaces {
  readonly values: number;
  readonly preactivations: number;
  readonly deltas: number;
  readonly kept: number;
  readonly mask: number;
}

/** Whether all rows are kept in the workspace. */
export function isResident(
  shape: NetworkShape,
  { data, residentBytesMax = residentBytesDefault }: Pick<WorkspaceNeeds, 'data' | 'residentBytesMax'>,
): boolean {
  return data.features.rows * shape.featureStride * shape.bytesPerNumber <= residentBytesMax;
}

/** Numbers of a label; 0 where it is the index of a class. A regression has numbers, of classes too. */
export function labelColumns(shape: NetworkShape, { targets }: PlannedData): number {
  if (targets.kind === 'rows') return targets.columns;
  return shape.isRegression ? 1 : 0;
}

/** What several threads of a training have in common. */
type SharedPlaces = Pick<WorkspacePlaces, 'values' | 'saved' | 'order' | 'labels' | 'features'> & {
  readonly slots: readonly number[];
};

/** What each of them has for itself. */
type OwnPlaces = Omit<WorkspacePlaces, keyof SharedPlaces | 'extras'> & {
  readonly gradient: number | undefined;
};

/** Gives everything a place. */
export function reservePlaces(
  reservation: Reservation,
  shape: NetworkShape,
  needs: WorkspaceNeeds,
): WorkspacePlaces {
  const [places] = reserveForThreads(reservation, shape, needs, 1);
  return places as WorkspacePlaces;
}

/** Gives everything a place for each of some threads: parameters, slots and data are at the same for all. */
export function reserveForThreads(
  reservation: Reservation,
  shape: NetworkShape,
  needs: WorkspaceNeeds,
  threads: number,
): WorkspacePlaces[] {
  const own = Array.from({ length: threads }, () => reserveOwn(reservation, shape, needs));
  const { slots, ...shared } = reserveShared(reservation, shape, needs);
  return own.map(({ gradient, ...others }) => ({
    ...others,
    ...shared,
    extras: gradient === undefined ? [] : [gradient, ...slots],
  }));
}

function reserveOwn(reservation: Reservation, shape: NetworkShape, needs: WorkspaceNeeds): OwnPlaces {
  const { bytesPerNumber, layers, length, featureStride } = shape;
  const { chunkRows, gathers, extraArrays, dropout } = needs;
  const widest = Math.max(...layers.map(({ stride }) => stride), 16 / bytesPerNumber);
  const numbers = (count: number): number => reservation.add(count * bytesPerNumber);
  return {
    training: reservation.add(trainingStruct.bytes),
    network: reservation.add(networkStruct.bytes),
    regression: reservation.add(regressionStruct.bytes),
    targets: reservation.add(targetsStruct.bytes),
    rule: reservation.add(ruleStruct.bytes),
    layers: reservation.add(layerStruct.bytes * layers.length),
    runs: reservation.add(8 * layers.length),
    zeros: numbers(widest),
    gradient: extraArrays > 0 ? numbers(length) : undefined,
    // Scores, powers and labels of a block of 32 rows, 512 bytes apart.
    scores: reservation.add(3 * 512),
    buffers: shape.isRegression
      ? [{ values: 0, preactivations: 0, deltas: 0, kept: 0, mask: -1 }]
      : layers.map(({ stride, activation, code }, index): LayerPlaces => {
          const count = chunkRows * stride;
          const values = numbers(count);
          const dropsOut = (dropout[index] ?? 0) > 0;
          return {
            values,
            preactivations: activation.needsInputs && code >= 0 ? numbers(count) : values,
            deltas: numbers(count),
            kept: dropsOut ? numbers(count) : values,
            mask: dropsOut ? numbers(count) : -1,
          };
        }),
    gathered: numbers(gathers ? chunkRows * featureStride : 0),
  };
}

function reserveShared(reservation: Reservation, shape: NetworkShape, needs: WorkspaceNeeds): SharedPlaces {
  const { bytesPerNumber, length, featureStride } = shape;
  const { chunkRows, data, gathers, extraArrays, savedLength } = needs;
  const rows = isResident(shape, needs) ? data.features.rows : chunkRows;
  const numbers = (count: number): number => reservation.add(count * bytesPerNumber);
  const labelBytes = labelColumns(shape, data) * bytesPerNumber || 4;
  return {
    values: numbers(length),
    slots: Array.from({ length: Math.max(0, extraArrays - 1) }, () => numbers(length)),
    saved: reservation.add(savedLength * 8),
    order: reservation.add(gathers ? data.features.rows * 4 : 0),
    // Read in whole vectors.
    labels: reservation.add(rows * labelBytes + 16),
    features: numbers(rows * featureStride),
  };
}
