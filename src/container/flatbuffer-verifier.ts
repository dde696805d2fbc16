import { LgiError } from '../../codec/errors.js';
import { LAYOUT, type FieldLayout, type TableName } from '../../schema/generated/layout.js';

/** Tables inside tables: the schema has four levels; a fifth is a later version's. */
const MAX_DEPTH = 8;

/** Bytes of a table, and of a virtual table: the library that reads them takes places as 16 bits with sign, and loses fields beyond. */
const MAX_TABLE_BYTES = 0x7fff;

/** Tables, vectors and strings begin at multiples of this. */
const OBJECT_ALIGNMENT = 4;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Checks a FlatBuffer before any accessor touches it, since the JavaScript runtime has no verifier: an offset out of
 * range reads as 0, a bad length reads the neighbour, and `unpack` may take all memory.
 *
 * Every offset, alignment, length and required field of the tables that the schema knows is checked. Objects may not
 * share bytes (virtual tables may), so what they hold together is no more than the buffer: work and memory of all later
 * reading are bounded by its length. Telling takes a bit for every four bytes. Fields and union members that the schema does not know are skipped.
 *
 * @param bytes at an address divisible by 8, as a copy is.
 * @param root name of the root table.
 * @param identifier the four letters at byte 4.
 * @param section names the buffer in errors.
 * @param byteOffset of the buffer in its file, for errors.
 * @returns the end of its last object, in bytes; the buffer's own end is not written in it and may lie beyond by padding.
 * @throws LgiError `damaged`.
 */
export function verifyFlatBuffer(
  bytes: Uint8Array,
  root: TableName,
  identifier: string,
  section: string,
  byteOffset: number,
): number {
  return new Verifier(bytes, section, byteOffset).verify(root, identifier);
}

class Verifier {
  private readonly view: DataView;
  /** A bit for every four bytes: whether an object has some of them. Objects begin at multiples of four. */
  private readonly taken: Int32Array;
  /** End of the last object so far. */
  private end = 16;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly section: string,
    private readonly byteOffset: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.taken = new Int32Array(Math.ceil(bytes.length / (32 * OBJECT_ALIGNMENT)));
  }

  verify(root: TableName, identifier: string): number {
    // Root offset, identifier, and the smallest table with its virtual table.
    if (this.bytes.length < 16) this.fail(0, `it has only ${this.bytes.length} bytes`);
    for (let i = 0; i < 4; i++) {
      if (this.bytes[4 + i] !== identifier.charCodeAt(i)) this.fail(4, `it is not marked ${identifier}`);
    }
    this.take(0, 8);
    this.table(this.reference(0, 'root'), root, 0);
    return this.end;
  }

  private fail(at: number, fact: string): never {
    throw new LgiError(
      'damaged',
      `the ${this.section} is no sound FlatBuffer: ${fact}; fetch the file again`,
      {
        section: this.section,
        byteOffset: this.byteOffset + at,
      },
    );
  }

  private need(at: number, length: number, align: number, name: string): void {
    if (at % align !== 0) this.fail(at, `${name} is not aligned to ${align} bytes`);
    if (at + length > this.bytes.length) this.fail(at, `${name} reaches beyond the end`);
    this.end = Math.max(this.end, at + length);
  }

  /** Marks the bytes of an object, one at least, which lie inside the buffer. */
  private take(at: number, byteLength: number): void {
    const { taken } = this;
    const [first, last] = [at / OBJECT_ALIGNMENT, Math.ceil((at + byteLength) / OBJECT_ALIGNMENT) - 1];
    const [firstWord, lastWord] = [first >>> 5, last >>> 5];
    for (let word = firstWord; word <= lastWord; word++) {
      let bits = -1;
      if (word === firstWord) bits &= -1 << (first & 31);
      if (word === lastWord) bits &= -1 >>> (31 - (last & 31));
      if ((taken[word] & bits) !== 0) this.fail(at, 'objects share bytes');
      taken[word] |= bits;
    }
  }

  /** The place that an offset at `at` points to; offsets are unsigned and point forward. */
  private reference(at: number, name: string): number {
    this.need(at, 4, 4, name);
    const distance = this.view.getUint32(at, true);
    // Shorter than itself, an offset points into the table that holds it.
    if (distance < 4) this.fail(at, `${name} points to itself`);
    if (at + distance >= this.bytes.length) this.fail(at, `${name} points beyond the end`);
    return at + distance;
  }

  private table(at: number, tableName: TableName, depth: number): void {
    if (depth > MAX_DEPTH) this.fail(at, `tables are nested more than ${MAX_DEPTH} deep`);
    this.need(at, 4, 4, tableName);
    const virtual = at - this.view.getInt32(at, true);
    if (virtual < 0) this.fail(at, `${tableName}'s virtual table lies before the beginning`);
    this.need(virtual, 4, 2, `${tableName}'s virtual table`);
    const virtualLength = this.view.getUint16(virtual, true);
    const tableLength = this.view.getUint16(virtual + 2, true);
    if (virtualLength < 4 || virtualLength % 2 !== 0 || virtualLength > MAX_TABLE_BYTES) {
      this.fail(virtual, `${tableName}'s virtual table has ${virtualLength} bytes`);
    }
    this.need(virtual, virtualLength, 2, `${tableName}'s virtual table`);
    if (tableLength < 4 || tableLength > MAX_TABLE_BYTES)
      this.fail(virtual + 2, `${tableName} has ${tableLength} bytes`);
    this.need(at, tableLength, 4, tableName);
    this.take(at, tableLength);

    const fields = LAYOUT[tableName];
    const place = (id: number): number => {
      const entry = 4 + 2 * id;
      return entry + 2 <= virtualLength ? this.view.getUint16(virtual + entry, true) : 0;
    };
    fields.forEach((field, id) => {
      const inTable = place(id);
      if (inTable === 0) {
        if (field.required) this.fail(at, `${tableName} lacks ${field.name}`);
        return;
      }
      const { size, align } = inlineSize(field);
      if (inTable < 4 || inTable + size > tableLength) {
        this.fail(at, `${tableName}.${field.name} lies outside its table`);
      }
      this.need(at + inTable, size, align, `${tableName}.${field.name}`);
      // A union's type is the field before it.
      const typeAt = field.kind === 'union' ? place(id - 1) : 0;
      const member = typeAt === 0 ? 0 : this.bytes[at + typeAt];
      this.value(at + inTable, field, member, `${tableName}.${field.name}`, depth);
    });
  }

  private value(at: number, field: FieldLayout, member: number, name: string, depth: number): void {
    switch (field.kind) {
      case 'inline':
        return;
      case 'string':
        return this.string(this.reference(at, name), name);
      case 'vector':
        this.vector(this.reference(at, name), field.size, field.align, name);
        return;
      case 'table':
        return this.table(this.reference(at, name), field.table, depth + 1);
      case 'tables': {
        const vector = this.reference(at, name);
        const count = this.vector(vector, 4, 4, name);
        for (let i = 0; i < count; i++) {
          this.table(this.reference(vector + 4 + 4 * i, name), field.table, depth + 1);
        }
        return;
      }
      case 'union': {
        const target = this.reference(at, name);
        const table = field.members[member];
        if (table) this.table(target, table, depth + 1);
        else if (member === 0) this.fail(at, `${name} has a value and no type`);
      }
    }
  }

  /** @returns the number of elements. */
  private vector(at: number, size: number, align: number, name: string): number {
    this.need(at, 4, 4, name);
    const count = this.view.getUint32(at, true);
    // An empty vector may end the buffer before the place where its first element would be aligned.
    if (count > 0) this.need(at + 4, count * size, align, name);
    this.take(at, 4 + count * size);
    return count;
  }

  private string(at: number, name: string): void {
    this.need(at, 4, 4, name);
    const begin = at + 4;
    const end = begin + this.view.getUint32(at, true);
    this.need(begin, end + 1 - begin, 1, name);
    if (this.bytes[end] !== 0) this.fail(at, `${name} has no end`);
    this.take(at, end + 1 - at);
    try {
      // Accessors would put other characters for what is none, and so show what nobody wrote.
      UTF8.decode(this.bytes.subarray(begin, end));
    } catch {
      this.fail(at, `${name} is no UTF-8`);
    }
  }
}

/** What a field takes inside its table. */
function inlineSize(field: FieldLayout): { size: number; align: number } {
  return field.kind === 'inline' ? field : { size: 4, align: 4 };
}
