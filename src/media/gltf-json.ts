import type { GLTF } from '@gltf-transform/core';
import { damagedFault, mediaFault } from './image-limits.js';

/** Extensions that say where triangles are, and that no plain accessor replaces. */
const OTHER_SHAPES = /draco|meshopt|instancing/i;

/** Extensions that a file may require and that say nothing about where triangles are. */
const HARMLESS =
  /^(KHR_(mesh_quantization|materials_\w+|texture_\w+|lights_\w+|xmp\w*|animation_\w+|node_\w+|audio\w*)|EXT_texture_\w+|EXT_lights_\w+|MSFT_\w+|VRMC?\w*)$/;

const COMPONENT_BYTES: Readonly<Record<number, number>> = {
  5120: 1,
  5121: 1,
  5122: 2,
  5123: 2,
  5125: 4,
  5126: 4,
};

const COMPONENTS: Readonly<Record<string, number>> = {
  SCALAR: 1,
  VEC2: 2,
  VEC3: 3,
  VEC4: 4,
  MAT2: 4,
  MAT3: 9,
  MAT4: 16,
};

/** Vertices that a file without samples for them may have: zeros, of which a sparse accessor moves some. */
const MAX_ZEROS = 2 ** 20;

/** What takes place in a glTF file's geometry, and nothing else of it. */
export type Geometry = GLTF.IGLTF & {
  readonly accessors: GLTF.IAccessor[];
  readonly bufferViews: GLTF.IBufferView[];
  readonly buffers: GLTF.IBuffer[];
  readonly nodes: GLTF.INode[];
  readonly meshes: GLTF.IMesh[];
};

/**
 * Parses glTF's JSON, and leaves the parts that have to do with geometry; buffers are called by number.
 *
 * @throws LgiError `media` for what is no such JSON, of another version, or needs an extension for its geometry.
 */
export function geometryOf(bytes: Uint8Array, name: string): Geometry {
  let json: GLTF.IGLTF;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes)) as GLTF.IGLTF;
  } catch (cause) {
    throw damagedFault(name, 'the JSON of the glTF file cannot be parsed', cause);
  }
  const version = json?.asset?.version;
  if (typeof version !== 'string' || !version.startsWith('2.')) {
    throw mediaFault(
      name,
      `the glTF file is of version ${String(version)}, version 2 is read`,
      'export it as glTF 2.0',
    );
  }
  const required = list<string>(json.extensionsRequired).find((extension) => !HARMLESS.test(extension));
  if (required !== undefined) throw extensionFault(required, name);
  const accessors = list<GLTF.IAccessor>(json.accessors);
  const used = new Set<number>();
  const meshes = list<GLTF.IMesh>(json.meshes).map(({ primitives }) => ({
    primitives: list<GLTF.IMeshPrimitive>(primitives).flatMap(({ attributes, indices, mode, extensions }) => {
      const position = attributes?.['POSITION'];
      if (position === undefined) return [];
      const compressed = Object.keys(extensions ?? {}).find((extension) => OTHER_SHAPES.test(extension));
      const isAbsent = accessors[position]?.bufferView === undefined && !accessors[position]?.sparse;
      if (compressed !== undefined && isAbsent) throw extensionFault(compressed, name);
      used.add(position);
      if (indices !== undefined) used.add(indices);
      return [
        {
          attributes: { POSITION: position },
          ...(indices !== undefined && { indices }),
          ...(mode !== undefined && { mode }),
        },
      ];
    }),
  }));
  const nodes = list<GLTF.INode>(json.nodes).map(
    ({ children, mesh, matrix, translation, rotation, scale, extensions }): GLTF.INode => {
      const repeated = Object.keys(extensions ?? {}).find((extension) => OTHER_SHAPES.test(extension));
      if (repeated !== undefined) throw extensionFault(repeated, name);
      return {
        ...(children && { children }),
        ...(mesh !== undefined && { mesh }),
        ...(matrix && { matrix }),
        ...(translation && { translation }),
        ...(rotation && { rotation }),
        ...(scale && { scale }),
      };
    },
  );
  // Others keep their numbers, and are not read.
  const taken = accessors.map((accessor, at): GLTF.IAccessor =>
    used.has(at) ? accessor : { componentType: 5121, count: 1, type: 'SCALAR' },
  );
  const views = new Set(taken.flatMap(viewsOf));
  return {
    asset: { version: '2.0' },
    ...(json.scene !== undefined && { scene: json.scene }),
    scenes: list<GLTF.IScene>(json.scenes).map(({ nodes: roots }) => ({ nodes: list<number>(roots) })),
    nodes,
    meshes,
    accessors: taken,
    bufferViews: list<GLTF.IBufferView>(json.bufferViews).map((view, at) =>
      views.has(at) ? view : { buffer: view.buffer, byteLength: 0 },
    ),
    buffers: list<GLTF.IBuffer>(json.buffers),
  };
}

/** The buffer views that an accessor is in. */
function viewsOf({ bufferView, sparse }: GLTF.IAccessor): number[] {
  const views = [bufferView, sparse?.indices?.bufferView, sparse?.values?.bufferView];
  return views.filter((view) => view !== undefined);
}

/** The numbers of the buffers that the geometry is in. */
export function usedBuffers({ accessors, bufferViews }: Geometry): Set<number> {
  const views = accessors.flatMap(viewsOf);
  return new Set(views.map((view) => bufferViews[view]?.buffer));
}

/**
 * Checks that all values lie within their buffers, before anything is allocated for them.
 *
 * @param bufferBytes bytes of each buffer that is there.
 * @throws LgiError `media` else.
 */
export function checkAccessors(
  { accessors, bufferViews }: Geometry,
  bufferBytes: readonly number[],
  name: string,
): void {
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const check = (
    what: string,
    view: number,
    offset: number,
    count: number,
    itemBytes: number,
    isSparse: boolean,
  ) => {
    const given = bufferViews[view] as GLTF.IBufferView | undefined;
    const compressed = Object.keys(given?.extensions ?? {}).find((extension) => OTHER_SHAPES.test(extension));
    const available = given === undefined ? undefined : bufferBytes[given.buffer];
    if (compressed !== undefined && available === undefined) throw extensionFault(compressed, name);
    const begin = given?.byteOffset ?? 0;
    const stride = isSparse ? itemBytes : (given?.byteStride ?? itemBytes);
    const needed = count === 0 ? 0 : offset + stride * (count - 1) + itemBytes;
    const isWithin =
      given !== undefined &&
      available !== undefined &&
      [begin, given.byteLength, stride, offset, count].every(isCount) &&
      needed <= given.byteLength &&
      begin + given.byteLength <= available;
    if (!isWithin) {
      throw damagedFault(
        name,
        `${what} needs ${needed} bytes of view ${view}, which has ${given?.byteLength ?? 0} from byte ${begin} of ` +
          `a buffer of ${available ?? 0}`,
      );
    }
  };
  accessors.forEach(({ bufferView, byteOffset = 0, componentType, count, type, sparse }, at) => {
    const itemBytes = COMPONENT_BYTES[componentType] * COMPONENTS[type];
    if (!Number.isInteger(itemBytes) || !isCount(count)) {
      throw damagedFault(
        name,
        `accessor ${at} has ${String(count)} items of type ${String(type)} ${String(componentType)}`,
      );
    }
    if (bufferView !== undefined) check(`accessor ${at}`, bufferView, byteOffset, count, itemBytes, false);
    else if (count > MAX_ZEROS)
      throw damagedFault(name, `accessor ${at} has ${count} items and no bytes for them`);
    if (!sparse) return;
    const indexBytes = COMPONENT_BYTES[sparse.indices?.componentType];
    if (!isCount(sparse.count) || sparse.count > count || !indexBytes || !sparse.values) {
      throw damagedFault(name, `accessor ${at} has ${String(sparse.count)} sparse items of ${count}`);
    }
    check(
      `sparse ${at}`,
      sparse.indices.bufferView,
      sparse.indices.byteOffset ?? 0,
      sparse.count,
      indexBytes,
      true,
    );
    check(
      `sparse ${at}`,
      sparse.values.bufferView,
      sparse.values.byteOffset ?? 0,
      sparse.count,
      itemBytes,
      true,
    );
  });
}

function extensionFault(extension: string, name: string) {
  return mediaFault(
    name,
    `the glTF file needs the extension '${String(extension).slice(0, 60)}', which is not read`,
    'export it without compression or instances',
  );
}

/** What should be an array of a file; nothing else is. */
function list<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}
