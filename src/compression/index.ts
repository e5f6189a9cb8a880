// Every public name of mainstem/compression, by hand.

export type { Compressed, Compression, Compressor } from './Compression.ts';
export type { CompressionOptions } from './createCompression.ts';
export { compression } from './createCompression.ts';
export type { CodecName, CodecOption, CodecSettings, SparseSettings } from './settings.ts';
