// Conformance vectors that must be refused although every checksum is right: each breaks one rule of steps 3 to 6 of
// section 10 of the format.
import { elementCount, localTensors } from '../dist/codec/architecture.js';
import { cutsByCell, Grid } from '../dist/codec/grid.js';
import * as fb from '../dist/schema/generated/lgi.js';
import { CHUNK_HEAD_BYTES } from '../dist/src/container/chunk.js';
import { openContainer } from '../dist/src/container/reader.js';
import { FEATURES } from '../dist/src/container/superblock.js';
import { MemorySource } from '../dist/src/index.js';
import { listed, withChunk, withColumns, withoutFeature, withSection } from './resealed-files.mjs';
import { mostBytesOf, paddedStream, storedStream, withPayload } from './vector-payloads.mjs';

const header = (bb) => fb.Header.getRootAsHeader(bb);
const index = (bb) => fb.Index.getRootAsIndex(bb);
/** Place of a table's field, by its number in the schema. */
const place = (bb, table, field) => table.bb_pos + bb.__offset(table.bb_pos, 4 + 2 * field);
/** Place of an entry of a table's virtual table. */
const entry = (bb, table, field) => table.bb_pos - bb.readInt32(table.bb_pos) + 4 + 2 * field;
/** Place of a vector's count. */
const vector = (bb, table, field) => place(bb, table, field) + bb.readUint32(place(bb, table, field));
/** Place of an element of a vector of words. */
const element = (bb, table, field, i) => vector(bb, table, field) + 4 + 4 * i;

// Fields by number in the schema.
const SIGNALS = 0;
const WRITER = 2;
const SAMPLE_FORMAT = 2;
const GLOBAL_WEIGHTS = 11;
const CODER = 10;
const ARCHITECTURE = 8;
const LEVELS = 0;
const MAPPING = 3;
const [AXES, WINDOW_END, COORDINATES, RUNS] = [0, 2, 3, 5];
const CUTS = 0;
const [LOCAL_MODELS, LOCAL_ORIGIN] = [3, 4];

/** Every fault: name, description, bytes, code and, where the format fixes it, section. */
export async function faults(files) {
  const grey = await listed(files.get('paper-grey8-float32'));
  const one = files.get('one-partition');
  const deflated = files.get('rgba8-deflate');
  const ranged = files.get('range');
  const differing = files.get('range-origin');
  const { header: deflatedHeader } = await openContainer(new MemorySource(deflated));
  const { model } = deflatedHeader.signals[0];
  const codes = elementCount(localTensors(model.architecture));
  const implied = files.get('implied');
  const impliedGrid = (await openContainer(new MemorySource(implied))).index.signals[0].grid;
  const inHeader = (edit, file = grey) => withSection(file, 'header', edit);
  const inIndex = (edit) => withSection(grey, 'index', edit);

  return [
    // Step 3
    [
      'flatbuffer-offset',
      'An offset in the index that leads out of it.',
      await inIndex((view, bb) => view.setUint32(place(bb, index(bb), SIGNALS), view.byteLength, true)),
      'damaged',
      'index',
    ],
    [
      'flatbuffer-vector',
      'Cuts that are said to be more than the index has bytes.',
      await inIndex((view, bb) =>
        view.setUint32(vector(bb, index(bb).signals(0).axes(0), CUTS), 0x4000_0001, true),
      ),
      'damaged',
      'index',
    ],
    [
      'flatbuffer-shared',
      'Both axes are one and the same table.',
      await inIndex((view, bb) => {
        const signal = index(bb).signals(0);
        const at = element(bb, signal, AXES, 1);
        view.setUint32(at, signal.axes(0).bb_pos - at, true);
      }),
      'damaged',
      'index',
    ],
    [
      'flatbuffer-table',
      'A table that is said to reach beyond the header.',
      await inHeader((view, bb) => {
        const signal = header(bb).signals(0);
        view.setUint16(entry(bb, signal, -1), 0xfffc, true);
      }),
      'damaged',
      'header',
    ],
    [
      'flatbuffer-required',
      'A signal without global weights, which are required even where they are empty.',
      await inHeader((view, bb) => view.setUint16(entry(bb, header(bb).signals(0), GLOBAL_WEIGHTS), 0, true)),
      'damaged',
      'header',
    ],
    [
      'flatbuffer-string',
      'A string without the zero at its end.',
      await inHeader((view, bb) => {
        const at = vector(bb, header(bb), WRITER);
        view.setUint8(at + 4 + view.getUint32(at, true), 1);
      }),
      'damaged',
      'header',
    ],
    [
      'utf8',
      "A writer's name that is no UTF-8.",
      await inHeader((view, bb) => view.setUint8(vector(bb, header(bb), WRITER) + 4, 0xff)),
      'damaged',
      'header',
    ],
    // Step 4
    [
      'writer',
      'A control character in the name of the writer.',
      await inHeader((view, bb) => view.setUint8(vector(bb, header(bb), WRITER) + 4, 0x1b)),
      'damaged',
      'header',
    ],
    [
      'coder',
      'A coder of a later version.',
      await inHeader((view, bb) => view.setUint8(place(bb, header(bb).signals(0), CODER), 200), deflated),
      'unsupported',
      'header',
    ],
    [
      'levels',
      'More levels than any reader must take.',
      await inHeader((view, bb) => {
        const at = vector(bb, header(bb).signals(0), ARCHITECTURE);
        view.setUint8(place(bb, { bb_pos: at }, LEVELS), 17);
      }),
      'limit',
      'header',
    ],
    [
      'mapping',
      'A value mapping that maps everything to one value.',
      await inHeader((view, bb) => {
        const at = vector(bb, header(bb).signals(0), SAMPLE_FORMAT);
        view.setFloat64(place(bb, { bb_pos: at }, MAPPING), 0, true);
      }),
      'damaged',
      'header',
    ],
    [
      'global-weights',
      'An infinity among the global weights.',
      await inHeader((view, bb) =>
        view.setFloat32(vector(bb, header(bb).signals(0), GLOBAL_WEIGHTS) + 4, Infinity, true),
      ),
      'damaged',
      'header',
    ],
    [
      'cuts',
      'Cuts that do not ascend.',
      await inIndex((view, bb) => {
        const axis = index(bb).signals(0).axes(1);
        view.setInt32(element(bb, axis, CUTS, 1), axis.cuts(2), true);
      }),
      'damaged',
      'index',
    ],
    [
      'window',
      'A window that reaches beyond the extent.',
      await inIndex((view, bb) => view.setInt32(element(bb, index(bb).signals(0), WINDOW_END, 0), 13, true)),
      'damaged',
      'index',
    ],
    [
      'coordinate',
      'A chunk of a partition that the cuts do not make.',
      await inIndex((view, bb) => view.setInt32(element(bb, index(bb).signals(0), COORDINATES, 1), 3, true)),
      'damaged',
      'index',
    ],
    [
      'duplicate',
      'Two chunks of one partition.',
      await inIndex((view, bb) => {
        const signal = index(bb).signals(0);
        for (const axis of [0, 1]) {
          view.setInt32(element(bb, signal, COORDINATES, 2 + axis), signal.coordinates(axis), true);
        }
      }),
      'damaged',
      'index',
    ],
    [
      'overlap',
      'Chunks in two runs, the second of which begins inside the first.',
      await withSection(files.get('runs'), 'index', (view, bb) => {
        const signal = index(bb).signals(0);
        const first = Number(signal.runs(0).byteOffset());
        view.setBigUint64(vector(bb, signal, RUNS) + 4 + 16, BigInt(first + 16), true);
      }),
      'damaged',
      'index',
    ],
    [
      'beyond',
      'Chunks beyond the committed length.',
      await inIndex((view, bb) => {
        const signal = index(bb).signals(0);
        const first = Number(signal.runs(0).byteOffset());
        view.setBigUint64(vector(bb, signal, RUNS) + 4, BigInt(first + 16), true);
      }),
      'damaged',
      'index',
    ],
    [
      'implied-lengths',
      'Two lengths for all 18 cells.',
      await withColumns(implied, ({ payloadLengths: [length] }) => ({
        payloadLengths: Uint32Array.of(length, length),
      })),
      'damaged',
      'index',
    ],
    [
      'implied-room',
      'All of 40,000 cells are said to have chunks, in a file that has no room for them.',
      await withColumns(implied, (columns) => columns, {
        grid: new Grid([0, 1].map(() => cutsByCell(200, 1))),
        mustUnderstand: FEATURES.extentBeyondFirst,
      }),
      'damaged',
      'index',
    ],
    [
      'presence-none',
      'Bits that say that no cell has a chunk, and a length.',
      await withColumns(implied, () => ({ presence: new Uint8Array(3) })),
      'damaged',
      'index',
    ],
    [
      'presence-short',
      'Bits of 16 cells where there are 18.',
      await withColumns(implied, () => ({ presence: Uint8Array.of(0xff, 0xff) })),
      'damaged',
      'index',
    ],
    [
      'presence-padding',
      'A bit of a cell behind the last one.',
      await withColumns(implied, () => ({ presence: Uint8Array.of(0xff, 0xff, 0x07) })),
      'damaged',
      'index',
    ],
    [
      'presence-beside',
      'Coordinates, and bits that say the same.',
      await withColumns(implied, ({ chunks }) => ({
        coordinates: impliedGrid.coordinatesOfAll(chunks.ordinals),
        presence: Uint8Array.of(0xff, 0xff, 0x03),
      })),
      'damaged',
      'index',
    ],
    // Step 5
    [
      'chunk-elsewhere',
      'A chunk that is another one of this file, sound as it is.',
      await withChunk(files.get('modulated'), 1, (bytes, other) => bytes.set(other(0))),
      'damaged',
      'chunk 0,1',
    ],
    [
      'chunk-kind',
      'A chunk of a kind that is not local weights.',
      await withChunk(one, 0, (bytes) => (bytes[33] = 1)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'chunk-axes',
      'A chunk of a picture with a box of two positions on a third axis.',
      await withChunk(one, 0, (bytes) => (bytes[28] = 2)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'constant-output',
      'A constant partition whose output is not a number.',
      await withPayload(files.get('constant'), () => Uint8Array.of(0, 0, 0xc0, 0x7f)),
      'damaged',
      'chunk 0,0,0',
    ],
    [
      'payload-short',
      'A payload of integers that lacks its last byte.',
      await withPayload(one, (payload) => payload.slice(0, -1)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'payload-long',
      'A payload of integers with a byte too many.',
      await withPayload(one, (payload) => Uint8Array.of(...payload, 0)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'code',
      'The code that integers of these bits do not have.',
      await withPayload(one, (payload) => Uint8Array.of(0xff, 0xff, 0xff, ...payload.slice(3))),
      'damaged',
      'chunk 0,0',
    ],
    [
      'padding',
      'A bit set behind the last weight.',
      await withPayload(one, (payload) => Uint8Array.of(...payload.slice(0, -1), payload.at(-1) | 0x80)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'not-finite',
      'A NaN among the local weights.',
      await withChunk(grey, 0, (bytes) =>
        new DataView(bytes.buffer, bytes.byteOffset).setFloat32(CHUNK_HEAD_BYTES + 8, NaN, true),
      ),
      'damaged',
      'chunk 0,0',
    ],
    [
      'range-rest',
      'Bytes behind the end of a stream of the range coder, more than a decoder reads ahead.',
      await withPayload(ranged, (payload) => Uint8Array.of(...payload, 1, 2, 3, 4, 5, 6, 7, 8)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'range-large',
      'An integer under the range coder that its bits do not have.',
      await withPayload(ranged, () => new Uint8Array(64).fill(0xff)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'range-models',
      'A model of integers in which more are of no bits than there are.',
      await inHeader((view, bb) => {
        const quantiser = header(bb).signals(0).quantiser();
        view.setUint8(vector(bb, quantiser, LOCAL_MODELS) + 4 + 1, 129);
      }, ranged),
      'damaged',
      'header',
    ],
    [
      'range-origin-large',
      'An origin of local integers that their bits do not have.',
      await inHeader((view, bb) => {
        const at = vector(bb, header(bb).signals(0).quantiser(), LOCAL_ORIGIN);
        for (let i = 0; i < view.getUint32(at, true); i++) view.setUint8(at + 4 + i, 0xff);
      }, differing),
      'damaged',
      'header',
    ],
    [
      'range-origin-short',
      'An origin of more elements than its bytes have bits, all of them 0.',
      await inHeader((view, bb) => {
        view.setUint32(vector(bb, header(bb).signals(0).quantiser(), LOCAL_ORIGIN), 0, true);
      }, differing),
      'damaged',
      'header',
    ],
    [
      'range-origin-feature',
      'An origin of local integers, and no feature bit that says so.',
      await withoutFeature(differing, FEATURES.localOrigin),
      'damaged',
      'index',
    ],
    [
      'deflate-short',
      'A DEFLATE stream that gives a byte too few.',
      await withPayload(deflated, () => storedStream(2 * codes - 1)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'deflate-long',
      'A DEFLATE stream that gives a byte too many.',
      await withPayload(deflated, () => storedStream(2 * codes + 1)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'deflate-rest',
      'A byte behind the end of a DEFLATE stream.',
      await withPayload(deflated, (payload) => Uint8Array.of(...payload, 0)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'deflate-end',
      'A DEFLATE stream cut before its end.',
      await withPayload(deflated, (payload) => payload.slice(0, -3)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'deflate-padded',
      'A DEFLATE stream of the right bytes that begins with a hundred empty blocks, longer than any may be.',
      await withPayload(deflated, (payload) => {
        const empty = [0, 0, 0, 0xff, 0xff];
        return Uint8Array.of(...Array.from({ length: 100 }, () => empty).flat(), ...payload);
      }),
      'damaged',
      'chunk 0,0',
    ],
    [
      'deflate-longest',
      'A DEFLATE stream of the right bytes that is a byte longer than any may be.',
      await withPayload(deflated, (payload) => paddedStream(payload, mostBytesOf(payload) + 1)),
      'damaged',
      'chunk 0,0',
    ],
    [
      'chunk-of-several',
      'A bit of a payload is flipped, in a file of several signals.',
      await (async () => {
        const several = files.get('signals');
        const { index: read } = await openContainer(new MemorySource(several));
        const { chunks } = read.signals[1];
        const bytes = several.slice();
        bytes[chunks.end(chunks.find(2)) - 3] ^= 1;
        return bytes;
      })(),
      'damaged',
      'chunk 1:2',
    ],
    // Step 6
    [
      'metadata',
      'A bit of a metadata section is flipped.',
      await (async () => {
        const icc = files.get('icc');
        const { index: read } = await openContainer(new MemorySource(icc));
        const bytes = icc.slice();
        bytes[read.sections[0].byteOffset + 7] ^= 1;
        return bytes;
      })(),
      'damaged',
      'icc',
    ],
  ];
}
