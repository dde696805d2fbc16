import { mediaFault } from './image-limits.js';
import { IDENTITY, type Part, type Transform } from './mesh-instances.js';
import { readXml } from './read-xml.js';

/** Millimetres of the units that 3MF knows. */
const UNITS_MM: Readonly<Record<string, number>> = {
  micron: 0.001,
  millimeter: 1,
  centimeter: 10,
  inch: 25.4,
  foot: 304.8,
  meter: 1000,
};

/** Extensions that give shapes by other means than triangles, or hide them; all else can be passed over. */
const OTHER_SHAPES = /beamlattice|securecontent|boolean|volumetric|implicit|displacement/i;

/** An object that is put somewhere. */
export interface Reference {
  readonly id: string;
  /** The part that has the object; absent for the same one. */
  readonly path?: string;
  readonly transform: Transform;
}

/** Triangles, other objects, or both. */
export interface ModelObject extends Part {
  readonly components: readonly Reference[];
}

/** A model part of a 3MF file. */
export interface Model {
  readonly unitMm: number;
  readonly objects: ReadonlyMap<string, ModelObject>;
  readonly items: readonly Reference[];
}

type Attributes = Readonly<Record<string, string>>;

/**
 * Reads a model part.
 *
 * @param name what error messages call the part.
 * @throws LgiError `media` for what is no XML, damaged, or needs an extension that changes its geometry.
 */
export async function readModel(bytes: Uint8Array, name: string): Promise<Model> {
  const objects = new Map<string, ModelObject>();
  const items: Reference[] = [];
  let unitMm = 1;
  let positions: number[] = [];
  let triangles: number[] = [];
  let components: Reference[] = [];
  let id = '';
  const fault = (fact: string) => mediaFault(name, fact, 'the file is damaged, export it again');
  const number = (attributes: Attributes, key: string): number => {
    const text = attributes[key];
    const value = text === undefined || text.trim() === '' ? NaN : Number(text);
    if (!Number.isFinite(value))
      throw fault(`object ${id} has ${key}="${(text ?? '').slice(0, 40)}", no number`);
    return value;
  };
  const corner = (attributes: Attributes, key: string): number => {
    const value = number(attributes, key);
    const count = positions.length / 3;
    if (!Number.isInteger(value) || value < 0 || value >= count) {
      throw fault(`object ${id} uses vertex ${value}, there are ${count}`);
    }
    return value;
  };
  const reference = (attributes: Attributes): Reference => {
    const path = Object.entries(attributes).find(([key]) => /(^|:)path$/.test(key))?.[1];
    const text = attributes['transform'];
    const transform = text === undefined ? IDENTITY : text.trim().split(/\s+/).map(Number);
    if (transform.length !== 12 || !transform.every(Number.isFinite)) {
      throw fault(`the transform '${(text ?? '').slice(0, 60)}' is not of 12 numbers`);
    }
    return { id: attributes['objectid'] ?? '', transform, ...(path !== undefined && { path }) };
  };
  const open = (element: string, attributes: Attributes): void => {
    switch (element) {
      case 'model': {
        const unit = attributes['unit'] ?? 'millimeter';
        if (!Object.hasOwn(UNITS_MM, unit)) throw fault(`the unit '${unit.slice(0, 40)}' is unknown`);
        unitMm = UNITS_MM[unit];
        checkExtensions(attributes, name);
        break;
      }
      case 'object':
        id = attributes['id'] ?? '';
        [positions, triangles, components] = [[], [], []];
        break;
      case 'vertex':
        positions.push(number(attributes, 'x'), number(attributes, 'y'), number(attributes, 'z'));
        break;
      case 'triangle':
        triangles.push(corner(attributes, 'v1'), corner(attributes, 'v2'), corner(attributes, 'v3'));
        break;
      case 'component':
        components.push(reference(attributes));
        break;
      case 'item':
        items.push(reference(attributes));
        break;
    }
  };
  const close = (element: string): void => {
    if (element !== 'object') return;
    const points = positions;
    objects.set(id, {
      vertex: (index) => points.slice(3 * index, 3 * index + 3),
      vertices: points.length / 3,
      triangles,
      components,
    });
  };
  await readXml(bytes, name, open, close);
  return { unitMm, objects, items };
}

function checkExtensions(attributes: Attributes, name: string): void {
  for (const prefix of (attributes['requiredextensions'] ?? '').split(/\s+/)) {
    const extension = attributes[`xmlns:${prefix}`] ?? prefix;
    if (!OTHER_SHAPES.test(extension)) continue;
    throw mediaFault(
      name,
      `the model needs the extension '${extension.slice(0, 100)}', which is not read`,
      'export it as triangles',
    );
  }
}
