// Conformance vectors that need no training: random weights in networks, kinds and layouts that pictures do not have.
import { elementCount, globalTensors, localTensors, siren } from '../dist/codec/architecture.js';
import { cutsByCell, Grid, spreadMap } from '../dist/codec/grid.js';
import { fitQuantiser } from '../dist/codec/quantise.js';
import { nextChunkOffset } from '../dist/src/container/chunk.js';
import { encodeConstant, encodeNetwork, quantiserFor } from '../dist/src/container/encode-local-weights.js';
import { encodeWeights } from '../dist/codec/coder/encode-weights.js';
import { encodeIndex } from '../dist/src/container/encode-index.js';
import { listedColumns } from '../dist/src/container/choose-columns.js';
import { ChunkTable } from '../dist/src/container/index-table.js';
import { openContainer } from '../dist/src/container/reader.js';
import { findSuperblock, encodeSlot, SLOT_BYTES } from '../dist/src/container/superblock.js';
import { crc32c } from '../dist/src/container/crc32c.js';
import { writeContainer } from '../dist/src/container/writer.js';
import { MemorySink, MemorySource } from '../dist/src/index.js';
import { mostBytesOf, paddedStream, withPayload } from './vector-payloads.mjs';

const FULL_RANGE = { scale: 127.5, offset: 127.5 };

/** Numbers in [0, 1), by the linear congruence of Numerical Recipes; the same seed gives the same ones for ever. */
function randomFrom(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** A signal of random weights: its header, grid and chunks. */
function randomSignal(random, wish) {
  const {
    kind,
    shape,
    cell,
    channels = 1,
    layout = 'plain',
    sampleType = 'uint8',
    mapping = FULL_RANGE,
    weights: [format, bits = 0] = ['float32'],
    coder = 'none',
    absent = [],
    constants = {},
    globalSpread = 1,
    localSpread = 1,
    before = shape.map(() => 0),
    architecture: changes = {},
    ...rest
  } = wish;
  const architecture = {
    inputs: shape.length,
    outputs: channels,
    levels: 2,
    localWidth: 4,
    globalWidth: 5,
    localCoordinates: 'cell',
    merge: 'concat',
    latticeStride: 0,
    // Gentle: a decoder in f32 then stays near the reference.
    activations: { local: siren(5, 3), global: siren(5, 3), merge: siren(1, 3) },
    ...changes,
  };
  const grid = new Grid(
    shape.map((length, axis) => {
      const { cuts } = cutsByCell(length, cell[axis]);
      const earlier = Array.from({ length: before[axis] }, (_, i) => (i - before[axis]) * cell[axis]);
      return { cuts: [...earlier, ...cuts], firstCell: -before[axis] };
    }),
  );
  const flat = (tensors) => Float32Array.from({ length: elementCount(tensors) }, () => random() - 0.5);
  const weights = {
    global: flat(globalTensors(architecture)).map((weight) => globalSpread * weight),
    local: Array.from({ length: grid.count }, () => flat(localTensors(architecture))),
  };
  const origin = localSpread < 1 ? flat(localTensors(architecture)) : undefined;
  if (origin)
    for (const local of weights.local)
      local.forEach((weight, i) => (local[i] = origin[i] + localSpread * weight));
  const fitted = fitQuantiser(format, bits, architecture, weights);
  const quantiser = quantiserFor(coder, fitted, architecture, weights.local, origin);
  const hasConstants = Object.keys(constants).length > 0;
  const header = {
    kind,
    role: 'primary',
    format: { sampleType, channels, layout, mapping },
    firstShape: shape,
    model: { architecture, maps: shape.map((length) => spreadMap(length)), nominalCell: cell },
    quantiser,
    coder,
    globalPayload:
      architecture.globalWidth === 0
        ? new Uint8Array(0)
        : encodeWeights(weights.global, globalTensors(architecture), quantiser.global, format, coder),
    ...(hasConstants && { constantPartitions: true }),
    ...rest,
  };
  const chunks = weights.local
    .map((local, ordinal) => ({
      coordinates: grid.coordinatesOf(ordinal),
      payload:
        constants[ordinal] === undefined
          ? encodeNetwork(local, header)
          : encodeConstant(Float32Array.from(constants[ordinal])),
    }))
    .filter((_, ordinal) => !absent.includes(ordinal));
  return { header, content: { grid, chunks } };
}

async function randomFile(seed, wishes) {
  const random = randomFrom(seed);
  const signals = wishes.map((wish) => randomSignal(random, wish));
  const sink = new MemorySink();
  await writeContainer(sink, {
    header: { signals: signals.map(({ header }) => header) },
    signals: signals.map(({ content }) => content),
  });
  return sink.bytes().slice();
}

/** The same chunks in two or more runs, the last ones first in the file, with gaps between the runs. */
async function inRuns(file, runLength) {
  const { header, index, superblock } = await openContainer(new MemorySource(file));
  const [signal] = index.signals;
  const { chunks, grid, window } = signal;
  const first = Math.min(...chunks.byteOffsets);
  const byteOffsets = new Float64Array(chunks.count);
  const parts = [];
  let at = first + 32;
  const groups = Array.from({ length: Math.ceil(chunks.count / runLength) }, (_, i) => i * runLength);
  for (const group of groups.reverse()) {
    for (let chunk = group; chunk < Math.min(chunks.count, group + runLength); chunk++) {
      at = nextChunkOffset(at, true);
      byteOffsets[chunk] = at;
      parts.push([at, file.subarray(chunks.byteOffsets[chunk], chunks.end(chunk))]);
      at += chunks.byteLength(chunk);
    }
    at += 40;
  }
  const moved = new ChunkTable(chunks.ordinals, chunks.payloadLengths, byteOffsets);
  const changed = { ...index, signals: [{ grid, window, chunks: moved }] };
  const indexBytes = encodeIndex(changed, listedColumns(changed), header);
  // More runs make it longer than the one before: it goes behind the chunks.
  const byteOffset = Math.ceil(at / 16) * 16;
  const bytes = new Uint8Array(byteOffset + indexBytes.length);
  bytes.set(file.subarray(0, superblock.index.byteOffset));
  for (const [place, chunk] of parts) bytes.set(chunk, place);
  bytes.set(indexBytes, byteOffset);
  const slot = encodeSlot({
    ...superblock,
    index: { byteOffset, byteLength: indexBytes.length, crc: crc32c(indexBytes) },
    committedByteLength: bytes.length,
  });
  bytes.set(slot, 0);
  bytes.set(slot, SLOT_BYTES);
  return bytes;
}

/** As when an append has stopped before its last write: one slot of the old file, one of the new. */
function withOldSlot(before, after) {
  const bytes = after.slice();
  const { superblock, slot } = findSuperblock(after);
  const old = findSuperblock(before).superblock;
  if (superblock.generation <= old.generation) throw new Error('the file has not grown');
  bytes.set(encodeSlot(old), slot === 0 ? SLOT_BYTES : 0);
  return bytes;
}

/**
 * Names, descriptions and makers of vectors to be decoded.
 *
 * @param files the vectors before these, by name.
 */
export const networks = (files) => [
  [
    'audio-float32',
    'Sound of two channels: one axis, three levels, float32 samples beyond [-1, 1], aligned payloads, no lattice.',
    () =>
      randomFile(11, [
        {
          kind: 'audio',
          shape: [23],
          cell: [9],
          channels: 2,
          sampleType: 'float32',
          mapping: { scale: 1.5, offset: -0.25 },
          rate: { numerator: 48_000, denominator: 1 },
          startSeconds: -0.5,
          architecture: { levels: 3 },
        },
      ]),
  ],
  [
    'volume',
    'Three axes: interpolation between the eight points of a lattice of stride 2, a single level, a local network wider than the global one.',
    () =>
      randomFile(12, [
        {
          kind: 'volume',
          shape: [3, 5, 6],
          cell: [2, 3, 4],
          weights: ['integer', 9],
          architecture: { levels: 1, localWidth: 7, globalWidth: 3, latticeStride: 2 },
        },
      ]),
  ],
  [
    'signals',
    'Three signals of other kinds, sample types, formats and coders; the last one has a hole.',
    () =>
      randomFile(13, [
        {
          kind: 'image',
          shape: [5, 6],
          cell: [3, 6],
          channels: 3,
          layout: 'rgb',
          weights: ['float16'],
          architecture: { latticeStride: 4 },
        },
        {
          kind: 'audio',
          shape: [10],
          cell: [4],
          sampleType: 'uint16',
          mapping: { scale: 32_767.5, offset: 32_767.5 },
          weights: ['integer', 10],
          coder: 'deflate',
          architecture: { localCoordinates: 'signal', globalWidth: 0 },
        },
        {
          kind: 'image',
          shape: [4, 4],
          cell: [2, 2],
          layout: 'grey',
          absent: [2],
          architecture: { globalWidth: 0 },
        },
      ]),
  ],
  [
    'small-integers-deflate',
    'Integers of 5 to 8 bits under DEFLATE: local ones in a byte each, and global ones, one of which has 16 bits, in two.',
    () =>
      randomFile(14, [
        {
          kind: 'image',
          shape: [6, 6],
          cell: [3, 3],
          weights: ['integer', 5],
          coder: 'deflate',
          architecture: { latticeStride: 3 },
        },
      ]),
  ],
  [
    'float16-deflate',
    'Byte planes of float16 under DEFLATE, so that payloads are not aligned.',
    () =>
      randomFile(15, [
        { kind: 'image', shape: [5, 7], cell: [5, 4], weights: ['float16'], coder: 'deflate' },
      ]),
  ],
  [
    'deflate-longest',
    'A DEFLATE stream as long as one may be, with empty blocks in front.',
    () => withPayload(files.get('rgba8-deflate'), (payload) => paddedStream(payload, mostBytesOf(payload))),
  ],
  [
    'runs',
    'Aligned chunks in three runs with gaps, the last chunks first in the file, and the index behind them.',
    () => inRuns(files.get('paper-grey8-float32'), 2),
  ],
  [
    'implied-presence',
    'Which partitions have chunks is said by two bytes of bits; lengths differ, since payloads are DEFLATE streams.',
    () =>
      randomFile(16, [
        {
          kind: 'image',
          shape: [7, 12],
          cell: [3, 3],
          weights: ['integer', 7],
          coder: 'deflate',
          absent: [0, 5, 6, 11],
        },
      ]),
  ],
  [
    'implied-signals',
    'Columns that leave out what follows, in four signals: all cells of a volume, negative ones too, aligned; those of a sound; ' +
      'most of a volume; and two of 144 cells of a picture, whose coordinates are listed and whose length is given once.',
    () =>
      randomFile(17, [
        {
          kind: 'volume',
          shape: [2, 3, 4],
          cell: [1, 2, 2],
          before: [1, 0, 2],
          architecture: { levels: 1, globalWidth: 3, latticeStride: 2 },
        },
        { kind: 'audio', shape: [11], cell: [4], before: [2], weights: ['integer', 8] },
        {
          kind: 'volume',
          shape: [2, 2, 3],
          cell: [1, 1, 1],
          weights: ['integer', 8],
          absent: [1, 4, 5, 10],
          architecture: { levels: 1, globalWidth: 0 },
        },
        {
          kind: 'image',
          shape: [12, 12],
          cell: [1, 1],
          layout: 'grey',
          weights: ['integer', 8],
          absent: Array.from({ length: 144 }, (_, cell) => cell).filter(
            (cell) => cell !== 17 && cell !== 130,
          ),
          architecture: { levels: 1, globalWidth: 0 },
        },
      ]),
  ],
  [
    'constant',
    'A shape of which most partitions are constant: at both ends of the range, between and beyond.',
    () =>
      randomFile(18, [
        {
          kind: 'shape',
          shape: [4, 4, 5],
          cell: [2, 2, 3],
          weights: ['integer', 8],
          constants: { 0: [-1], 1: [1], 3: [0.25], 4: [7], 6: [-1], 7: [-1] },
          architecture: { globalWidth: 3 },
        },
      ]),
  ],
  [
    'constant-deflate',
    'Sound of two channels under DEFLATE, two of whose partitions are constant and not compressed.',
    () =>
      randomFile(19, [
        {
          kind: 'audio',
          shape: [12],
          cell: [3],
          channels: 2,
          sampleType: 'float32',
          mapping: { scale: 1, offset: 0 },
          coder: 'deflate',
          constants: { 1: [0, 0], 3: [0.5, -0.125] },
        },
      ]),
  ],
  [
    'range',
    'The range coder: local integers by the models of the header, global ones by models that begin with nothing, chunks with short heads.',
    () =>
      randomFile(20, [
        {
          kind: 'image',
          shape: [6, 7],
          cell: [3, 4],
          channels: 3,
          layout: 'rgb',
          weights: ['integer', 9],
          coder: 'range',
          absent: [2],
        },
      ]),
  ],
  [
    'range-constant',
    'A volume under the range coder with constant partitions, and beside it a picture whose chunks have whole heads.',
    () =>
      randomFile(21, [
        {
          kind: 'volume',
          shape: [4, 4, 4],
          cell: [2, 2, 2],
          weights: ['integer', 7],
          coder: 'range',
          constants: { 0: [-1], 1: [1], 5: [0.25] },
          architecture: { globalWidth: 0 },
        },
        { kind: 'image', shape: [4, 4], cell: [2, 2], layout: 'grey', architecture: { globalWidth: 0 } },
      ]),
  ],
  [
    'range-ambiguous',
    'Networks of a few weights under the range coder, some of whose streams have the length of a constant: a byte 0 stands behind them.',
    () =>
      randomFile(22, [
        {
          kind: 'audio',
          shape: [64],
          cell: [2],
          weights: ['integer', 2],
          channels: 2,
          coder: 'range',
          constants: { 3: [0.5, -0.5] },
          architecture: { levels: 1, localWidth: 3, globalWidth: 0 },
        },
      ]),
  ],
  [
    'range-zeros',
    'Global weights of zeros alone under the range coder: the stream of none of them has a byte.',
    () =>
      randomFile(23, [
        {
          kind: 'image',
          shape: [5, 6],
          cell: [3, 3],
          weights: ['integer', 8],
          coder: 'range',
          globalSpread: 0,
        },
      ]),
  ],
  [
    'range-origin',
    'Local integers as differences from an origin in the header; a constant partition beside them.',
    () =>
      randomFile(24, [
        {
          kind: 'volume',
          shape: [4, 6, 6],
          cell: [2, 3, 3],
          weights: ['integer', 8],
          coder: 'range',
          localSpread: 0.1,
          constants: { 2: [0.5] },
          architecture: { globalWidth: 0, localWidth: 8 },
        },
      ]),
  ],
  [
    'slots',
    'Two valid slots, as when an append stops before its last write: the one of higher generation counts.',
    () => withOldSlot(files.get('hole'), files.get('rewritten')),
  ],
];
