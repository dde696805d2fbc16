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
  const { data, shape, notices: turned, origin, voxelSize } = await voxelise(mesh, options);
  const notices = [...(mesh.notices ?? []), ...turned];
  return memoryMedia({
    kind: 'shape',
    data,
    shape,
    channels: 1,
    placement: { origin: [...origin].reverse(), spacing: [voxelSize, voxelSize, voxelSize] },
    ...(notices.length > 0 && { notices }),
  });
}

/** How a mesh is turned into a shape. */
export interface ReadShapeOptions {
  /** Voxels per axis, 8 to 1024; default 256, as in the paper. */
  readonly resolution?: number;
}

/**
 * Reads a mesh file (OBJ, STL, PLY, OFF, glTF, GLB or 3MF) as the solid inside it; {@link shapeVolume} says what of.
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
