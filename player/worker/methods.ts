import type { Box } from '../../codec/grid.js';
import type { SampleFormat, SignalKind } from '../../codec/signal.js';
import type { Rate } from '../../src/rate.js';
import type { EncodeOptions } from '../../src/encode-options.js';

/** Where a file is: an absolute URL with headers of its requests, or bytes that the page has. */
export type FilePlace = { readonly url: string; readonly headers?: Readonly<Record<string, string>> } | Blob;

/** What the page knows of a signal. */
export interface SignalDescription {
  /** Its place in the file. */
  readonly signalIndex: number;
  readonly kind: SignalKind;
  /** Samples per axis of the visible window. */
  readonly shape: readonly number[];
  readonly format: SampleFormat;
  /** Per axis where partitions meet, in samples from the window's corner, ascending, ends left out. */
  readonly cuts: readonly (readonly number[])[];
  /** Factors of the overviews, finest first. */
  readonly overviews: readonly number[];
  /** Samples or frames a second, of what has time. */
  readonly rate?: Rate;
  /** When the window begins, on the clock that all signals of the file share. */
  readonly startSeconds?: number;
  readonly partitions: { readonly present: number; readonly constant: number; readonly absent: number };
}

/** What the page knows of a file. */
export interface FileDescription {
  readonly fileId: string;
  readonly familyId: string;
  readonly generation: number;
  /** Without overviews, which are parts of the signals that they show. */
  readonly signals: readonly SignalDescription[];
  /** Threads that decode. */
  readonly threads: number;
}

/** How the worker starts. */
export interface StartRequest {
  /** Folder of the WebAssembly files, with a slash at its end; default beside the worker. */
  readonly wasmFolder?: string;
  /** Threads that decode; default what the machine runs at once, 1 in pages that are not isolated. */
  readonly threads?: number;
  /** Bytes of the file that are kept; default the SDK's. */
  readonly cacheBytes?: number;
}

/** A part of a plane through a signal, at a scale. */
export interface PlaneRequest {
  readonly signalIndex: number;
  /** The plane's axes of the signal, vertical and horizontal. */
  readonly axes: readonly [number, number];
  /** Sample on every other axis, by axis; those of the plane are not looked at. */
  readonly at: readonly number[];
  /** Planes one after the other on the first of the other axes, decoded together; a picture has one. */
  readonly count: number;
  /** Outputs per sample, a power of two. */
  readonly scale: number;
  /** Outputs wanted, of those that the whole plane has at this scale: `[v, u]`. */
  readonly outputs: Box;
}

/** A partition that could not be shown. */
export interface DamagedPartition {
  /** As errors have it, such as `chunk 3,4`. */
  readonly section: string;
  readonly message: string;
}

/** A part of planes as pixels. */
export interface PlaneReply {
  /** As many as were asked for. */
  readonly bitmaps: readonly ImageBitmap[];
  readonly partitionsDecoded: number;
  /** Partitions that the file does not have; their pixels are transparent. */
  readonly absent: number;
  readonly damaged: readonly DamagedPartition[];
  /** From the request to the pixels, reading included. */
  readonly ms: number;
}

/** A stretch of samples on the only axis of a sound. */
export interface SoundRequest {
  readonly signalIndex: number;
  /** Samples `[begin, end)` from the window's begin. */
  readonly begin: number;
  readonly end: number;
}

/** Samples of a sound, f32 in [-1, 1], channel by channel. */
export interface SoundReply {
  readonly channels: readonly Float32Array<ArrayBuffer>[];
  readonly damaged: readonly DamagedPartition[];
  readonly ms: number;
}

/** Columns of a waveform. */
export interface PeaksRequest {
  readonly signalIndex: number;
  /** Sample at which the first column begins. */
  readonly begin: number;
  readonly columnSamples: number;
  readonly columns: number;
  /** Samples of each column that are looked at, those at its begin. */
  readonly mostSamples: number;
}

/** Least and most of every column, over all channels: f32 [columns][2], in [-1, 1]. */
export interface PeaksReply {
  readonly peaks: Float32Array<ArrayBuffer>;
}

/** A shape's surface. */
export interface SurfaceRequest {
  readonly signalIndex: number;
  /** Samples of the longest side that it is made from at most. */
  readonly mostSide: number;
}

/** A closed mesh, faces outwards. */
export interface SurfaceReply {
  /** f32 [vertices][x, y, z], in samples of the shape. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Three to a triangle. */
  readonly indices: Uint32Array<ArrayBuffer>;
  readonly partitionsDecoded: number;
}

/** A region whose chunks are read, to be there when they are wanted. */
export interface PrefetchRequest {
  readonly signalIndex: number;
  /** Samples from the window's corner. */
  readonly region: Box;
}

/** A crop to be cut in the page. */
export interface CropRequest {
  readonly signalIndex: number;
  readonly region?: Box;
  /** Seconds from the begin of the visible window. */
  readonly time?: { readonly begin: number; readonly end: number };
}

/** A crop as a file of its own. */
export interface CropReply {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly kept: number;
  readonly hiddenSamples: number;
}

/** Partitions that a growing file has got, or files that were joined. */
export interface Change {
  readonly file: FileDescription;
  /** Parts of signals that show something else now, in samples from the new window's corner. */
  readonly changed: readonly { readonly signalIndex: number; readonly box: Box }[];
  /** Per signal of the description, how far its window's corner moved: what was sample `i` is sample `i + moved` now. */
  readonly moved: readonly (readonly number[])[];
}

/** What reading and decoding have cost so far. */
export interface DecodingStatistics {
  readonly requests: number;
  readonly bytesFetched: number;
  readonly bytesUsed: number;
  readonly partitionsDecoded: number;
  /** ms in which something was decoded or waited for. */
  readonly decodeMs: number;
}

/** A picture to be encoded in the page. */
export interface EncodeRequest {
  /** u8, row-major `[height, width, 4]`. */
  readonly rgba: Uint8Array<ArrayBuffer>;
  readonly shape: readonly [number, number];
  readonly options: Pick<EncodeOptions, 'seconds' | 'iterations' | 'psnr' | 'params' | 'seed'>;
}

/** A picture that was encoded in the page, as a file, and how it came out. */
export interface EncodeReply {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly psnr: number;
  readonly seconds: number;
}

/** How far an encode has come. */
export interface EncodeProgress {
  readonly fraction: number | undefined;
  readonly psnr: number;
  readonly secondsLeft: number;
}

/** What the page asks of the worker: by method what it takes, gives, and tells meanwhile. */
export interface Methods {
  start: { request: StartRequest; reply: null; progress: never };
  open: { request: FilePlace; reply: FileDescription; progress: never };
  plane: { request: PlaneRequest; reply: PlaneReply; progress: never };
  sound: { request: SoundRequest; reply: SoundReply; progress: never };
  peaks: { request: PeaksRequest; reply: PeaksReply; progress: never };
  surface: { request: SurfaceRequest; reply: SurfaceReply; progress: never };
  prefetch: { request: PrefetchRequest; reply: null; progress: never };
  crop: { request: CropRequest; reply: CropReply; progress: never };
  join: { request: Blob; reply: Change; progress: never };
  refresh: { request: null; reply: Change | null; progress: never };
  statistics: { request: null; reply: DecodingStatistics; progress: never };
  encode: { request: EncodeRequest; reply: EncodeReply; progress: EncodeProgress };
}

export type MethodName = keyof Methods;
