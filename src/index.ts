// The public API: everything here runs in browsers. Files and media of Node are in `lgi/node`.
export { open, LgiFile } from './open.js';
export type { ChangedPartition, OpenOptions } from './open.js';
export { Signal } from './signal.js';
export type { DecodeOptions, MissingPartition, Overview, PartitionCount, Samples, View } from './signal.js';
export type { Tile } from './partition-decoder.js';
export { encode } from './encode.js';
export type { EncodeReport } from './encode.js';
export type { EncodeOptions } from './encode-options.js';
export { append, appendAnew } from './append.js';
export type { AppendAnewOptions, AppendOptions, AppendReport } from './append.js';
export type { Side } from './placement.js';
export { crop } from './crop.js';
export type { CropOptions, CropReport } from './crop.js';
export { join } from './join.js';
export type { JoinOptions, JoinReport } from './join.js';
export { repair } from './repair.js';
export type { RepairOptions, RepairReport, UnsavedPartition, UnsavedSection } from './repair.js';
export { verifyContainer as verify } from './container/verify.js';
export type { Problem } from './container/verify.js';
export type { TimeRange } from './time-range.js';
export type { Rate } from './rate.js';
export type { Colour } from './colour.js';
export type { Header, SignalHeader } from './container/header.js';
export { memoryMedia } from './media/media.js';
export type { Media, MemoryMediaOptions } from './media/media.js';
export type { Source } from './io/source.js';
export type { Sink } from './io/sink.js';
export type { Target } from './io/target.js';
export { MemorySink, MemorySource } from './io/memory.js';
export { MemoryTarget } from './io/memory-target.js';
export { BlobSource } from './io/blob.js';
export { HttpSource } from './io/http-source.js';
export type { HttpHeaders, HttpSourceOptions } from './io/http-source.js';
export type { HttpFailure } from './io/http-repeats.js';
export { RemoteSource } from './io/remote-source.js';
export type { ReadStatistics, RemoteSourceOptions } from './io/remote-source.js';
export { withCache } from './io/with-cache.js';
export type { CacheOptions } from './io/with-cache.js';
export { withCoalescing } from './io/with-coalescing.js';
export type { CoalescingOptions } from './io/with-coalescing.js';
export { MeasuredSource } from './io/measured-source.js';
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
export type { CheckpointOptions } from './checkpoint.js';
