import type { Tensor3D } from '@tensorflow/tfjs';
import type { Architecture } from '../../architecture.js';
import { boxSize } from '../../grid.js';
import { alphaChannel, peakOf } from '../../signal.js';
import { samplePosition, type Fit } from '../reference/gradients.js';
import { networkPoints, type NetworkPoints } from './network-points.js';
import type { TensorFlow } from './tensorflow.js';

/**
 * Features of all layers that are differentiated at a time. TensorFlow keeps some seven f32 of each, here half a GB: in WebAssembly it
 * has no more than a few, and aborts without a word.
 */
export const MOST_FEATURES = 2 ** 24;

/** A part of a batch, a range of every partition's samples in it; what stays the same from step to step. */
export interface BatchSlice {
  readonly points: NetworkPoints;
  /** The first of the range. */
  readonly begin: number;
  /** Samples of the partition that has most of them here. */
  readonly most: number;
  /** f32 [partitions, most, channels]; samples that partitions have not weigh 0. */
  readonly target: Tensor3D;
  readonly weight: Tensor3D;
  /** f64 per partition, sum of its weights. */
  readonly counts: Float64Array;
}

/** Cuts a batch so that its slices have at most so many features each, or one sample of every partition. */
export function sliceBatch(
  tf: TensorFlow,
  fit: Fit,
  batch: readonly Uint32Array[],
  mostFeatures: number,
): BatchSlice[] {
  const longest = batch.reduce((length, list) => Math.max(length, list.length), 1);
  const perSample = fit.boxes.length * featuresOf(fit.model.architecture);
  const step = Math.max(1, Math.floor(mostFeatures / perSample));
  const slices: BatchSlice[] = [];
  for (let begin = 0; begin < longest; begin += step) {
    const part = batch.map((list) => list.subarray(begin, begin + step));
    slices.push(sliceOf(tf, fit, part, begin, Math.min(step, longest - begin)));
  }
  return slices;
}

export function disposeSlice(tf: TensorFlow, { points, target, weight }: BatchSlice): void {
  points.dispose();
  tf.dispose([target, weight]);
}

/** Features of all layers for one sample. */
function featuresOf({ levels, localWidth, globalWidth }: Architecture): number {
  return levels * (globalWidth > 0 ? 2 * localWidth + globalWidth : localWidth);
}

function sliceOf(
  tf: TensorFlow,
  fit: Fit,
  part: readonly Uint32Array[],
  begin: number,
  most: number,
): BatchSlice {
  const { boxes, model, format } = fit;
  const shape: [number, number, number] = [boxes.length, most, format.channels];
  const { values, weights } = targetsOf(fit, part, most);
  const positions = boxes.map((box, p) => ({
    box,
    positions: Array.from(part[p], (sample) => samplePosition(box, sample)),
  }));
  const perPartition = most * format.channels;
  return {
    points: networkPoints(tf, model, positions),
    begin,
    most,
    target: tf.tensor3d(values, shape),
    weight: tf.tensor3d(weights, shape),
    counts: Float64Array.from(boxes, (_, p) => sumOf(weights, p * perPartition, perPartition)),
  };
}

/** What outputs are compared with, f32 [partitions, most, channels]; samples that partitions have not weigh 0. */
interface Targets {
  readonly values: Float32Array;
  readonly weights: Float32Array;
}

function targetsOf({ boxes, format, samples }: Fit, part: readonly Uint32Array[], most: number): Targets {
  const { channels, mapping } = format;
  const alpha = alphaChannel(format);
  const opaque = peakOf(format.sampleType);
  const values = new Float32Array(boxes.length * most * channels);
  const weights = new Float32Array(values.length);
  let first = 0;
  boxes.forEach((box, p) => {
    part[p].forEach((sample, i) => {
      const from = (first + sample) * channels;
      const to = (p * most + i) * channels;
      for (let channel = 0; channel < channels; channel++) {
        values[to + channel] = (samples[from + channel] - mapping.offset) / mapping.scale;
        weights[to + channel] = alpha >= 0 && channel !== alpha ? samples[from + alpha] / opaque : 1;
      }
    });
    first += boxSize(box);
  });
  return { values, weights };
}

/** The sum of `count` values from a place on. */
export function sumOf(values: ArrayLike<number>, from: number, count: number): number {
  let total = 0;
  for (let i = from; i < from + count; i++) total += values[i];
  return total;
}
