// Every public name of mainstem/game, by hand.

export type { Attachment, AttachmentStats, AttachOptions, Driven } from './attach.ts';
export { attach } from './attach.ts';
export type { DurationSummary } from './Durations.ts';
export type { GameLoop, TickEmitter, Ticker, TickListener } from './GameLoop.ts';
