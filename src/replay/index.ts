// Every public name of mainstem/replay, by hand.

export type { CoordinatorDescription, RecordedCoordinator } from './description.ts';
export { createCoordinator } from './description.ts';
export { exportLog, importLog, packLogRecord, startOfLog } from './logFile.ts';
export type { Replay, ReplayedMain, ReplayOptions } from './replayLog.ts';
export { replayLog } from './replayLog.ts';
export type { UpdateRecorderOptions } from './UpdateRecorder.ts';
export { UpdateRecorder } from './UpdateRecorder.ts';
