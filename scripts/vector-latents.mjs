// Conformance vectors of the latent family (section 15 of the format).
import {
  placeGrids,
  latentCount,
  latentTensors,
  latentWeightCount,
} from '../dist/codec/latent/latent-architecture.js';
import { encodeLatents } from '../dist/codec/latent/latent-coder.js';
import { gridModels } from '../dist/codec/latent/entropy-model.js';
import { decodeShared, encodeShared } from '../dist/codec/latent/shared-weights.js';
import { RangeEncoder } from '../dist/codec/coder/range-coder.js';
import { cutsByCell, Grid } from '../dist/codec/grid.js';
import * as fb from '../dist/schema/generated/lgi.js';
import { encodeChunkHead } from '../dist/src/container/chunk.js';
import { MAX_LATENT_CELL } from '../dist/src/container/limits.js';
import { crc32c } from '../dist/src/container/crc32c.js';
import { openContainer } from '../dist/src/container/reader.js';
import { findSuperblock, encodeSuperblock, SHORT_SLOT_BYTES } from '../dist/src/container/superblock.js';
import { writeContainer } from '../dist/src/container/writer.js';
import { MemorySink, MemorySource } from '../dist/src/index.js';
import { withSection } from './resealed-files.mjs';
import { withPayload } from './vector-payloads.mjs';

/** Numbers in [0, 1), by the linear congruence of Numerical Recipes; the same seed gives the same ones for ever. */
function randomFrom(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

async function written(header, signal) {
  const sink = new MemorySink();
  await writeContainer(sink, { header: { signals: [header] }, signals: [signal] });
  return sink.bytes().slice();
}

/** More bytes than a decoder reads ahead of the last bit. */
const BEHIND = [1, 2, 3, 4, 5, 6, 7, 8];

/** Models and latents of all sizes, as no training makes them: every branch of the coder, up to the largest latents. */
export async function extremeLatents() {
  const random = randomFrom(11);
  const architecture = { levels: 4, finestLevels: [0, 2], hiddenWidth: 4, outputs: 2, amplitude: 2 ** -14 };
  const numbers = new Int32Array(latentWeightCount(architecture));
  for (const { name, offset, rows, columns } of latentTensors(architecture)) {
    for (let i = 0; i < rows * columns; i++) {
      const whole = (least, most) => least + Math.floor(random() * (most - least + 1));
      numbers[offset + i] = {
        hiddenWeight: () => whole(-60, 60),
        hiddenBias: () => whole(-100, 100),
        outputWeight: () => whole(-40, 40),
        outputBias: () => whole(-100, 100),
        bypass: () => whole(-60, 60),
        taps: () => [-30, 230, 860, -60][i % 4] + whole(-20, 20),
        mean: () => whole(-40, 40),
        spread: () => whole(0, 30),
        scale: () => (i === 0 ? whole(-9000, 14_000) : whole(-20, 90)),
        presence: () => whole(1, 255),
      }[name]();
    }
  }
  const stored = { numbers, exponents: [7, 7, 7, 7, 7, 10] };
  const grid = new Grid([cutsByCell(13, 9), cutsByCell(17, 9)]);
  const models = gridModels(architecture, numbers);
  const chunks = Array.from({ length: grid.count }, (_, ordinal) => {
    const { begin, end } = grid.boxOf(ordinal);
    const grids = placeGrids(
      architecture,
      end.map((at, axis) => at - begin[axis]),
    );
    const latents = new Int16Array(latentCount(grids));
    for (const { offset, height, width } of grids) {
      const largest = [0, 1, 6, 300, 32_767][Math.floor(random() * 5)];
      for (let i = offset; i < offset + height * width; i++)
        latents[i] = Math.round((2 * random() - 1) * largest * random());
    }
    return { coordinates: grid.coordinatesOf(ordinal), payload: encodeLatents(grids, models, latents) };
  });
  const header = {
    kind: 'image',
    role: 'primary',
    format: {
      sampleType: 'uint16',
      channels: 2,
      layout: 'grey-alpha',
      mapping: { scale: 32767.5, offset: 32767.5 },
    },
    firstShape: [13, 17],
    latents: { architecture, nominalCell: [9, 9], shared: encodeShared(architecture, stored) },
  };
  return written(header, { grid, chunks });
}

/** The longest partition that latents may have, of a picture with room for one sample more: latents that are all 0, in no bytes. */
export async function longestCell(files) {
  const container = await openContainer(new MemorySource(files.get('latent-grey')));
  const header = { ...container.header.signals[0], firstShape: [1, MAX_LATENT_CELL + 1] };
  const grid = new Grid([cutsByCell(1, 1), cutsByCell(MAX_LATENT_CELL, MAX_LATENT_CELL)]);
  return written(header, { grid, chunks: [{ coordinates: [0, 0], payload: new Uint8Array(0) }] });
}

/** The file with the last cut of its last axis a position further on, and all checksums right. */
async function stretched(file) {
  const { index, superblock } = await openContainer(new MemorySource(file));
  const { grid, chunks } = index.signals[0];
  const { begin, end } = grid.boxOf(0);
  const bytes = await withSection(file, 'index', (view, bb) => {
    const axis = fb.Index.getRootAsIndex(bb).signals(0).axes(1);
    const list = axis.cutsArray();
    view.setInt32(list.byteOffset + 4 - view.byteOffset, end[1] + 1, true);
  });
  const box = { begin, end: [end[0], end[1] + 1] };
  const { crc } = encodeChunkHead(new Uint8Array(0), box, 0, superblock.header.crc);
  new DataView(bytes.buffer).setUint32(chunks.byteOffsets[0], crc, true);
  return bytes;
}

/** The file with another header of its only signal; chunks are sealed anew. */
async function withHeader(file, change) {
  const container = await openContainer(new MemorySource(file));
  const [signal] = container.header.signals;
  const [{ grid, chunks }] = container.index.signals;
  const list = [];
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    list.push({
      coordinates: grid.coordinatesOf(chunks.ordinals[chunk]),
      payload: await container.readChunk(0, chunk),
    });
  }
  return written(change(signal), { grid, chunks: list });
}

/** What is refused of the latent family: name, description, bytes, code, section. */
export async function latentFaults(files) {
  const whole = files.get('latent-rgb');
  const [signal] = (await openContainer(new MemorySource(whole))).header.signals;
  const { architecture, shared } = signal.latents;
  const { superblock } = findSuperblock(whole);
  const undeclared = whole.slice();
  const features = { ...superblock.features, mustUnderstand: superblock.features.mustUnderstand & ~8n };
  undeclared.set(encodeSuperblock({ ...superblock, features }));
  const slotless = whole.slice();
  for (const slot of [0, 1]) slotless[slot * SHORT_SLOT_BYTES + 60] ^= 1;
  const unsaid = whole.slice();
  const slots = encodeSuperblock(superblock);
  const view = new DataView(slots.buffer);
  for (const at of [0, SHORT_SLOT_BYTES]) {
    slots[at + 16] &= ~16;
    view.setUint32(at + SHORT_SLOT_BYTES - 4, crc32c(slots.subarray(at, at + SHORT_SLOT_BYTES - 4)), true);
  }
  unsaid.set(slots);
  const flipped = whole.slice();
  flipped[flipped.length - 3] ^= 1;
  const withShared = (change) =>
    withHeader(whole, (header) => ({ ...header, latents: { ...header.latents, shared: change(shared) } }));
  // A spread below zero, which no model has.
  const stored = decodeShared(architecture, shared);
  const { offset } = latentTensors(architecture).find(({ name }) => name === 'spread');
  stored.numbers[offset] = -1;
  // Even bits of 1 make every distance as long as can be.
  const ones = new RangeEncoder();
  for (let i = 0; i < 4000; i++) ones.encode(1, 1 << 14);
  return [
    ['latent-feature', 'Latents, without the feature that says so.', undeclared, 'damaged', 'index'],
    [
      'latent-cell',
      'A partition of latents of 513 samples on an axis, in no bytes.',
      await stretched(files.get('latent-longest')),
      'limit',
      'index',
    ],
    [
      'latent-default-set',
      'Differences from built-in weights that there are none of.',
      await withHeader(whole, ({ latents, ...header }) => ({
        ...header,
        latents: { ...latents, architecture: { ...latents.architecture, defaultSet: 2 } },
      })),
      'unsupported',
      'header',
    ],
    ['latent-slots', 'Both short slots have a wrong checksum.', slotless, 'damaged', 'superblock'],
    [
      'latent-slot-length',
      'Short slots with a right checksum, without the feature that says so.',
      unsaid,
      'damaged',
      'superblock',
    ],
    ['latent-chunk', 'A bit of a payload with a short head is flipped.', flipped, 'damaged'],
    [
      'latent-end',
      'Bytes behind the latents, more than a decoder reads ahead.',
      await withPayload(whole, (payload) => Uint8Array.of(...payload, ...BEHIND)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'latent-zero',
      'A zero byte behind the latents, which a coder leaves out.',
      await withPayload(whole, (payload) => Uint8Array.of(...payload, 0)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'latent-large',
      'A latent beyond 16 bits.',
      await withPayload(files.get('latent-extreme'), () => ones.finish()),
      'damaged',
      'chunk 0,0',
    ],
    [
      'latent-shared-range',
      'A spread below zero.',
      await withShared(() => encodeShared(architecture, stored)),
      'damaged',
      'header',
    ],
    [
      'latent-shared-end',
      'Bytes behind the shared weights.',
      await withShared((bytes) => Uint8Array.of(...bytes, ...BEHIND)),
      'damaged',
      'header',
    ],
  ];
}
