// Bundles the web player out of dist/ into dist/web/: modules that a page loads without a bundler of its own, and the kernels beside
// them. Runs after the TypeScript compiler; prints what a page has to load, and fails where that is more than the budget.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const FOLDER = 'dist/web';

/** What a page loads to show a picture, gzip: the player, its worker, a thread, the kernels (issue 6). */
const MOST_BYTES = 60_000;

const ENTRIES = {
  'lgi-player': 'dist/player/index.js',
  'lgi-decode-worker': 'dist/player/worker/decode-worker.js',
  'thread-web': 'dist/codec/engine/cpu/thread-web.js',
};

/** What a page loads besides, where it has shapes. */
const SURFACE = {
  'lgi-surface': 'dist/player/surface/index.js',
};

/** The pages of `lgi serve`. */
const PAGES = { 'lgi-view': 'dist/player/pages/view-page.js' };
const PAGE_FILES = ['view.html', 'pages.css'];

/**
 * Code that FlatBuffers generates reads and writes in one class, whose static methods no bundler drops. Who only reads gets the classes
 * without them; those who write, which are loaded when they are wanted, get them whole.
 */
const readersAndWriters = {
  name: 'readers-and-writers',
  async resolveId(specifier, importer) {
    const isGenerated = specifier.includes('schema/generated/') || importer?.includes('schema/generated/');
    if (!isGenerated || !importer || !specifier.startsWith('.')) return null;
    const [from, query] = importer.split('?');
    const resolved = await this.resolve(specifier, from, { skipSelf: true });
    const writes = query === 'writes' || /encode-\w+\.js$/.test(from);
    return writes ? `${resolved.id.split('?')[0]}?writes` : resolved.id;
  },
  load: (id) => (id.endsWith('?writes') ? readFileSync(id.split('?')[0], 'utf8') : null),
  transform(code, id) {
    if (!id.includes('schema/generated/lgi/') || id.endsWith('?writes')) return null;
    // Tables are reached by way of the two that are read as roots.
    const readers = code.replace(/^ {4}static (?!getRootAs(Header|Index)\()(\w+)\([^]*?^ {4}\}\n/gm, '');
    // Lists of numbers are read whole, never one by one.
    return readers.replace(/^ {4}(\w+)\(index\) \{[^]*?^ {4}\}\n/gm, (method, name) =>
      code.includes(` ${name}Array()`) ? '' : method,
    );
  },
};

const bundle = await rolldown({
  input: { ...ENTRIES, ...SURFACE, ...PAGES },
  platform: 'browser',
  plugins: [readersAndWriters],
  // FlatBuffers does not say that its modules do nothing by themselves; none here does but the entries.
  treeshake: {
    moduleSideEffects: (id) =>
      Object.values({ ...ENTRIES, ...SURFACE, ...PAGES }).some((entry) => id.endsWith(entry)),
  },
  resolve: {
    alias: {
      '#threads': `${process.cwd()}/dist/codec/engine/cpu/threads-web.js`,
      '#tensorflow': `${process.cwd()}/dist/codec/engine/tensorflow/load-web.js`,
      '#kernels': `${process.cwd()}/dist/codec/engine/cpu/kernels-fetched.js`,
    },
  },
});
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const { output } = await bundle.write({
  dir: FOLDER,
  format: 'es',
  minify: true,
  entryFileNames: '[name].js',
  chunkFileNames: 'lgi-[name]-[hash].js',
});

const modules = await import('../dist/codec/engine/cpu/module.generated.js');
const kernels = {
  'kernels.wasm': modules.KERNELS_BASE64,
  'kernels-relaxed.wasm': modules.RELAXED_KERNELS_BASE64,
  'latents.wasm': modules.LATENTS_BASE64,
  'latents-relaxed.wasm': modules.RELAXED_LATENTS_BASE64,
  'evaluation.wasm': modules.EVALUATION_BASE64,
  'evaluation-relaxed.wasm': modules.RELAXED_EVALUATION_BASE64,
};
for (const [name, text] of Object.entries(kernels))
  writeFileSync(`${FOLDER}/${name}`, Buffer.from(text, 'base64'));

for (const name of PAGE_FILES) copyFileSync(`player/pages/${name}`, `${FOLDER}/${name}`);

/** Files that are loaded with these: what they import statically. */
function loadedWith(names) {
  const loaded = new Set(names);
  for (const name of loaded) {
    const chunk = output.find(({ fileName }) => fileName === name);
    for (const imported of chunk?.imports ?? []) loaded.add(imported);
  }
  return [...loaded];
}

function gzipBytes(name) {
  return gzipSync(readFileSync(`${FOLDER}/${name}`), { level: 9 }).length;
}

/** What no page has a use for; the word that there is no such engine is none of it. */
const STRANGERS = /@tensorflow|engine[/\\]tensorflow[/\\](?!load-web)|node-av|^node:/;
const strangers = output.flatMap((chunk) =>
  (chunk.type === 'chunk' ? chunk.moduleIds : []).filter((id) => STRANGERS.test(id)),
);
if (strangers.length > 0) throw new Error(`the player's bundle has ${strangers.join(', ')}`);
/** Of the library for surfaces, which pages load when they show one. */
const THREE = /node_modules[/\\]three[/\\]/;

const first = loadedWith(Object.keys(ENTRIES).map((name) => `${name}.js`)).concat('evaluation-relaxed.wasm');
const early = output.filter(
  ({ fileName, moduleIds }) => first.includes(fileName) && moduleIds?.some((id) => THREE.test(id)),
);
if (early.length > 0)
  throw new Error(`${early.map(({ fileName }) => fileName).join(', ')} would load three.js at once`);
const total = first.reduce((sum, name) => sum + gzipBytes(name), 0);
if (process.argv.includes('--sizes')) {
  for (const name of first) process.stdout.write(`${String(gzipBytes(name)).padStart(7)}  ${name}\n`);
  for (const { fileName } of output) {
    if (!first.includes(fileName))
      process.stdout.write(`${String(gzipBytes(fileName)).padStart(7)}  ${fileName} (when wanted)\n`);
  }
}
process.stdout.write(`player: ${total} bytes gzip to show a picture, at most ${MOST_BYTES}\n`);
if (total > MOST_BYTES) process.exitCode = 1;
