import type { Coder } from '../../codec/coder/payload.js';
import type { LatentArchitecture } from '../../codec/latent/latent-architecture.js';
import type { Model } from '../../codec/model.js';
import type { Quantiser } from '../../codec/quantiser.js';
import type { SampleFormat, SignalKind } from '../../codec/signal.js';
import type { Colour } from '../colour.js';
import type { Rate } from '../rate.js';

/** What a signal is for; `overview` is a reduced copy of the primary one before it. */
export type SignalRole = 'primary' | 'overview';

/** Everything about a signal that crop and append never change, whatever makes its samples. */
interface AnySignal {
  readonly kind: SignalKind;
  readonly role: SignalRole;
  readonly format: SampleFormat;
  readonly colour?: Colour;
  /** Samples per axis at the first encode; the first encode's box is `[0, firstShape)`. */
  readonly firstShape: readonly number[];
  /** Samples per second along axis t. */
  readonly rate?: Rate;
  /** Time of position 0 of axis t, in seconds; 0 where absent. */
  readonly startSeconds?: number;
  /**
   * Of an overview, and of it alone: samples per axis of the primary signal before it that one sample is the mean of; a power
   * of two from 2 to 4,096.
   */
  readonly overviewFactor?: number;
  /** Whether partitions may be constant, and their payloads outputs in place of weights; default false. */
  readonly constantPartitions?: true;
}

/** A signal of the sine family. */
export interface SineSignal extends AnySignal {
  readonly latents?: undefined;
  /** Architecture, coordinate maps, nominal cell. `inputs` and `outputs` are the signal's axes and channels. */
  readonly model: Model;
  readonly quantiser: Quantiser;
  readonly coder: Coder;
  /** Global weights as `encodeWeights` made them; empty without a global network. */
  readonly globalPayload: Uint8Array;
}

/** A signal of the latent family. */
export interface LatentSignal extends AnySignal {
  readonly latents: LatentNetwork;
}

/** What makes samples of latents. */
export interface LatentNetwork {
  /** `outputs` are the signal's channels. */
  readonly architecture: LatentArchitecture;
  /** Samples of a full cell, per axis. */
  readonly nominalCell: readonly number[];
  /** Shared weights as `encodeShared` made them. */
  readonly shared: Uint8Array;
}

/** Everything about a signal that crop and append never change: of one family or the other. */
export type SignalHeader = SineSignal | LatentSignal;

/** What crop and append never change. */
export interface Header {
  /** Chunks name their signal by its place here. */
  readonly signals: readonly SignalHeader[];
  /** SHA-256 over source and options, 32 bytes, so that different encodes are different families. */
  readonly digest?: Uint8Array;
  /** Program and version that encoded the file, for people. */
  readonly writer?: string;
}
