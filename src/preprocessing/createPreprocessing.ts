import type { PreprocessingDescription } from './Preprocessing.ts';
import { Preprocessing } from './Preprocessing.ts';
import type { PreprocessingSteps } from './steps.ts';

/** Whatever a `preprocessing` option takes: steps, a Preprocessing, or the description of a fitted one. */
export type PreprocessingOption = PreprocessingSteps | Preprocessing | PreprocessingDescription;

/** The preprocessing that an option means, independent of what was given. Throws InvalidOptionError. */
export function createPreprocessing(option: PreprocessingOption): Preprocessing {
  if (Preprocessing.isPreprocessing(option)) return option.clone();
  if (isDescription(option)) return Preprocessing.fromDescription(option);
  return new Preprocessing(option);
}

function isDescription(
  option: PreprocessingSteps | PreprocessingDescription,
): option is PreprocessingDescription {
  return typeof option === 'object' && option !== null && 'steps' in option && !Array.isArray(option);
}
