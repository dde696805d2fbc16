import { readXml } from './read-xml.js';

/** The part that is the 3D model, by the relationships of a package; undefined where none is. */
export async function readRelationships(bytes: Uint8Array, name: string): Promise<string | undefined> {
  let target: string | undefined;
  await readXml(bytes, `${name}: _rels/.rels`, (element, attributes) => {
    if (element === 'Relationship' && /\/3dmodel$/i.test(attributes['Type'] ?? ''))
      target ??= attributes['Target'];
  });
  return target;
}
