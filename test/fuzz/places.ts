// Where the numbers of a sound FlatBuffer stand, by the schema's layout, so that mutations hit what a reader uses.
import { LAYOUT, type FieldLayout, type TableName } from '../../schema/generated/layout.js';

/** A number in a buffer. */
export interface Place {
  readonly at: number;
  readonly size: number;
  /**
   * `offset`: u32 to a table, vector or string; `count`: of a vector; `virtual`: a table's way to its virtual table, or an
   * entry of that; `value`: what the schema's user sees.
   */
  readonly kind: 'offset' | 'count' | 'virtual' | 'value';
}

/** A vector that is no vector of tables. */
export interface VectorPlace {
  /** `Table.field`. */
  readonly name: string;
  /** Where the offset to it stands. */
  readonly offsetAt: number;
  readonly at: number;
  readonly count: number;
  readonly elementSize: number;
}

export interface Places {
  readonly numbers: readonly Place[];
  readonly vectors: readonly VectorPlace[];
  /** Tables, vectors and strings: what an offset may be made to point to. */
  readonly objects: readonly number[];
}

/** Elements of a vector of bytes that are listed: weights are many, and one is as good as another. */
const LISTED_ELEMENTS = 6;

/** @param bytes of a buffer that the verifier takes. */
export function findPlaces(bytes: Uint8Array, root: TableName): Places {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers: Place[] = [];
  const vectors: VectorPlace[] = [];
  const objects: number[] = [];

  /** The words of a scalar or struct; structs of 8-byte alignment hold 4-byte numbers too. */
  function value(at: number, size: number, align: number): void {
    for (const word of align === 8 ? [8, 4] : [align]) {
      for (let i = 0; i < size; i += word) numbers.push({ at: at + i, size: word, kind: 'value' });
    }
  }

  function follow(at: number): number {
    numbers.push({ at, size: 4, kind: 'offset' });
    const target = at + view.getUint32(at, true);
    objects.push(target);
    return target;
  }

  function vector(offsetAt: number, name: string, elementSize: number): { at: number; count: number } {
    const at = follow(offsetAt);
    const count = view.getUint32(at, true);
    numbers.push({ at, size: 4, kind: 'count' });
    vectors.push({ name, offsetAt, at, count, elementSize });
    return { at, count };
  }

  function field(at: number, { name, ...layout }: FieldLayout, table: string): void {
    switch (layout.kind) {
      case 'inline':
        return value(at, layout.size, layout.align);
      case 'string':
        vector(at, `${table}.${name}`, 1);
        return;
      case 'table':
        return walk(follow(at), layout.table);
      case 'union': {
        const [member] = layout.members.filter((candidate) => candidate !== null);
        return walk(follow(at), member);
      }
      case 'tables': {
        const start = follow(at);
        const count = view.getUint32(start, true);
        numbers.push({ at: start, size: 4, kind: 'count' });
        for (let i = 0; i < count; i++) walk(follow(start + 4 + 4 * i), layout.table);
        return;
      }
      case 'vector': {
        const { at: start, count } = vector(at, `${table}.${name}`, layout.size);
        const listed = layout.size === 1 ? Math.min(count, LISTED_ELEMENTS) : count;
        for (let i = 0; i < listed; i++) value(start + 4 + layout.size * i, layout.size, layout.align);
      }
    }
  }

  function walk(at: number, table: TableName): void {
    numbers.push({ at, size: 4, kind: 'virtual' });
    const virtual = at - view.getInt32(at, true);
    const virtualLength = view.getUint16(virtual, true);
    for (let i = 0; i < virtualLength; i += 2) numbers.push({ at: virtual + i, size: 2, kind: 'virtual' });
    LAYOUT[table].forEach((layout, id) => {
      const entry = 4 + 2 * id;
      const inTable = entry + 2 <= virtualLength ? view.getUint16(virtual + entry, true) : 0;
      if (inTable !== 0) field(at + inTable, layout, table);
    });
  }

  walk(follow(0), root);
  return { numbers, vectors, objects };
}
