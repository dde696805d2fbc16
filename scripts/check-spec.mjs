// The format's text holds together: links and cited sections exist, field tables are those of the schema, vectors that are named exist and
// each binds somebody, every code of a refusal has a vector, requirements are in capitals, appendix B has the built-in weights.
// `--root FOLDER` checks another copy, for the test that sees it fail.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const at = process.argv.indexOf('--root');
const root = at < 0 ? '.' : process.argv[at + 1];
const read = (path) => readFileSync(join(root, path), 'utf8');

/** Documents whose rules bind somebody. */
const NORMATIVE = ['lgi-format', 'container', 'sine', 'latent', 'editing', 'http'].map(
  (name) => `spec/${name}.md`,
);
const DOCUMENTS = readdirSync(join(root, 'spec'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `spec/${name}`);
/** Where code cites the format. */
const CODE = ['src', 'codec', 'player', 'schema/lgi.fbs', 'scripts', 'test'];

const faults = [];
const lineOf = (text, index) => text.slice(0, index).split('\n').length;
const fault = (path, text, index, what) => faults.push(`${path}:${lineOf(text, index)}  ${what}`);

/** Anchors that GitHub gives the headings of a document. */
function anchorsOf(text) {
  const seen = new Map();
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
      const slug = heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-');
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

function checkLinks(path) {
  const text = read(path);
  for (const match of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    const [file, anchor] = match[1].split('#');
    if (/^https?:/.test(match[1])) continue;
    const target = file === '' ? path : relative('.', resolve(dirname(path), file));
    if (!existsSync(join(root, target)))
      fault(path, text, match.index, `links to ${match[1]}, which does not exist`);
    else if (anchor !== undefined && !anchorsOf(read(target)).has(anchor))
      fault(path, text, match.index, `links to #${anchor}, which ${target} does not have`);
  }
}

/** Numbers of a document's sections, steps of section 10 (`10.3`) and appendices (`A`) among them. */
function sectionsOf(text) {
  const numbers = [...text.matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm)].map(([, number]) => number);
  const appendices = [...text.matchAll(/^## Appendix ([A-Z]):/gm)].map(([, letter]) => letter);
  const [, steps] = /^## 10\. ([^]*?)^#{2,3} /m.exec(text) ?? [];
  const ofSteps = [...(steps ?? '').matchAll(/^(\d+)\. /gm)].map(([, step]) => `10.${step}`);
  return [...numbers, ...appendices, ...ofSteps];
}

const ofDocument = new Map(NORMATIVE.map((path) => [path, new Set(sectionsOf(read(path)))]));
const everywhere = new Set([...ofDocument.values()].flatMap((sections) => [...sections]));

const LIST = String.raw`\d+(?:\.\d+)*(?:(?:, | and | or | to )\d+(?:\.\d+)*)*`;

function checkCitations(path, isOurs) {
  const text = read(path);
  const cite = (index, numbers, known, where) => {
    for (const [number] of numbers.matchAll(/\d+(?:\.\d+)*/g))
      if (!known.has(number))
        fault(path, text, index, `cites section ${number}, which ${where} does not have`);
  };
  for (const match of text.matchAll(
    new RegExp(String.raw`(spec/[a-z-]+\.md)[,:]?[\s*/#]+(?:sections?[\s*/#]+)?(${LIST})`, 'g'),
  )) {
    const known = ofDocument.get(match[1]);
    if (!known) fault(path, text, match.index, `cites ${match[1]}, which has no sections`);
    else cite(match.index, match[2], known, match[1]);
  }
  if (!isOurs) return;
  for (const match of text.matchAll(
    new RegExp(String.raw`\b[Ss]ections? (${LIST})(?! of (?:the )?RFC)`, 'g'),
  ))
    cite(match.index, match[1], everywhere, 'the format');
  for (const match of text.matchAll(/\b[Aa]ppendix ([A-Z])\b/g))
    if (!everywhere.has(match[1]))
      fault(path, text, match.index, `cites appendix ${match[1]}, which the format does not have`);
}

function* filesUnder(path) {
  if (!existsSync(join(root, path))) return;
  if (!statSync(join(root, path)).isDirectory()) {
    if (/\.(?:ts|mjs|py|fbs|md)$/.test(path)) yield path;
    return;
  }
  for (const name of readdirSync(join(root, path)))
    if (name !== 'node_modules') yield* filesUnder(`${path}/${name}`);
}

/** Fields of the schema's tables and structs, as `name type`, `!` for required ones. */
function schemaFields() {
  const fields = new Map();
  for (const [, name, body] of read('schema/lgi.fbs').matchAll(/^(?:table|struct) (\w+) \{\n([^]*?)^\}/gm)) {
    fields.set(
      name,
      [...body.matchAll(/^ {2}(\w+): ([^;(]+?) ?(\(required\))?;/gm)].map(([, field, type, required]) => [
        field,
        `${type}${required ? '!' : ''}`,
      ]),
    );
  }
  return fields;
}

const TYPES = {
  ubyte: 'u8',
  ushort: 'u16',
  int: 'i32',
  uint: 'u32',
  ulong: 'u64',
  float: 'f32',
  double: 'f64',
};

/** Every table of section 4 and 5 with a field number in its first column against the schema. */
function checkFieldTables() {
  const path = 'spec/container.md';
  const text = read(path);
  const schema = new Map([...schemaFields()].filter(([name]) => name !== 'ChunkHead'));
  for (const match of text.matchAll(/^\| # \| field \| type \|.*\n\|-.*\n((?:\|.*\n)+)/gm)) {
    const rows = [...match[1].matchAll(/^\| ([\d, ]+) \| `(\w+)` \| ([^|]+) \|/gm)];
    const found = rows.map(([, , field, type]) => `${field} ${type.trim()}`).join('; ');
    const named = [...schema].find(([, fields]) => {
      const expected = fields.map(
        ([field, type]) => `${field} ${type.replace(/\w+/, (word) => TYPES[word] ?? word)}`,
      );
      return expected.join('; ') === found;
    });
    if (!named) {
      fault(path, text, match.index, `this table is of no table or struct of the schema: ${found}`);
      continue;
    }
    const [name, fields] = named;
    schema.delete(name);
    // A union has two numbers; structs count bytes.
    let number = 0;
    const isStruct = read('schema/lgi.fbs').includes(`struct ${name} {`);
    fields.forEach(([field, type], i) => {
      const expected = type.startsWith('Architecture') ? `${number++}, ${number++}` : `${number++}`;
      if (!isStruct && rows[i][1].trim() !== expected)
        fault(
          path,
          text,
          match.index,
          `${name}.${field} is number ${expected}, the table says ${rows[i][1].trim()}`,
        );
    });
  }
  for (const name of schema.keys()) faults.push(`${path}:1  has no table of fields for ${name}`);
}

const vectors = readdirSync(join(root, 'spec/vectors'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name: name.slice(0, -5), ...JSON.parse(read(`spec/vectors/${name}`)) }));
const matches = (pattern, name) =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

function checkVectors() {
  const need = (path, text, index, pattern) => {
    if (!vectors.some(({ name }) => matches(pattern, name)))
      fault(path, text, index, `names the vector ${pattern}, which does not exist`);
  };
  for (const path of DOCUMENTS) {
    const text = read(path);
    for (const match of text.matchAll(/`(?:vectors\/)?([a-z0-9-]+)\.(?:lgi|json)`/g))
      need(path, text, match.index, match[1]);
    for (const match of text.matchAll(/`(invalid-[a-z0-9-]+\*?)`/g))
      need(path, text, match.index, match[1].replace(/-$/, '-*'));
    for (const list of text.matchAll(/^- vectors? (`[^]*?)(?=^- |^\n|^$)/gm))
      for (const match of list[1].matchAll(/`([a-z0-9-]+)`/g))
        need(path, text, list.index, match[1].replace(/-$/, '-*'));
  }
  const path = 'spec/lgi-format.md';
  const classes = read(path).split('## 16.')[1].split('\n## ')[0];
  const decoders = [...classes.matchAll(/^\| (?:sine|latent) decoder \| (`invalid[^|]+) \|$/gm)].flatMap(
    ([, list]) => [...list.matchAll(/`([^`]+)`/g)].map(([, pattern]) => pattern),
  );
  const [, ofRules] = read(path).split('### 12.1 ')[1].split('\n## ')[0].split('|---|---|\n');
  const tested = [...ofRules.matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)].flatMap(([, rule, list]) => {
    for (const [number] of rule.matchAll(/\d+(?:\.\d+)*/g))
      if (!everywhere.has(number))
        faults.push(`${path}:1  section 12.1 cites section ${number}, which the format does not have`);
    return [...list.matchAll(/`([^`]+)`/g)].map(([, pattern]) => pattern);
  });
  for (const { name, error } of vectors) {
    if (error !== undefined && !tested.some((pattern) => matches(pattern, name)))
      faults.push(`${path}:1  section 12.1 does not say which rule ${name} tests`);
    const isOfWeights = /^chunk /.test(error?.section ?? '') && !/^invalid-(?:latent-)?chunk/.test(name);
    if (isOfWeights && !decoders.some((pattern) => matches(pattern, name)))
      faults.push(`${path}:1  section 16 does not say which decoder ${name} binds`);
    if ((error === undefined) === name.startsWith('invalid-'))
      faults.push(`spec/vectors/${name}.json:1  is to be refused by its name or by its content, not both`);
    if (!existsSync(join(root, `spec/vectors/${name}.lgi`)))
      faults.push(`spec/vectors/${name}.json:1  has no file beside it`);
  }
  const [, codes] = /^## 10\. [^]*?\n((?:\|.*\n)+)/m.exec(read('spec/container.md'));
  for (const [, code] of codes.matchAll(/^\| `([a-z-]+)` \|/gm)) {
    // One is about several files, the other about what became of one.
    if (code === 'conflict' || code === 'replaced') continue;
    if (!vectors.some(({ error }) => error?.code === code))
      faults.push(`spec/container.md:1  no vector ends in ${code}`);
  }
  for (const section of ['superblock', 'header', 'index', 'chunk']) {
    if (!vectors.some(({ error }) => error?.code === 'damaged' && error.section?.split(' ')[0] === section))
      faults.push(`spec/container.md:1  no vector is damaged in its ${section}`);
  }
}

/** Words that bind are in capitals; these are none. */
const NOT_REQUIREMENTS = /must understand|does not know and must/g;

function checkWords(path) {
  const text = read(path);
  const prose = text.replace(/^ {4,}.*$/gm, (line) =>
    /^ {4,}[a-z(]/.test(line) ? line : ' '.repeat(line.length),
  );
  const rest = prose.replace(NOT_REQUIREMENTS, (words) => '-'.repeat(words.length));
  for (const match of rest.matchAll(/\b(?:must|should|shall)\b/g))
    fault(path, text, match.index, `"${match[0]}" is not in capitals: a requirement, or another word`);
  for (const match of rest.matchAll(/\b(?:anew|foretell\w*|behind (?!a URL))\b/g))
    fault(path, text, match.index, `"${match[0]}": again, predict, after`);
}

function crc32c(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (~crc >>> 0).toString(16).toUpperCase().padStart(8, '0');
}

function checkBuiltInWeights() {
  const path = 'spec/latent.md';
  const [, appendix] = read(path).split('## Appendix B');
  const shown = new Map(
    [...appendix.matchAll(/^`([a-z0-9-]+\.bin)`: (.*)\n\n((?: {4}\S+\n)+)/gm)].map(
      ([, name, facts, lines]) => [name, { facts, bytes: Buffer.from(lines.replace(/\s/g, ''), 'base64') }],
    ),
  );
  for (const name of readdirSync(join(root, 'spec/latent-defaults'))) {
    const bytes = readFileSync(join(root, 'spec/latent-defaults', name));
    const facts =
      `${bytes.length.toLocaleString('en')} bytes, CRC-32C \`0x${crc32c(bytes)}\`, ` +
      `SHA-256 \`${createHash('sha256').update(bytes).digest('hex')}\``;
    const found = shown.get(name);
    if (found?.facts !== facts)
      faults.push(`${path}:1  appendix B says of ${name} "${found?.facts}", it has ${facts}`);
    if (!found?.bytes.equals(bytes)) faults.push(`${path}:1  appendix B has other bytes than ${name}`);
  }
}

for (const path of [...DOCUMENTS, 'README.md', 'CONTRIBUTING.md']) checkLinks(path);
for (const path of NORMATIVE) {
  checkCitations(path, true);
  checkWords(path);
}
for (const start of [...CODE, 'CONTRIBUTING.md', 'spec/attacks.md', 'spec/examples.md']) {
  for (const path of filesUnder(start)) {
    // Its citations are wrong on purpose.
    if (path === 'test/spec/text.test.ts') continue;
    checkCitations(path, /^(?:schema\/|spec\/|test\/spec\/|scripts\/vector)/.test(path));
  }
}
checkFieldTables();
checkVectors();
checkBuiltInWeights();

if (faults.length > 0) {
  process.stderr.write("spec: the format's text does not hold together\n");
  for (const each of faults) process.stderr.write(`  ${each}\n`);
  process.exit(1);
}
process.stdout.write(
  `spec: ${DOCUMENTS.length} documents, ${everywhere.size} sections, ${vectors.length} vectors hold together\n`,
);
