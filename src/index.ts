// The public API: everything here runs in browsers. Files and media of Node are in `lgi/node`.
export { open, LgiFile } from './open.js';
export type { OpenOptions } from './open.js';
export { Signal } from './signal.js';
export type {
  DecodeOptions,
  MissingPartition,
  Overview,
  PartitionCount,
  Samples,
  Tile,
  View,
} from './signal.js';
export { encode } from './encode.js';
export type { EncodeReport } from './encode.js';
export type { EncodeOptions } from './encode-settings.js';
export { crop } from './crop.js';
export type { CropOptions, CropReport } from './crop.js';
export { verifyContainer as verify } from './container/verify.js';
export type { Problem } from './container/verify.js';
export type { Colour } from './colour.js';
export type { Header, SignalHeader } from './container/header.js';
export { memoryMedia } from './media/media.js';
export type { Media, MemoryMediaOptions } from './media/media.js';
export type { Source } from './io/source.js';
export type { Sink } from './io/sink.js';
export { MemorySink, MemorySource } from './io/memory.js';
export { BlobSource } from './io/blob.js';
export { LgiError, OptionError } from '../codec/errors.js';
export type { LgiErrorCode } from '../codec/errors.js';
export { compareSamples } from '../codec/metrics.js';
export type { SampleErrors } from '../codec/metrics.js';
export { seamRatio } from '../codec/seam.js';
export { SSIM_VARIANT, structuralSimilarity } from '../codec/structural-similarity.js';
export { createEngine } from '../codec/engine/choose.js';
export type { EngineName } from '../codec/engine/choose.js';
export type { Engine } from '../codec/engine/engine.js';
export type {
  Architecture,
  LocalCoordinates,
  ParameterCount,
  SineActivation,
} from '../codec/architecture.js';
export type { Box } from '../codec/grid.js';
export type { Sampling } from '../codec/decode.js';
export type { Progress } from '../codec/train.js';
export type {
  ChannelLayout,
  SampleArray,
  SampleFormat,
  SampleType,
  SignalKind,
  ValueMapping,
} from '../codec/signal.js';
export { VERSION } from './version.js';
