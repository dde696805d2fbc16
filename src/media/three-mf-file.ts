import { damagedFault, mediaFault } from './image-limits.js';
import type { Mesh } from './mesh.js';
import { MeshBuilder } from './mesh-builder.js';
import { combined, IDENTITY, Placement, type Transform } from './mesh-instances.js';
import { readModel, type Model } from './three-mf-model.js';
import { readRelationships } from './three-mf-relationships.js';
import { zipParts } from './zip-parts.js';

/** Deepest components within components: real files have two or three. */
const MAX_DEPTH = 32;

/** Most objects placed, those without triangles too: components that each hold two others grow by powers of two. */
const MAX_PLACED_OBJECTS = 2 ** 20;

const RELATIONSHIPS = '_rels/.rels';

/** A part's name without the slash before it, which references have; case does not count. */
const partKey = (part: string) => part.replace(/^\/+/, '').toLowerCase();

/**
 * The items that a 3MF file builds, with their transforms and components, in millimetres by the unit of its model.
 *
 * @throws LgiError `media` for one that is incomplete, damaged, builds nothing or needs an extension that changes its
 * geometry; `limit` for one that unpacks to too much.
 */
export async function parse3mf(bytes: Uint8Array, name: string): Promise<Mesh> {
  const isWanted = (part: string) => /\.model$/i.test(part) || partKey(part) === RELATIONSHIPS;
  const parts = new Map(
    [...zipParts(bytes, name, isWanted)].map(([part, content]) => [partKey(part), content]),
  );
  const relationships = parts.get(RELATIONSHIPS);
  const target = relationships && (await readRelationships(relationships, name));
  const rootPart =
    target === undefined ? [...parts.keys()].find((part) => part.endsWith('.model')) : partKey(target);
  if (rootPart === undefined) {
    throw mediaFault(name, 'this is a ZIP file without a 3D model', 'export it as 3MF, or unpack it first');
  }
  const models = new Map<string, Model>();
  const modelOf = async (part: string): Promise<Model> => {
    const content = parts.get(part);
    if (content === undefined) throw damagedFault(name, `the part '${part}' is missing`);
    const model = models.get(part) ?? (await readModel(content, `${name}: ${part}`));
    models.set(part, model);
    return model;
  };
  const root = await modelOf(rootPart);
  if (root.items.length === 0) {
    throw mediaFault(name, 'the 3MF model builds no objects', 'export it with objects on the plate');
  }
  const builder = new MeshBuilder();
  const placement = new Placement(builder, name);
  let placed = 0;
  const place = async (part: string, id: string, transform: Transform, depth: number): Promise<void> => {
    const object = (await modelOf(part)).objects.get(id);
    if (object === undefined) throw damagedFault(name, `the object ${id} of '${part}' is missing`);
    if (depth > MAX_DEPTH || ++placed > MAX_PLACED_OBJECTS) {
      throw mediaFault(
        name,
        `objects are within one another ${MAX_DEPTH} deep, or ${MAX_PLACED_OBJECTS} times`,
        'export it without components',
      );
    }
    placement.add(object, transform);
    for (const component of object.components) {
      const inner = component.path === undefined ? part : partKey(component.path);
      await place(inner, component.id, combined(transform, component.transform), depth + 1);
    }
  };
  const scale = IDENTITY.map((value) => value * root.unitMm);
  for (const item of root.items) {
    const part = item.path === undefined ? rootPart : partKey(item.path);
    await place(part, item.id, combined(scale, item.transform), 1);
  }
  return builder.mesh(name);
}
