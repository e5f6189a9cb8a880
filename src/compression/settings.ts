import { InvalidOptionError } from '../errors.ts';
import { checkOptions, expecting } from '../models/options.ts';
import { show } from '../show.ts';
import type { SparseValueType } from './sparse.ts';
import { sparseValueTypes } from './sparse.ts';

/** What all that sends a part of the values only has. */
export interface SparseSettings {
  /** Whether what is not sent is added to the next update. True. */
  readonly errorFeedback?: boolean;
  /**
   * Momentum that is applied before values are chosen, 0 ≤ momentum < 1, in place of the receiver's own (momentum
   * correction, Lin and others 2018, section 3.2); sent places begin anew. 0.
   */
  readonly momentum?: number;
  /** How the values travel: `'bfloat16'` or `'float32'`. `'bfloat16'`. */
  readonly values?: SparseValueType;
}

/** A way to make updates smaller, with its settings. Blocks are of one tensor, the last may be shorter. */
export type CodecSettings =
  /** As they are. */
  | { readonly codec: 'none' }
  /** 2 bytes a value. */
  | { readonly codec: 'float16' | 'bfloat16'; readonly errorFeedback?: boolean }
  /** 1 byte, or half a byte, a value and a scale for each block; stochastic rounding is unbiased. */
  | {
      readonly codec: 'int8' | 'int4';
      /** 512. */
      readonly blockLength?: number;
      /** `'stochastic'`; with error feedback `'nearest'`, since only what comes nearer may be fed back. */
      readonly rounding?: 'stochastic' | 'nearest';
      /** False. */
      readonly errorFeedback?: boolean;
    }
  /** The signs, and their mean magnitude for each block. */
  | {
      readonly codec: 'oneBit';
      /** 2,048. */
      readonly blockLength?: number;
      /** True. */
      readonly errorFeedback?: boolean;
    }
  /** −s, 0 or s, unbiased; 1.6 bits a value. */
  | {
      readonly codec: 'ternary';
      /** 2,048. */
      readonly blockLength?: number;
    }
  /** The values of largest magnitude. */
  | ({
      readonly codec: 'topK';
      /** Part of the values that is sent, above 0 and at most 1. 0.01. */
      readonly share?: number;
      /** Updates over which the share falls to that, evenly on a logarithmic scale, from a quarter. 0. */
      readonly warmUpUpdates?: number;
    } & SparseSettings)
  /** The values of a magnitude of at least this. */
  | ({ readonly codec: 'threshold'; readonly threshold: number } & SparseSettings)
  /**
   * Values at random places; without error feedback divided by the share, so that they are unbiased. With momentum and
   * error feedback it diverges, and is refused unless `allowMomentum`.
   */
  | ({
      readonly codec: 'randomK';
      /** 0.01. */
      readonly share?: number;
      /** False. */
      readonly allowMomentum?: boolean;
    } & SparseSettings)
  /** Large matrices as products of two thin ones; other tensors as bfloat16. */
  | {
      readonly codec: 'powerSGD';
      /** 2. */
      readonly rank?: number;
      /** True. */
      readonly errorFeedback?: boolean;
    }
  /** By the size of each tensor, and by how long updates take until they are answered: float32 down to topK. */
  | {
      readonly codec: 'auto';
      /** How long an update may take, in milliseconds. 100. */
      readonly targetMs?: number;
    };

/** The name of a way to make updates smaller. */
export type CodecName = CodecSettings['codec'];

/** A name, or a name with settings. `threshold` has a setting that must be given. */
export type CodecOption = Exclude<CodecName, 'threshold'> | CodecSettings;

/** Every setting with its value. */
export interface ResolvedSettings {
  readonly codec: CodecName;
  readonly errorFeedback: boolean;
  readonly blockLength: number;
  readonly rounding: 'stochastic' | 'nearest';
  readonly share: number;
  readonly warmUpUpdates: number;
  readonly threshold: number;
  readonly momentum: number;
  readonly values: SparseValueType;
  readonly allowMomentum: boolean;
  readonly rank: number;
  readonly targetMs: number;
}

const isCount = (least: number) => (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) < 2 ** 31;
const isAbove = (value: unknown): boolean => Number.isFinite(value) && (value as number) > 0;
const isTruth = (value: unknown): boolean => typeof value === 'boolean';

const checks: { readonly [Name in keyof ResolvedSettings]: ReturnType<typeof expecting> } = {
  codec: () => {},
  errorFeedback: expecting('true or false', isTruth),
  blockLength: expecting('a whole number, 8 or more', isCount(8)),
  rounding: expecting("'stochastic' or 'nearest'", (value) => value === 'stochastic' || value === 'nearest'),
  share: expecting('a number above 0 and at most 1', (value) => isAbove(value) && (value as number) <= 1),
  warmUpUpdates: expecting('a whole number, 0 or more', isCount(0)),
  threshold: expecting('a number above 0', isAbove),
  momentum: expecting(
    '0 ≤ momentum < 1',
    (value) => value === 0 || (isAbove(value) && (value as number) < 1),
  ),
  values: expecting(sparseValueTypes.join(' or '), (value) =>
    sparseValueTypes.includes(value as SparseValueType),
  ),
  allowMomentum: expecting('true or false', isTruth),
  rank: expecting('a whole number, 1 or more', isCount(1)),
  targetMs: expecting('milliseconds, above 0', isAbove),
};

const sparse = { errorFeedback: true, momentum: 0, values: 'bfloat16' } as const;
const quantised = { errorFeedback: false, blockLength: 512, rounding: undefined } as const;

/** The settings that each has, with their defaults. */
const defaults: {
  readonly [Name in CodecName]: {
    readonly [Setting in keyof ResolvedSettings]?: ResolvedSettings[Setting] | undefined;
  };
} = {
  none: {},
  float16: { errorFeedback: false },
  bfloat16: { errorFeedback: false },
  int8: quantised,
  int4: quantised,
  oneBit: { errorFeedback: true, blockLength: 2_048 },
  ternary: { blockLength: 2_048 },
  topK: { ...sparse, share: 0.01, warmUpUpdates: 0 },
  threshold: { ...sparse, threshold: 0 },
  randomK: { ...sparse, share: 0.01, allowMomentum: false },
  powerSGD: { errorFeedback: true, rank: 2 },
  auto: { targetMs: 100 },
};

/** Of those that a codec does not have. Only `auto` goes through codecs that feed back, and so it does too. */
const unused: Omit<ResolvedSettings, 'codec' | 'rounding' | 'errorFeedback'> = {
  ...{ blockLength: 512, share: 1, warmUpUpdates: 0, threshold: 0 },
  ...{ momentum: 0, values: 'bfloat16', allowMomentum: false, rank: 2, targetMs: 100 },
};

/** Fills the defaults in. Throws InvalidOptionError for what is illegal, unknown, or of another codec. */
export function resolveSettings(option: CodecOption): ResolvedSettings {
  const given: { readonly codec: CodecName } = typeof option === 'string' ? { codec: option } : option;
  const codec = given?.codec;
  if (!Object.hasOwn(defaults, codec ?? '')) {
    throw new InvalidOptionError(`codec is ${show(codec)}, expected ${Object.keys(defaults).join(', ')}`);
  }
  const own = { codec, ...defaults[codec] };
  const known = Object.fromEntries(
    Object.entries(checks).filter(([name]) => Object.hasOwn(own, name)),
  ) as unknown as Readonly<Record<string, ReturnType<typeof expecting>>>;
  const checked = checkOptions<Record<string, unknown>>(given as Record<string, unknown>, known);
  const errorFeedback = (checked.errorFeedback ?? own.errorFeedback ?? codec === 'auto') as boolean;
  const rounding = errorFeedback ? 'nearest' : 'stochastic';
  const settings = { ...unused, ...own, rounding, ...checked, errorFeedback } as ResolvedSettings;
  if (codec === 'threshold' && settings.threshold === 0)
    throw new InvalidOptionError(
      "codec 'threshold' needs a threshold: { codec: 'threshold', threshold: 0.001 }",
    );
  if (codec === 'randomK' && settings.momentum > 0 && settings.errorFeedback) assertMomentum(settings);
  return settings;
}

/** Throws InvalidOptionError where momentum, here or of the receiver, would make these settings diverge. */
export function assertMomentum({ codec, errorFeedback, allowMomentum }: ResolvedSettings): void {
  if (codec !== 'randomK' || !errorFeedback || allowMomentum) return;
  throw new InvalidOptionError(
    'randomK with error feedback and momentum diverges: use topK, or errorFeedback: false, or allowMomentum: true',
  );
}
