import type { Box } from '../../codec/grid.js';
import type { DecodeOptions } from '../../src/signal.js';
import type { PlaneRequest } from './methods.js';

/** Outputs along an axis of so many samples at a scale, and the samples that they stand for. */
export function axisOutputs(samples: number, scale: number): { outputs: number; samples: number } {
  const outputs = Math.floor(samples * scale);
  // Less than one output is one, in the middle.
  return outputs === 0 ? { outputs: 1, samples } : { outputs, samples: outputs / scale };
}

/**
 * What a plane's part is for a decode: by the same positions, to the last bit, whatever part of the plane it is.
 *
 * The plane's axes are scaled, the others are not, so that the scale is told by sizes; what of the shape no whole output stands for is
 * left out, which makes the ratio exact.
 *
 * @param shape samples per axis.
 */
export function planeSampling(
  shape: readonly number[],
  { axes, at, count, scale, outputs }: PlaneRequest,
): Required<Pick<DecodeOptions, 'region' | 'size' | 'outputs'>> {
  const region: { begin: number[]; end: number[] } = { begin: [], end: [] };
  const part: { begin: number[]; end: number[] } = { begin: [], end: [] };
  const through = shape.findIndex((_, axis) => !axes.includes(axis));
  const size = shape.map((length, axis) => {
    const onPlane = axes.indexOf(axis);
    const planes = axis === through ? count : 1;
    const all = onPlane < 0 ? { outputs: planes, samples: planes } : axisOutputs(length, scale);
    const begin = onPlane < 0 ? at[axis] : 0;
    region.begin.push(begin);
    region.end.push(begin + all.samples);
    part.begin.push(onPlane < 0 ? 0 : outputs.begin[onPlane]);
    part.end.push(onPlane < 0 ? planes : outputs.end[onPlane]);
    return all.outputs;
  });
  return { region: region satisfies Box, size, outputs: part };
}
