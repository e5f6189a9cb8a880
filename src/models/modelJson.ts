import { MalformedDataError } from '../errors.ts';
import { describeOptimizer } from '../optimizers/createOptimizer.ts';
import type { LearningRateSchedule } from '../optimizers/LearningRateSchedule.ts';
import type { Optimizer, OptimizerStateJson } from '../optimizers/Optimizer.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { NamedTensorsJson } from '../parameters/NamedTensors.ts';
import type { RandomState } from '../random.ts';

const format = 'mainstem/model@1';

/** A whole model as JSON: options, parameters, and what training needs to continue. */
export interface ModelJson {
  readonly format: string;
  readonly model: string;
  readonly options: object;
  readonly parameters: NamedTensorsJson | null;
  readonly optimizerState: OptimizerStateJson | null;
  /** Where the order of the rows stands. */
  readonly random: RandomState;
  /** Where dropout stands. */
  readonly dropoutRandom: RandomState;
}

/** Writes a model as JSON. */
export function modelToJson(parts: {
  model: string;
  options: object;
  optimizer: Optimizer;
  schedule: LearningRateSchedule | undefined;
  parameters: ModelParameters | undefined;
  optimizerState: OptimizerStateJson | undefined;
  random: RandomState;
  dropoutRandom: RandomState;
}): ModelJson {
  return {
    format,
    model: parts.model,
    options: {
      ...parts.options,
      optimizer: describeOptimizer(parts.optimizer),
      ...(parts.schedule === undefined ? {} : { learningRateSchedule: parts.schedule.description }),
    },
    parameters: parts.parameters?.toJSON() ?? null,
    optimizerState: parts.optimizerState ?? null,
    random: parts.random,
    dropoutRandom: parts.dropoutRandom,
  };
}

/** The options in a model's JSON. Throws MalformedDataError unless it is of the class `model`. */
export function optionsFromJson<Options>(json: ModelJson, model: string): Options {
  if (
    json?.format !== format ||
    json.model !== model ||
    typeof json.options !== 'object' ||
    json.options === null
  ) {
    throw new MalformedDataError(
      `expected JSON of format ${format} and model ${model}, got ${json?.format} and ${json?.model}`,
    );
  }
  return json.options as Options;
}

/** What a model's JSON holds besides options. */
export function modelFromJson(json: ModelJson): {
  parameters: ModelParameters | undefined;
  optimizerState: OptimizerStateJson | undefined;
  random: RandomState;
  dropoutRandom: RandomState;
} {
  const { random, dropoutRandom } = json;
  const parameters = json.parameters === null ? undefined : ModelParameters.fromJSON(json.parameters);
  return { parameters, optimizerState: json.optimizerState ?? undefined, random, dropoutRandom };
}
