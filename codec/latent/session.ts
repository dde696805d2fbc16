import type { LatentArchitecture } from './latent-architecture.js';

/** One partition as training has it. */
export interface LatentPartition {
  /** Rows and columns of samples. */
  readonly shape: readonly [height: number, width: number];
  /** f32, relaxed latents in the order of `placeGrids`. */
  readonly latents: Float32Array;
  /** f32 [m, height, width], samples in units of the amplitude. */
  readonly target: Float32Array;
  /** f32 [height, width]: what errors of all channels but the last, alpha, count for; absent: 1. */
  readonly opacity?: Float32Array;
}

/** Adam's constants (Kingma & Ba 2015). */
export interface LatentAdam {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** What a session is trained on, and from where. */
export interface LatentSetup {
  readonly architecture: LatentArchitecture;
  /** Shared weights as real numbers, in the order of `latentTensors`; the session copies them. */
  readonly weights: Float32Array;
  readonly partitions: readonly LatentPartition[];
  readonly latentAdam: LatentAdam;
  readonly sharedAdam: LatentAdam;
}

/** Rates of one step, and how it sees the latents. */
export interface LatentStep {
  /** Numbers of the partitions that take part, each once. */
  readonly batch: readonly number[];
  /** Soft rounding with noise, or `hard`: rounded, and latents stay. */
  readonly rounding: 'hard' | { readonly temperature: number; readonly noise: number; readonly key: number };
  /** The loss is the sum over partitions of `squared error / channels + bitFactor * bits`. */
  readonly bitFactor: number;
  readonly latentRate: number;
  /** Of the shared weights; 0 leaves them alone. */
  readonly sharedRate: number;
  /** What the rate of taps is multiplied by: a change of theirs is felt at every level. */
  readonly tapFactor: number;
}

/** What a step saw, before anything was moved by it: in the order of the batch. */
export interface LatentReport {
  /** f64, weighted, in units of the amplitude. */
  readonly squaredErrors: Float64Array;
  /** f64. */
  readonly bits: Float64Array;
}

/** Everything that training moves. */
export interface LatentState {
  /** Shared weights, as of the setup. */
  readonly weights: Float32Array;
  /** Of each partition. */
  readonly latents: readonly Float32Array[];
}

/** Training of latents and shared weights in progress. */
export interface LatentSession {
  step(step: LatentStep): Promise<LatentReport>;
  /** Goes on from a state, its moments begun anew. */
  restore(state: LatentState): Promise<void>;
  /** A copy of the shared weights, f32. */
  weights(): Promise<Float32Array>;
  /** A copy of each partition's latents, f32. */
  latents(): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** The number that a latent's noise is made of: by the step's key, the partition and the latent's place in it. */
export function noiseNumber(key: number, partition: number, latent: number): number {
  return (key + Math.imul(64 * partition, 0x9e3779b9) + latent) | 0;
}

/** Noise from -1/2 to 1/2 of a number: the hash "lowbias32" of Wellons. */
export function noiseOf(number: number): number {
  let x = number | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x / 2 ** 32;
}
