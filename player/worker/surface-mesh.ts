import { boxShape } from '../../codec/grid.js';
import { surfaceOf } from '../../src/media/surface.js';
import type { Signal } from '../../src/signal.js';
import type { SurfaceReply } from './methods.js';

/** The surface of a shape, decoded as coarsely as its longest side allows: f32 positions, in samples of the shape. */
export async function surfaceMesh(
  shape: Signal,
  mostSide: number,
  signal: AbortSignal,
): Promise<SurfaceReply> {
  const scale = Math.min(1, mostSide / Math.max(...shape.shape));
  const size = shape.shape.map((length) => Math.max(1, Math.floor(length * scale)));
  const samples = await shape.decode({ size, allowDamaged: true, signal });
  const spacing = boxShape(shape.window).map((length, axis) => length / size[axis]) as [
    number,
    number,
    number,
  ];
  const { positions, indices } = surfaceOf(samples, { origin: [0, 0, 0], spacing });
  return {
    positions: Float32Array.from(positions),
    indices: new Uint32Array(indices),
    partitionsDecoded: samples.partitionsDecoded,
  };
}
