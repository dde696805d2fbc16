// Makes spec/vectors: small files and what they decode to by the reference engine, and files that must be refused.
// Run after a build.
//
// Files that are there stay as they are, byte for byte, and only what they decode to is written again: training changes,
// and what older writers wrote has to be read for ever. With `--anew` all are made again, for changes of the format that
// end that; the version and the changelog then change too.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { append, crop, encode, MemorySink, MemoryTarget, memoryMedia, open } from '../dist/src/index.js';
import { encodeBySettings } from '../dist/src/encode.js';
import { resolveSettings } from '../dist/src/encode-settings.js';
import { ReferenceEngine } from '../dist/codec/engine/reference/reference-engine.js';
import { SLOT_BYTES, encodeSuperblock, findSuperblock } from '../dist/src/container/superblock.js';
import { faults } from './vector-faults.mjs';
import { extremeLatents, latentFaults, longestCell } from './vector-latents.mjs';
import { numberVectors } from './vector-numbers.mjs';
import { ruleFaults } from './vector-rules.mjs';
import { networks } from './vector-networks.mjs';

const folder = new URL('../spec/vectors/', import.meta.url);
const reference = new ReferenceEngine();

/** Decoders compute in f32: a value next to a half may round either way, at 16 bits a few steps; floats are of size 1. */
const TOLERANCES = { uint8: 1, uint16: 8, float32: 1e-4 };

/** Smooth colour with an edge, so that every channel and both sides of the range are used. */
function picture(height, width, channels, peak) {
  const Samples = peak === 255 ? Uint8Array : Uint16Array;
  const data = new Samples(height * width * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const wave = 0.5 + 0.5 * Math.sin(0.6 * x + 0.4 * y * (c + 1) + c);
        data[(y * width + x) * channels + c] = Math.round(peak * (x + y > width ? wave : wave * 0.4));
      }
    }
  }
  return { data, shape: [height, width] };
}

const modulated = { omegaFirst: 20, omegaHidden: 30, a: -0.1, b: 0.05, c: 0.2, d: 0.03 };
const small = { levels: 2, localWidth: 5, globalWidth: 6, iterations: 60, seed: 7, engine: reference };

const encodings = [
  [
    'paper-grey8-float32',
    "The paper's network: no lattice, signal coordinates, linspace.",
    picture(12, 13, 1, 255),
    { preset: 'paper', grid: [2, 3], weights: 'float32' },
  ],
  [
    'default-rgb8-integer',
    'Lattice and cell coordinates, ragged cells, integers of mixed bits.',
    picture(20, 27, 3, 255),
    { cell: [8, 8] },
  ],
  [
    'grey16-float16',
    '16-bit samples, aligned float16 payloads, lattice of stride 3.',
    picture(11, 14, 1, 65535),
    { cell: [6, 7], lattice: 3, weights: 'float16' },
  ],
  [
    'rgba8-deflate',
    'Straight alpha; integers in byte planes under DEFLATE.',
    picture(12, 12, 4, 255),
    { cell: [6, 6], coder: 'deflate' },
  ],
  [
    'grey-alpha8-deflate-float32',
    'Float byte planes under DEFLATE.',
    picture(9, 10, 2, 255),
    { cell: [5, 5], weights: 'float32', coder: 'deflate' },
  ],
  [
    'per-partition-rgb16',
    'No global network and no merge; integers of 8, 9 and 11 bits.',
    picture(10, 9, 3, 65535),
    { cell: [5, 5], globalWidth: 0, weights: 'int8' },
  ],
  [
    'one-partition',
    'A plain SIREN: one partition, no global network.',
    picture(9, 9, 1, 255),
    { grid: [1, 1], globalWidth: 0, lattice: 'none', coordinates: 'signal' },
  ],
  [
    'modulated',
    'Activations with a, b, c, d in every role.',
    picture(10, 12, 1, 255),
    { cell: [5, 6], activations: { local: modulated, global: modulated, merge: modulated } },
  ],
  ['one-sample', 'An axis of length 1 maps to 0.', picture(1, 1, 3, 255), { cell: [4, 4] }],
  [
    'icc',
    'A metadata section, which decoding does not need.',
    picture(8, 8, 1, 255),
    { cell: [4, 4], icc: Uint8Array.from({ length: 40 }, (_, i) => i) },
  ],
  [
    'implied',
    'An index that leaves out coordinates and lengths: every cell of a ragged grid of 3 x 6 has a chunk, all of one length.',
    picture(14, 31, 1, 255),
    { cell: [5, 6] },
  ],
];

if (process.argv.includes('--anew')) rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const files = new Map();

/** The file of this name as it is, or else what is made. */
function fileOf(name, make) {
  const url = new URL(`${name}.lgi`, folder);
  return existsSync(url) ? Uint8Array.from(readFileSync(url)) : make();
}

/**
 * @param sampling what is decoded, as the format's text has it: `region` in positions, `scale` or `size`; default every sample.
 * @param tolerance where it is not that of the sample type.
 */
async function addDecoded(name, description, bytes, sampling = {}, tolerance = undefined) {
  const file = await open(bytes, { engine: reference });
  const signals = [];
  for (const signal of file.signals) signals.push(await decodedSignal(signal, sampling, tolerance));
  write(name, bytes, { description, signals });
}

async function decodedSignal(signal, sampling, tolerance) {
  const { missing: absent } = await signal.decode();
  const { region, ...density } = sampling;
  const fromWindow = (corner) => corner.map((at, axis) => at - signal.window.begin[axis]);
  const { data, missing, channels, shape, format } = await signal.decode({
    ...density,
    ...(region && { region: { begin: fromWindow(region.begin), end: fromWindow(region.end) } }),
  });
  const samples = Array.from(data);
  for (const { box } of missing) {
    const places = shape.reduce(
      (list, length, axis) =>
        list.flatMap((place) =>
          Array.from(
            { length: box.end[axis] - box.begin[axis] },
            (_, j) => place * length + box.begin[axis] + j,
          ),
        ),
      [0],
    );
    for (const place of places) samples.fill(null, place * channels, (place + 1) * channels);
  }
  return {
    kind: signal.kind,
    shape,
    channels,
    sampleType: format.sampleType,
    window: signal.window,
    ...sampling,
    absent: absent.map(({ coordinates }) => coordinates),
    samples,
    tolerance: tolerance ?? TOLERANCES[format.sampleType],
  };
}

function write(name, bytes, expected) {
  files.set(name, bytes);
  writeFileSync(new URL(`${name}.lgi`, folder), bytes);
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(expected)}\n`);
}

const refuse = (name, description, bytes, code, section) =>
  write(
    `invalid-${name}`,
    fileOf(`invalid-${name}`, () => bytes),
    { description, error: { code, ...(section && { section }) } },
  );

for (const [name, description, { data, shape }, { icc, ...options }] of encodings) {
  const bytes = await fileOf(name, async () => {
    const sink = new MemorySink();
    await encode(memoryMedia({ data, shape, ...(icc && { iccProfile: icc }) }), sink, {
      ...small,
      ...options,
    });
    return sink.bytes().slice();
  });
  await addDecoded(name, description, bytes);
}

const cropped = (name, bytes, options) =>
  fileOf(name, async () => {
    const sink = new MemorySink();
    await crop((await open(bytes)).container, sink, options);
    return sink.bytes().slice();
  });

const whole = files.get('default-rgb8-integer');
await addDecoded(
  'window',
  'A crop finer than the cells: whole partitions stay, the window is smaller.',
  await cropped('window', whole, { region: { begin: [5, 3], end: [15, 20] } }),
);
await addDecoded(
  'hole',
  'A partition inside the extent is absent.',
  await cropped('hole', whole, { drop: [[1, 1]] }),
);

await addDecoded(
  'scaled-region',
  'Enlarged 1.5 times: a region that begins between two outputs of the whole, and ends between two of its own.',
  files.get('grey16-float16'),
  { region: { begin: [3, 2], end: [10, 13] }, scale: 1.5 },
);
await addDecoded(
  'scaled-onto-cut',
  'Reduced to a quarter: a row of outputs lies on a cut, and belongs to the cells that begin there.',
  files.get('paper-grey8-float32'),
  { scale: 0.25 },
);
await addDecoded(
  'scaled-to-one',
  'Reduced so far that less than one output is left on an axis: there is one, in the middle.',
  files.get('one-partition'),
  { region: { begin: [0, 2], end: [9, 7] }, scale: 0.15 },
);
await addDecoded(
  'sized',
  'A size of its own scale per axis, reduced on one and enlarged on the other.',
  files.get('modulated'),
  { size: [7, 17] },
);
await addDecoded(
  'sized-hole',
  'A size, with an absent partition and a window that does not begin at position 0.',
  await cropped('sized-hole', whole, { region: { begin: [5, 3], end: [19, 25] }, drop: [[1, 1]] }),
  { size: [11, 9] },
);

/** A file with pictures appended, one after the other. */
const grown = (name, bytes, parts) =>
  fileOf(name, async () => {
    const target = new MemoryTarget(bytes);
    for (const [{ data, shape }, options] of parts) {
      await append(target, memoryMedia({ data, shape }), { iterations: 40, engine: reference, ...options });
    }
    return target.bytes().slice();
  });

await addDecoded(
  'grown',
  'Appended on the right and below: coordinates and lattice points are folded, cells are ragged where they were.',
  await grown('grown', whole, [
    [picture(20, 19, 3, 255), { side: 'right' }],
    [picture(11, 46, 3, 255), { side: 'bottom' }],
  ]),
);
await addDecoded(
  'grown-before',
  'Appended on the left and above: positions and partition coordinates are negative. A region enlarged by a third.',
  await grown('grown-before', files.get('grey16-float16'), [
    [picture(11, 9, 1, 65535), { side: 'left' }],
    [picture(5, 23, 1, 65535), { side: 'top' }],
  ]),
  { region: { begin: [-4, -8], end: [5, 4] }, scale: 4 / 3 },
);
await addDecoded(
  'grown-signal-coordinates',
  'Appended twice without a lattice: what local and global networks see is folded at the edges of the first encode.',
  await grown('grown-signal-coordinates', files.get('paper-grey8-float32'), [
    [picture(12, 15, 1, 255), { side: 'right' }],
    [picture(12, 6, 1, 255), { side: 'left' }],
  ]),
);
await addDecoded(
  'rewritten',
  'A hole was filled and a partition was trained anew: their chunks stand behind an index that no longer counts.',
  await grown('rewritten', await cropped('hole', whole, { drop: [[1, 1]] }), [
    [picture(8, 8, 3, 255), { at: [8, 8] }],
    [picture(8, 8, 3, 255), { at: [0, 16], replace: true }],
  ]),
);

await addDecoded(
  'implied-grown',
  'Appended above and on the left: the curve passes old and new partitions in turn, so that they lie in several runs.',
  await grown('implied-grown', files.get('implied'), [
    [picture(11, 31, 1, 255), { side: 'top' }],
    [picture(25, 5, 1, 255), { side: 'left' }],
  ]),
);
await addDecoded(
  'implied-cropped',
  'A crop with a hole of that: its chunks lie in another order than that of the curve.',
  await cropped('implied-cropped', files.get('implied-grown'), {
    region: { begin: [4, 2], end: [20, 30] },
    drop: [[-1, 1]],
  }),
);

await addDecoded(
  'overview',
  'A picture with an overview of factor 4, which is a signal of its own behind it.',
  await fileOf('overview', async () => {
    const media = memoryMedia(picture(18, 22, 3, 255));
    const settings = { ...resolveSettings(media, { ...small, cell: [6, 8] }), overviews: [4] };
    const sink = new MemorySink();
    await encodeBySettings(media, sink, settings, { engine: reference });
    return sink.bytes().slice();
  }),
);

const latents = { family: 'latent', iterations: 60, seed: 7, engine: reference };
const ofLatents = (name, picture, options) =>
  fileOf(name, async () => {
    const sink = new MemorySink();
    await encode(memoryMedia(picture), sink, { ...latents, ...options });
    return sink.bytes().slice();
  });
await addDecoded(
  'latent-rgb',
  'The latent family: three planes, two of them from level 1 on; ragged partitions, smoothed borders.',
  await ofLatents('latent-rgb', picture(21, 27, 3, 255), { cell: [16, 16] }),
);
await addDecoded(
  'latent-grey',
  'One partition of latents, smaller than its coarser levels; 16-bit samples.',
  await ofLatents('latent-grey', picture(9, 14, 1, 65535), { cell: [14, 14] }),
);
await addDecoded(
  'latent-rgba',
  'Latents with straight alpha, a plane of its own.',
  await ofLatents('latent-rgba', picture(12, 12, 4, 255), { cell: [8, 8] }),
);
await addDecoded(
  'latent-cropped',
  'A crop of latents with a hole: borders to what is not there are not smoothed.',
  await cropped('latent-cropped', files.get('latent-rgb'), {
    region: { begin: [2, 3], end: [21, 27] },
    drop: [[0, 1]],
  }),
);
await addDecoded(
  'latent-scaled',
  'Latents enlarged: interpolation across borders, and at the edge of what is there.',
  files.get('latent-cropped'),
  { region: { begin: [10, 4], end: [20, 27] }, scale: 1.75 },
);
await addDecoded(
  'latent-grown',
  'Latents with a strip appended that is too narrow for its border to be smoothed, and one that is not.',
  await grown('latent-grown', files.get('latent-rgb'), [
    [picture(21, 3, 3, 255), { side: 'right' }],
    [picture(6, 30, 3, 255), { side: 'top' }],
  ]),
);
await addDecoded(
  'latent-grown-scaled',
  'The same, reduced to two thirds of its size.',
  files.get('latent-grown'),
  { size: [18, 20] },
);
await addDecoded(
  'latent-extreme',
  'Latents of all sizes by models that no training makes: every branch of the coder.',
  await fileOf('latent-extreme', extremeLatents),
);

await addDecoded(
  'latent-longest',
  'A partition of 512 samples on an axis, the most that latents may have; all of them are 0 and take no bytes.',
  await fileOf('latent-longest', () => longestCell(files)),
);

for (const [name, description, make] of networks(files)) {
  await addDecoded(name, description, await fileOf(name, make));
}

for (const [name, description, make, sampling, tolerance] of numberVectors(files)) {
  await addDecoded(name, description, await fileOf(name, make), sampling, tolerance);
}

const grey = files.get('paper-grey8-float32');
const edited = (bytes, edit) => {
  const copy = bytes.slice();
  edit(copy);
  return copy;
};
const { superblock } = findSuperblock(grey);
const withSlots = (change, bytes = grey) =>
  edited(bytes, (copy) => {
    const slots = encodeSuperblock({ ...findSuperblock(bytes).superblock, ...change });
    copy.set(slots.subarray(0, 2 * SLOT_BYTES));
  });

refuse(
  'not-lgi',
  'A PNG signature.',
  Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
  'not-lgi',
);
refuse('empty', 'No byte at all.', new Uint8Array(0), 'not-lgi');
refuse('truncated', 'The last chunk is cut short.', grey.slice(0, -10), 'truncated');
refuse(
  'slots',
  'Both slots have a wrong checksum.',
  edited(grey, (copy) => {
    copy[60] ^= 1;
    copy[SLOT_BYTES + 60] ^= 1;
  }),
  'damaged',
  'superblock',
);
refuse(
  'header',
  'A bit of the header is flipped.',
  edited(grey, (copy) => {
    copy[superblock.header.byteOffset + 20] ^= 4;
  }),
  'damaged',
  'header',
);
refuse(
  'index',
  'A bit of the index is flipped.',
  edited(grey, (copy) => {
    copy[superblock.index.byteOffset + 20] ^= 4;
  }),
  'damaged',
  'index',
);
refuse(
  'chunk',
  'A bit of a payload is flipped.',
  edited(grey, (copy) => {
    copy[grey.length - 5] ^= 1;
  }),
  'damaged',
);
refuse(
  'feature',
  'A feature that a reader must understand and cannot.',
  withSlots({ features: { ...superblock.features, mustUnderstand: 1n << 40n } }),
  'unsupported',
  'superblock',
);
refuse(
  'version',
  'A major version of the future.',
  withSlots({ version: { major: 2, minor: 0 } }),
  'unsupported',
  'superblock',
);
refuse(
  'length',
  'A header that claims more than any reader must take.',
  withSlots({ header: { ...superblock.header, byteLength: 0xffffffff } }),
  'limit',
);
refuse(
  'extent',
  'Cuts beyond the first encode, without the feature that says so.',
  withSlots(
    { features: { mustUnderstand: 0n, mustUnderstandToWrite: 0n, mayIgnore: 0n } },
    files.get('grown'),
  ),
  'damaged',
  'index',
);
refuse(
  'implied-feature',
  'Columns that leave out what follows, without the feature that says so.',
  withSlots(
    { features: { mustUnderstand: 0n, mustUnderstandToWrite: 0n, mayIgnore: 0n } },
    files.get('implied'),
  ),
  'damaged',
  'index',
);
refuse(
  'constant-feature',
  'Constant partitions in the header, without the feature that says so.',
  withSlots(
    { features: { mustUnderstand: 2n, mustUnderstandToWrite: 0n, mayIgnore: 0n } },
    files.get('constant'),
  ),
  'damaged',
  'index',
);
refuse('superblock-cut', 'The file ends inside its magic.', grey.slice(0, 5), 'truncated', 'superblock');
refuse(
  'generations',
  'Two valid slots of one generation that differ.',
  edited(grey, (copy) => {
    const other = encodeSuperblock({ ...superblock, fileId: new Uint8Array(16) });
    copy.set(other.subarray(0, SLOT_BYTES), SLOT_BYTES);
  }),
  'damaged',
  'superblock',
);
refuse(
  'version-in-one-slot',
  'A slot of a later major version beside one of this, whichever of them counts.',
  edited(grey, (copy) => {
    const later = encodeSuperblock({ ...superblock, version: { major: 2, minor: 0 } });
    copy.set(later.subarray(0, SLOT_BYTES), SLOT_BYTES);
  }),
  'unsupported',
  'superblock',
);
for (const fault of await faults(files)) refuse(...fault);
for (const fault of await latentFaults(files)) refuse(...fault);
for (const fault of await ruleFaults(files)) refuse(...fault);

for (const name of readdirSync(folder)) {
  if (!files.has(name.replace(/\.[^.]*$/, ''))) rmSync(new URL(name, folder));
}
process.stdout.write(`${readdirSync(folder).length / 2} vectors\n`);
