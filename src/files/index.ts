// Every public name of mainstem/files, by hand.

export { UnsupportedModelError } from '../errors.ts';
export type { FileSource, ReadableHandle, WritableHandle } from './byteSources.ts';
export type { OnnxModel } from './exportOnnx.ts';
export { exportOnnx } from './exportOnnx.ts';
export type { NestedJson } from './nestedJson.ts';
export { fromNestedJson, toNestedJson } from './nestedJson.ts';
export type { ParametersSource } from './parametersOf.ts';
export type { SafetensorsProblem } from './SafetensorsError.ts';
export { SafetensorsError } from './SafetensorsError.ts';
export type { SafetensorsDescription, SafetensorsFile, SafetensorsReadOptions } from './SafetensorsFile.ts';
export { openSafetensors, readSafetensors } from './SafetensorsFile.ts';
export type { SafetensorsLimits, SafetensorsTensor } from './safetensorsHeader.ts';
export type { SafetensorsType } from './safetensorsTypes.ts';
export type { SafetensorsWriteOptions } from './writeSafetensors.ts';
export { writeSafetensors, writeSafetensorsTo } from './writeSafetensors.ts';
