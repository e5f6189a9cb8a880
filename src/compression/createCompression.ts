import { InvalidOptionError, MalformedDataError, toError } from '../errors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import type { Random } from '../random.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { Compression, Compressor } from './Compression.ts';
import { FeedbackCompressor } from './FeedbackCompressor.ts';
import { readPacked } from './segments.ts';
import type { CodecOption, CodecSettings, ResolvedSettings } from './settings.ts';
import { assertMomentum, resolveSettings } from './settings.ts';

/** Options of `compression`. */
export interface CompressionOptions {
  /**
   * How updates are sent. Of a coordinator: what its children are asked for; of a child: what it does whatever it is asked
   * for. Unless given, a coordinator asks for nothing, and a child does what it is asked for.
   */
  updates?: CodecOption;
  /** How a coordinator sends what has changed in main: not `'auto'`, not `'ternary'`. As it is, unless given. */
  main?: CodecOption;
}

/**
 * What the option `compression` of coordinators and of `Child.connect` takes. Both ends need it: a child without it is
 * served as if there were none. Throws InvalidOptionError for illegal settings.
 */
export function compression(options: CompressionOptions = {}): Compression {
  refuseUnknownOptions(options, ['updates', 'main'], 'compression');
  const { updates, main } = options;
  const updateSettings = updates === undefined ? undefined : resolveSettings(updates);
  const mainSettings = main === undefined ? undefined : resolveSettings(main);
  if (mainSettings !== undefined) checkMain(mainSettings);
  return {
    form: 'packed',
    terms: JSON.stringify(updates ?? 'none'),
    compressUpdates: (terms, layout, random) =>
      create(updateSettings ?? readTerms(terms), false, layout, random),
    compressMain: (layout, random) =>
      create(mainSettings && { ...mainSettings, ...ofDifferences }, true, layout, random),
    read: readInto,
    assertMomentum: () => {
      if (updateSettings !== undefined) assertMomentum(updateSettings);
    },
  };
}

/** Whatever a difference leaves out is in the next one: what is sent must come nearer, at random it may go away. */
const ofDifferences = { errorFeedback: true, rounding: 'nearest' } as const;

function create(
  settings: ResolvedSettings | undefined,
  isOfDifferences: boolean,
  layout: ParameterLayout,
  random: Random,
): Compressor | undefined {
  if (settings === undefined || settings.codec === 'none') return undefined;
  return new FeedbackCompressor({ settings, isOfDifferences, layout, random });
}

function checkMain({ codec, momentum }: ResolvedSettings): void {
  if (codec !== 'auto' && codec !== 'ternary' && momentum === 0) return;
  throw new InvalidOptionError(
    'main is sent to all children alike, as differences: neither auto nor ternary nor momentum is for it',
  );
}

/** What a coordinator has asked for, which may be of a later version. */
function readTerms(terms: string): ResolvedSettings {
  try {
    return resolveSettings(JSON.parse(terms) as CodecSettings);
  } catch (thrown) {
    throw new MalformedDataError(
      `the coordinator asks for updates that are not known here: ${toError(thrown).message}`,
      {
        cause: thrown,
      },
    );
  }
}

function readInto(payload: Uint8Array<ArrayBuffer>, values: Values): void {
  if (values instanceof Float32Array) {
    readPacked(payload, values);
    return;
  }
  const floats = new Float32Array(values.length);
  readPacked(payload, floats);
  values.set(floats);
}
