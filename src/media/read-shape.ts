import { memoryMedia, type Media } from './media.js';
import type { Mesh } from './mesh.js';
import { readMesh } from './read-mesh.js';
import { voxelise, type VoxeliseOptions } from './voxelise.js';

/**
 * The solid of a mesh as a medium of kind `shape`: uint8 samples `[z, y, x]` on a cubic grid, 255 inside and 0 outside.
 *
 * @throws LgiError and OptionError as {@link voxelise} does.
 */
export async function shapeVolume(mesh: Mesh, options: VoxeliseOptions = {}): Promise<Media> {
  const { name = 'mesh' } = options;
  const { data, shape, isInverted, origin, voxelSize } = await voxelise(mesh, options);
  return memoryMedia({
    kind: 'shape',
    data,
    shape,
    channels: 1,
    placement: { origin: [...origin].reverse(), spacing: [voxelSize, voxelSize, voxelSize] },
    ...(isInverted && { notices: [`${name}: its faces look inwards, it was taken inside out`] }),
  });
}

/** How a mesh is turned into a shape. */
export interface ReadShapeOptions {
  /** Voxels per axis, 8 to 1024; default 256, as in the paper. */
  readonly resolution?: number;
}

/**
 * Reads a mesh file (OBJ, STL or PLY) as the solid inside it; {@link shapeVolume} says what of.
 *
 * @throws LgiError and OptionError as `readMesh` and {@link voxelise} do.
 */
export async function readShape(
  path: string,
  options: ReadShapeOptions = {},
  signal?: AbortSignal,
): Promise<Media> {
  const mesh = await readMesh(path, signal);
  return shapeVolume(mesh, { ...options, name: path, ...(signal && { signal }) });
}
