import type { LgiError } from '../errors.js';
import type { LatentArchitecture } from './latent-architecture.js';
import type { StoredWeights } from './shared-weights.js';

/** The latents of one partition, to be made outputs of. */
export interface LatentTask {
  /** Rows and columns of samples; no more than the decoder was made for. */
  readonly shape: readonly [height: number, width: number];
  readonly payload: Uint8Array;
  /** For errors. */
  readonly section?: string;
}

/** What decodes partitions, and how large they may be. */
export interface LatentDecoderSetup {
  readonly architecture: LatentArchitecture;
  readonly stored: StoredWeights;
  /** Rows and columns of the largest partition. */
  readonly most: readonly [height: number, width: number];
}

/** Makes outputs of the latents of partitions. */
export interface LatentDecoder {
  /**
   * Outputs of partitions, f32 [m, height, width] each, in units of the amplitude; an error in the place of one whose bytes are damaged.
   *
   * Memory: that of all outputs at once, twice.
   */
  decode(tasks: readonly LatentTask[]): Promise<(Float32Array | LgiError)[]>;
  dispose(): Promise<void>;
}
