import type { SampleArray } from './signal.js';

/**
 * Samples of a box by whether they lie near a surface: whether one of their neighbours, diagonal ones and those of all channels
 * included, has another value.
 *
 * Of the neighbours at a distance of 1, 2 and 3 samples (5 s on a bunny of 128 voxels per axis, half of all samples drawn near its
 * surface) those at 1 came to an IoU of 0.9999 at 41.5 dB, the others to 0.9995 at 38.6 and 0.9991 at 36.5.
 *
 * @param shape of the box.
 * @param samples row-major `[...shape, channels]`.
 * @returns indices of the samples near a surface and of all others, each ascending.
 */
export function surfaceSamples(
  shape: readonly number[],
  channels: number,
  samples: SampleArray,
): [near: Uint32Array, far: Uint32Array] {
  const size = shape.reduce((product, length) => product * length, 1);
  const isNear = new Uint8Array(size);
  for (let channel = 0; channel < channels; channel++) {
    const least = Float32Array.from({ length: size }, (_, i) => samples[i * channels + channel]);
    const most = least.slice();
    spreadExtremes(shape, least, most);
    for (let i = 0; i < size; i++) if (least[i] !== most[i]) isNear[i] = 1;
  }
  const count = isNear.reduce((sum, near) => sum + near, 0);
  const near = new Uint32Array(count);
  const far = new Uint32Array(size - count);
  let nearTaken = 0;
  for (let i = 0; i < size; i++) {
    if (isNear[i] === 1) near[nearTaken++] = i;
    else far[i - nearTaken] = i;
  }
  return [near, far];
}

/** Gives every sample the least and the most of itself and its neighbours, axis by axis. */
function spreadExtremes(shape: readonly number[], least: Float32Array, most: Float32Array): void {
  let stride = least.length;
  for (const length of shape) {
    const outer = stride;
    stride /= length;
    for (let begin = 0; begin < least.length; begin += outer) {
      for (let line = begin; line < begin + stride; line++) {
        const end = line + length * stride;
        let [low, high] = [least[line], most[line]];
        for (let at = line; at < end; at += stride) {
          const next = at + stride < end ? at + stride : at;
          const [ownLow, ownHigh] = [least[at], most[at]];
          least[at] = Math.min(low, ownLow, least[next]);
          most[at] = Math.max(high, ownHigh, most[next]);
          [low, high] = [ownLow, ownHigh];
        }
      }
    }
  }
}
