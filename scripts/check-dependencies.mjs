// Dependencies point one way, and nothing that a browser needs imports a Node module. Runs after the build: the browser's
// part is walked in dist/, where imports of types are gone.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';

/** Which other rooms a room knows. */
const KNOWS = { schema: [], codec: [], src: ['codec', 'schema'], player: ['codec', 'src'] };

/** Packages that run in browsers; a new one is looked at before it is added here. */
const BROWSER_PACKAGES = ['@noble/hashes', 'fflate', 'flatbuffers', 'isosurface', 'ssim.js', 'three'];

/** Kernels are another language with a module system of its own. */
const ASSEMBLY = join('codec', 'engine', 'cpu', 'assembly');

const packageJson = JSON.parse(readFileSync('package.json', 'utf8'));
const faults = [];

function importsOf(file) {
  return ts
    .preProcessFile(readFileSync(file, 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => fileName);
}

function isNodeModule(specifier) {
  return specifier.startsWith('node:') || builtinModules.includes(specifier.split('/')[0]);
}

function sourcesOf(room) {
  if (!existsSync(room)) return [];
  return readdirSync(room, { recursive: true })
    .map((name) => join(room, name))
    .filter((file) => file.endsWith('.ts') && !file.startsWith(ASSEMBLY));
}

for (const [room, known] of Object.entries(KNOWS)) {
  for (const file of sourcesOf(room)) {
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) {
        const [target] = normalize(join(dirname(file), specifier)).split(/[\\/]/);
        if (target !== room && !known.includes(target)) {
          faults.push(
            `${file} imports '${specifier}': ${room} knows ${known.join(' and ') || 'no other room'}`,
          );
        }
      } else if (isNodeModule(specifier) && room !== 'src' && !file.endsWith('-node.ts')) {
        faults.push(`${file} imports '${specifier}': only files named *-node.ts may know Node in ${room}/`);
      }
    }
  }
}

/** Files that are reached from here, each with the file that first imports it. */
function walkBrowserPart(entry) {
  const importer = new Map([[entry, null]]);
  for (const file of importer.keys()) {
    for (const specifier of importsOf(file)) {
      const mapped = specifier.startsWith('#') ? `./${packageJson.imports[specifier]?.default}` : specifier;
      if (mapped.startsWith('.')) {
        const target = normalize(specifier.startsWith('#') ? mapped : join(dirname(file), mapped));
        if (!existsSync(target)) faults.push(`${file} imports '${specifier}', which is not at ${target}`);
        else if (!importer.has(target)) importer.set(target, file);
      } else if (!BROWSER_PACKAGES.some((name) => mapped === name || mapped.startsWith(`${name}/`))) {
        faults.push(`${chain(importer, file)} imports '${specifier}', which browsers do not have`);
      }
    }
  }
  return importer.size;
}

function chain(importer, file) {
  const names = [];
  for (let at = file; at !== null; at = importer.get(at)) names.unshift(relative('dist', at));
  return names.join(' > ');
}

let count = 0;
for (const entry of [
  'src/index.js',
  'src/research.js',
  'player/index.js',
  'player/worker/decode-worker.js',
  'player/surface/index.js',
]) {
  const path = join('dist', ...entry.split('/'));
  if (!existsSync(path)) {
    process.stderr.write(`${path} is missing; run npm run build first\n`);
    process.exit(1);
  }
  count += walkBrowserPart(path);
}
if (faults.length > 0) {
  process.stderr.write(`dependencies: ${faults.length} against the house's rules (CONTRIBUTING.md)\n`);
  for (const fault of new Set(faults)) process.stderr.write(`  ${fault}\n`);
  process.exit(1);
}
process.stdout.write(`dependencies: one way; ${count} files for browsers, none knows Node\n`);
