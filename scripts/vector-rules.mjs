// Conformance vectors that must be refused by one rule of the format's sections 3 to 5, 9, 15 or appendix A alone: a reader without it takes
// them, or blames something else. test/spec/reader_mutations.py shows it.
import { elementCount, localTensors } from '../dist/codec/architecture.js';
import { encodeWeights } from '../dist/codec/coder/encode-weights.js';
import { encodeShared, decodeShared } from '../dist/codec/latent/shared-weights.js';
import { latentTensors } from '../dist/codec/latent/latent-architecture.js';
import { crc32c } from '../dist/src/container/crc32c.js';
import { openContainer } from '../dist/src/container/reader.js';
import { encodeSuperblock, FEATURES, findSuperblock } from '../dist/src/container/superblock.js';
import { MemorySource } from '../dist/src/index.js';
import { withTables } from './edited-tables.mjs';
import { heldLatents } from './vector-numbers.mjs';
import { withPayload } from './vector-payloads.mjs';

const FUTURE = 9;
const FAR = -(2 ** 31);

/** The file with a copy of its header elsewhere, which its superblock names. */
async function withHeaderAt(file, place, committed = (length) => length) {
  const { superblock } = await openContainer(new MemorySource(file));
  const { byteOffset, byteLength, crc } = superblock.header;
  const at = place(file.length);
  const bytes = new Uint8Array(Math.max(file.length, at + byteLength));
  bytes.set(file);
  bytes.set(file.subarray(byteOffset, byteOffset + byteLength), at);
  bytes.set(
    encodeSuperblock({
      ...superblock,
      header: { byteOffset: at, byteLength, crc },
      committedByteLength: committed(bytes.length),
    }),
  );
  return bytes;
}

/** An origin of local weights that a reader can read: numbers of a bit or more each. */
async function originOf(file) {
  const { header } = await openContainer(new MemorySource(file));
  const [{ model, quantiser }] = header.signals;
  const tensors = localTensors(model.architecture);
  const weights = Float32Array.from({ length: elementCount(tensors) });
  let at = 0;
  tensors.forEach((tensor, i) => {
    const count = elementCount([tensor]);
    for (let j = 0; j < count; j++) weights[at + j] = (j % 2 === 0 ? 1 : -1) * quantiser.local[i].step;
    at += count;
  });
  return [...encodeWeights(weights, tensors, quantiser.local, 'integer', 'range')];
}

/** Faults of tables: name, description, file, edit, code, section. */
async function tableFaults(files) {
  const one = files.get('one-partition');
  const range = files.get('range');
  const grey = files.get('latent-grey');
  const icc = files.get('icc');
  const overview = files.get('overview');
  const runs = files.get('runs');
  const aligned = files.get('audio-float32');
  const listed = files.get('signals');
  const origin = await originOf(one);
  const latents = (edit) => (header) => edit(header.signals[0].architecture, header.signals[0]);
  const signal = (edit) => (header) => edit(header.signals[0]);
  const sine = (edit) => (header) => edit(header.signals[0].architecture);
  const quantiser = (edit) => (header) => edit(header.signals[0].quantiser);
  const index =
    (edit) =>
    (_, { signals, sections }) =>
      edit(signals[0], sections);
  const beyond =
    (edit) =>
    (_, { signals }) => {
      edit(signals[0]);
      return { mustUnderstand: FEATURES.extentBeyondFirst };
    };
  const [header, inIndex] = ['header', 'index'];

  return [
    // Appendix A
    [
      'flatbuffer-identifier',
      'A header with the identifier of an index.',
      one,
      (h) => void (h.$identifier = 'LGIX'),
      'damaged',
      header,
    ],
    [
      'flatbuffer-alignment-offset',
      "A writer's name that begins at no multiple of 4.",
      one,
      (h) => void Object.assign(h, { writer: 'ab', $skew: 'writer' }),
      'damaged',
      header,
    ],
    [
      'flatbuffer-alignment-field',
      'A number of 8 bytes in a table that begins at no multiple of 8.',
      one,
      signal((s) => Object.assign(s, { startSeconds: 1, $skew: 'startSeconds' })),
      'damaged',
      header,
    ],
    [
      'flatbuffer-alignment-vector',
      'A vector of numbers of 8 bytes whose elements begin at no multiple of 8.',
      one,
      signal((s) => Object.assign(s, { $skew: 'coordinateMaps' })),
      'damaged',
      header,
    ],
    [
      'flatbuffer-shared-vector',
      'Both lists of quantisers, of which there are none, are one and the same vector.',
      aligned,
      quantiser((q) => (q.$share = ['globalTensors', 'localTensors'])),
      'damaged',
      header,
    ],
    [
      'flatbuffer-end',
      "A header that ends before its last object does, by a byte of the writer's name and the zero after it.",
      one,
      (h) => void (h.$cut = 2),
      'damaged',
      header,
    ],
    [
      'flatbuffer-virtual-place',
      'A virtual table beyond the end.',
      one,
      signal((s) => (s.$virtual = (view, _, at) => view.setInt32(at, -0x10000, true))),
      'damaged',
      header,
    ],
    [
      'flatbuffer-virtual-odd',
      'A virtual table of an odd number of bytes.',
      one,
      signal((s) => (s.$virtual = (view, at) => view.setUint16(at, view.getUint16(at, true) + 1, true))),
      'damaged',
      header,
    ],
    [
      'flatbuffer-field',
      'A table that ends before its last field.',
      one,
      signal((s) => {
        s.startSeconds = 1;
        s.$virtual = (view, virtual, at, places) =>
          view.setUint16(virtual + 2, places.get('startSeconds') - at, true);
      }),
      'damaged',
      header,
    ],
    [
      'flatbuffer-union',
      'An architecture without its type.',
      one,
      signal((s) => (s.architectureType = null)),
      'damaged',
      header,
    ],
    [
      'flatbuffer-union-offset',
      'An architecture of a later version whose offset leads out of the header.',
      one,
      signal((s) => {
        s.architectureType = FUTURE;
        s.$virtual = (view, _, __, places) => (s.place = places.get('architecture'));
      }),
      'damaged',
      header,
      (h) => (h.$bytes = (view) => view.setUint32(h.signals[0].place, 0x7fff_fff0, true)),
    ],
    // Header: what is not known
    ['kind', 'A kind of a later version.', one, signal((s) => (s.kind = FUTURE)), 'unsupported', header],
    ['role', 'A role of a later version.', one, signal((s) => (s.role = FUTURE)), 'unsupported', header],
    [
      'architecture',
      'An architecture of a later version.',
      one,
      signal((s) => (s.architectureType = FUTURE)),
      'unsupported',
      header,
    ],
    [
      'sample-type',
      'A sample type of a later version.',
      one,
      signal((s) => (s.sampleFormat.sampleType = FUTURE)),
      'unsupported',
      header,
    ],
    [
      'layout',
      'A layout of channels of a later version.',
      one,
      signal((s) => (s.sampleFormat.layout = FUTURE)),
      'unsupported',
      header,
    ],
    [
      'weight-format',
      'A weight format of a later version.',
      one,
      quantiser((q) => (q.format = FUTURE)),
      'unsupported',
      header,
    ],
    [
      'local-coordinates',
      'Local coordinates of a later version.',
      one,
      sine((a) => (a.localCoordinates = FUTURE)),
      'unsupported',
      header,
    ],
    [
      'latent-weight-format',
      'Latents with a weight format of a later version, which has no effect.',
      grey,
      quantiser((q) => (q.format = FUTURE)),
      'unsupported',
      header,
    ],
    [
      'latent-coder',
      'Latents with a coder of a later version.',
      grey,
      signal((s) => (s.coder = FUTURE)),
      'unsupported',
      header,
    ],
    // Header: limits
    [
      'width',
      'Networks of more weights than any reader must take.',
      one,
      sine((a) => (a.localWidth = 2048)),
      'limit',
      header,
    ],
    [
      'local-width',
      'Local networks wider than any reader must take.',
      one,
      sine((a) => Object.assign(a, { localWidth: 2049, levels: 1 })),
      'limit',
      header,
    ],
    [
      'global-width',
      'A global network of more weights than any reader must take.',
      one,
      sine((a) => (a.globalWidth = 4096)),
      'limit',
      header,
    ],
    [
      'stride',
      'A lattice wider than any reader must take.',
      one,
      sine((a) => (a.latticeStride = 4097)),
      'limit',
      header,
    ],
    [
      'omega',
      'An omega beyond all sense.',
      one,
      sine((a) => (a.localActivation[1] = 100_001)),
      'limit',
      header,
    ],
    [
      'modulation-exponent',
      'An activation whose exponential is not finite in f32.',
      one,
      sine((a) => (a.localActivation[2] = 33)),
      'limit',
      header,
    ],
    [
      'modulation-shift',
      'An activation with a phase that leaves no fraction.',
      one,
      sine((a) => (a.globalActivation[4] = -1_000_001)),
      'limit',
      header,
    ],
    [
      'mapping-large',
      'A value mapping beyond f32.',
      one,
      signal((s) => (s.sampleFormat.mapping[0] = 1e39)),
      'limit',
      header,
    ],
    [
      'nominal-cell',
      'A nominal cell of more samples than an axis may have.',
      one,
      signal((s) => (s.nominalCell[0] = 2 ** 31)),
      'limit',
      header,
    ],
    [
      'coordinate-offset',
      'A coordinate at position 0 beyond all sense.',
      one,
      signal((s) => (s.coordinateMaps[0] = [-2e6 / s.firstShape[0], 1.5e6])),
      'limit',
      header,
    ],
    [
      'coordinate-end',
      'A coordinate at the end of the first encode beyond all sense.',
      one,
      signal((s) => (s.coordinateMaps[1][0] = 1e6)),
      'limit',
      header,
    ],
    [
      'start',
      'A start beyond whole seconds of f64.',
      one,
      signal((s) => (s.startSeconds = 2 ** 54)),
      'limit',
      header,
    ],
    [
      'writer-long',
      "A writer's name of 256 bytes.",
      one,
      (h) => void (h.writer = 'w'.repeat(256)),
      'limit',
      header,
    ],
    [
      'signals-many',
      '65 signals.',
      one,
      (h) => void (h.signals = Array.from({ length: 65 }, () => h.signals[0])),
      'limit',
      header,
    ],
    [
      'latent-levels',
      'More levels of latents than any reader must take.',
      grey,
      latents((a) => (a.levels = 13)),
      'limit',
      header,
    ],
    [
      'latent-width',
      'More hidden features of latents than any reader must take.',
      grey,
      latents((a) => (a.hiddenWidth = 68)),
      'limit',
      header,
    ],
    // Header: rules
    [
      'channels',
      'One channel with the layout of three.',
      one,
      signal((s) => (s.sampleFormat.layout = 2)),
      'damaged',
      header,
    ],
    [
      'axes-shape',
      'A first shape of three axes for a picture.',
      one,
      signal((s) => s.firstShape.push(1)),
      'damaged',
      header,
    ],
    [
      'axes-cell',
      'A nominal cell of three axes for a picture.',
      one,
      signal((s) => s.nominalCell.push(1)),
      'damaged',
      header,
    ],
    [
      'axes-maps',
      'Coordinate maps of three axes for a picture.',
      one,
      signal((s) => s.coordinateMaps.push([1, 0])),
      'damaged',
      header,
    ],
    [
      'digest',
      'A digest of 31 bytes.',
      one,
      (h) => void (h.digest = new Array(31).fill(1)),
      'damaged',
      header,
    ],
    [
      'quantisers',
      'A quantiser of a tensor that there is not.',
      one,
      quantiser((q) => q.localTensors.push([0.5, 8])),
      'damaged',
      header,
    ],
    ['step', 'A step below zero.', one, quantiser((q) => (q.localTensors[0][0] *= -1)), 'damaged', header],
    [
      'global-rest',
      'Global weights without a global network.',
      one,
      signal((s) => (s.globalWeights = [1, 2, 3])),
      'damaged',
      header,
    ],
    [
      'constant-length',
      'Networks as long as the payload of a constant partition.',
      one,
      signal((s) => {
        Object.assign(s, { constantPartitions: 1 });
        Object.assign(s.architecture, { levels: 1, localWidth: 1 });
        s.quantiser.localTensors = [8, 4, 6, 6].map((bits) => [0.5, bits]);
        return { mustUnderstand: FEATURES.constantPartitions };
      }),
      'damaged',
      header,
    ],
    [
      'models-without-coder',
      'Models of integers that no coder uses.',
      one,
      quantiser((q) => (q.localModels = q.localTensors.map(() => 0))),
      'damaged',
      header,
    ],
    [
      'models-long',
      'A byte behind the models of the last tensor.',
      range,
      quantiser((q) => q.localModels.push(0)),
      'damaged',
      header,
    ],
    [
      'models-short',
      'Models of all tensors but the last.',
      range,
      quantiser((q) => {
        let at = 0;
        for (let i = 1; i < q.localTensors.length; i++) at += 1 + q.localModels[at];
        q.localModels = q.localModels.slice(0, at);
      }),
      'damaged',
      header,
    ],
    [
      'range-floats',
      'The coder of integers for floats.',
      range,
      signal((s) => {
        Object.assign(s.quantiser, { format: 0, localTensors: [], globalTensors: [], localModels: [] });
        s.architecture.globalWidth = 0;
        s.globalWeights = [];
      }),
      'damaged',
      header,
    ],
    [
      'origin-without-coder',
      'An origin of integers that no coder uses.',
      one,
      (h) => {
        h.signals[0].quantiser.localOrigin = origin;
        return { mustUnderstand: FEATURES.localOrigin };
      },
      'damaged',
      header,
    ],
    [
      'overview-factor',
      'A factor of an overview that is no power of two.',
      overview,
      (h) => {
        h.signals[1].overviewFactor = 3;
        h.signals[1].firstShape = h.signals[0].firstShape.map((length) => Math.ceil(length / 3));
      },
      'damaged',
      header,
    ],
    [
      'overview-primary',
      'A primary signal with the factor of an overview.',
      one,
      signal((s) => (s.overviewFactor = 4)),
      'damaged',
      header,
    ],
    [
      'overview-first',
      'An overview of no signal.',
      one,
      signal((s) => Object.assign(s, { role: 1, overviewFactor: 2 })),
      'damaged',
      header,
    ],
    [
      'overview-large',
      'A factor of an overview beyond the limit.',
      overview,
      (h) => {
        Object.assign(h.signals[1], { overviewFactor: 8192, firstShape: [1, 1] });
      },
      'limit',
      header,
    ],
    [
      'overview-format',
      'An overview of another mapping than its primary signal.',
      overview,
      (h) => void (h.signals[1].sampleFormat.mapping[1] += 1),
      'damaged',
      header,
    ],
    [
      'overview-shape',
      'An overview of a sample more than its primary signal makes.',
      overview,
      (h) => void (h.signals[1].firstShape[0] += 1),
      'damaged',
      header,
    ],
    [
      'latent-constants',
      'Latents with constant partitions.',
      grey,
      signal((s) => (s.constantPartitions = 1)),
      'damaged',
      header,
    ],
    [
      'latent-maps',
      'Latents with coordinate maps.',
      grey,
      signal(
        (s) =>
          (s.coordinateMaps = [
            [1, 0],
            [1, 0],
          ]),
      ),
      'damaged',
      header,
    ],
    [
      'latent-hidden',
      'A hidden width of latents that is no multiple of 4.',
      grey,
      latents((a) => (a.hiddenWidth = 6)),
      'damaged',
      header,
    ],
    [
      'latent-finest',
      'A finest level beyond the coarsest.',
      grey,
      latents((a) => (a.finestLevels[0] = a.levels)),
      'damaged',
      header,
    ],
    [
      'latent-amplitude',
      'An amplitude below zero.',
      grey,
      latents((a) => (a.amplitude *= -1)),
      'damaged',
      header,
    ],
    // Index
    [
      'index-signals',
      'An index of more signals than the header has.',
      one,
      (_, i) => void i.signals.push(structuredClone(i.signals[0])),
      'damaged',
      inIndex,
    ],
    [
      'index-axes',
      'An index of three axes for a picture.',
      one,
      index((s) => s.axes.push({ cuts: [0, 1], firstCell: 0 })),
      'damaged',
      inIndex,
    ],
    [
      'index-window',
      'A window of three axes for a picture.',
      one,
      index((s) => s.windowEnd.push(1)),
      'damaged',
      inIndex,
    ],
    [
      'cut-far',
      'A cut at -2^31.',
      one,
      beyond((s) => {
        const [first, second] = s.axes[0].cuts;
        s.axes[0].cuts = [FAR, FAR + second - first];
        Object.assign(s, {
          windowBegin: [FAR, s.windowBegin[1]],
          windowEnd: [FAR + second - first, s.windowEnd[1]],
        });
      }),
      'limit',
      inIndex,
    ],
    [
      'cuts-far',
      'Cuts that are 2^31 positions apart.',
      one,
      beyond((s) => (s.axes[0].cuts = [-(2 ** 30), 2 ** 30])),
      'limit',
      inIndex,
    ],
    [
      'cell-low',
      'A partition coordinate of -2^31.',
      files.get('implied'),
      index((s) => Object.assign(s.axes[0], { firstCell: FAR })),
      'limit',
      inIndex,
    ],
    [
      'cell-high',
      'Partition coordinates up to 2^31.',
      one,
      beyond((s) => {
        s.axes[0] = { cuts: [...s.axes[0].cuts, s.axes[0].cuts[1] + 1], firstCell: 2 ** 31 - 1 };
        Object.assign(s, {
          coordinates: [2 ** 31 - 1, s.axes[1].firstCell],
          payloadLengths: s.payloadLengths.slice(0, 1),
        });
      }),
      'limit',
      inIndex,
    ],
    [
      'cells-many',
      '1,025 x 1,024 cells, one of which has a chunk.',
      one,
      beyond((s) => {
        s.axes = [1025, 1024].map((count) => ({
          cuts: Array.from({ length: count + 1 }, (_, i) => 9 * i),
          firstCell: 0,
        }));
        s.coordinates = [0, 0];
      }),
      'limit',
      inIndex,
    ],
    [
      'runs-descending',
      'Two runs of which the second holds the first chunks.',
      runs,
      index((s) => s.runs.reverse()),
      'damaged',
      inIndex,
    ],
    [
      'runs-twice',
      'Two runs that begin with the same chunk, at the same place.',
      runs,
      index((s) => s.runs.push(s.runs.at(-1))),
      'damaged',
      inIndex,
    ],
    [
      'run-alignment',
      'A run of floats that begins where they are not aligned.',
      aligned,
      index((s) => (s.runs[0][0] += 1)),
      'damaged',
      inIndex,
    ],
    [
      'lengths-plain',
      'Payload lengths beside packed ones.',
      grey,
      index((s) => (s.payloadLengths = [1])),
      'damaged',
      inIndex,
    ],
    [
      'lengths-packed',
      'Packed payload lengths beside others.',
      one,
      index((s) => (s.packedLengths = [1])),
      'damaged',
      inIndex,
    ],
    [
      'packed-longer',
      'A packed length in more bytes than it needs.',
      range,
      index((s) => {
        s.packedLengths[s.packedLengths.length - 1] |= 128;
        s.packedLengths.push(0);
      }),
      'damaged',
      inIndex,
    ],
    [
      'packed-end',
      'A packed length without its last byte, behind those of all chunks.',
      range,
      index((s) => s.packedLengths.push(128)),
      'damaged',
      inIndex,
    ],
    [
      'length-payload',
      'A payload of more bytes than any may have.',
      one,
      index((s) => (s.payloadLengths = [2 ** 24 + 2 ** 16 + 1])),
      'limit',
      inIndex,
    ],
    [
      'coordinates-odd',
      'Half a partition coordinate behind those of all chunks.',
      listed,
      index((s) => s.coordinates.push(0)),
      'damaged',
      inIndex,
    ],
    [
      'presence-feature',
      'Presence bits, without the feature that says so.',
      one,
      (_, { signals: [s] }, superblock) => {
        Object.assign(s, { presence: [1], coordinates: [...s.axes].map((axis) => axis.firstCell) });
        const { features } = superblock;
        return {
          features: { ...features, mustUnderstand: features.mustUnderstand & ~FEATURES.impliedChunks },
        };
      },
      'damaged',
      inIndex,
    ],
    [
      'section-name',
      "A space in a metadata section's name.",
      icc,
      index((_, sections) => (sections[0].name = 'i c')),
      'damaged',
      inIndex,
    ],
    [
      'section-name-empty',
      'A metadata section without a name.',
      icc,
      index((_, sections) => (sections[0].name = '')),
      'damaged',
      inIndex,
    ],
    [
      'section-name-long',
      "A metadata section's name of 256 characters.",
      icc,
      index((_, sections) => (sections[0].name = 'n'.repeat(256))),
      'limit',
      inIndex,
    ],
    [
      'section-large',
      'A metadata section of more bytes than any may have.',
      icc,
      index((_, sections) => (sections[0].span[1] = 2 ** 26 + 1)),
      'limit',
      inIndex,
    ],
    [
      'section-twice',
      'Two metadata sections of one name.',
      icc,
      index((_, sections) => sections.push({ name: sections[0].name, span: [0, 0, 0] })),
      'damaged',
      inIndex,
    ],
    [
      'sections-many',
      '1,025 metadata sections of no bytes.',
      icc,
      (_, i) =>
        void (i.sections = Array.from({ length: 1025 }, (__, k) => ({
          name: k.toString(36),
          span: [0, 0, 0],
        }))),
      'limit',
      inIndex,
    ],
  ];
}

/** Shared weights beyond what they may be. */
async function sharedFaults(files) {
  const grey = files.get('latent-grey');
  const [signal] = (await openContainer(new MemorySource(grey))).header.signals;
  const { architecture, shared } = signal.latents;
  const withNumber = (tensor, place, value) => {
    const stored = decodeShared(architecture, shared);
    const { offset } = latentTensors(architecture).find(({ name }) => name === tensor);
    stored.numbers[offset + place] = value;
    const bytes = [...encodeShared(architecture, stored)];
    return withTables(grey, (h) => void (h.signals[0].globalWeights = bytes));
  };
  const faults = [];
  for (const [name, description, tensor, place, value] of [
    ['weight', 'A hidden weight beyond 2^20.', 'hiddenWeight', 0, 2 ** 20 + 1],
    ['taps', 'A tap beyond -2^20.', 'taps', 0, -(2 ** 20) - 1],
    ['mean', 'A mean of 2,048.', 'mean', 0, 2048],
    ['spread-large', 'A spread of 2,048.', 'spread', 0, 2048],
    ['offset', 'An offset beyond 2^19.', 'scale', 0, 2 ** 19 + 1],
    ['gain', 'A gain beyond -2^19.', 'scale', 1, -(2 ** 19) - 1],
    ['presence', 'A presence of 0.', 'presence', 0, 0],
    ['presence-large', 'A presence of 256.', 'presence', 0, 256],
  ]) {
    faults.push([
      `latent-shared-${name}`,
      description,
      await withNumber(tensor, place, value),
      'damaged',
      'header',
    ]);
  }
  return faults;
}

/** Every fault: name, description, bytes, code and, where the format fixes it, section. */
export async function ruleFaults(files) {
  const one = files.get('one-partition');
  const { superblock } = await openContainer(new MemorySource(one));
  const faults = [
    ['latent-32768', 'A latent of 32,768.', await heldLatents(32_768), 'damaged', 'chunk 0,0'],
    [
      'header-checksum',
      "A letter of the writer's name in the header is another one, which only the checksum tells.",
      relettered(one, superblock.header, 'lgi 0'),
      'damaged',
      'header',
    ],
    [
      'index-checksum',
      "A letter of a metadata section's name is another one, which only the checksum tells.",
      relettered(files.get('icc'), findSuperblock(files.get('icc')).superblock.index, 'icc'),
      'damaged',
      'index',
    ],
    [
      'place-alignment',
      'A header that begins at no multiple of 8.',
      await withHeaderAt(one, (end) => 8 * Math.ceil(end / 8) + 4),
      'damaged',
      'superblock',
    ],
    [
      'place-superblock',
      'A header inside the superblock.',
      superblockHeader(one, superblock),
      'damaged',
      'superblock',
    ],
    [
      'place-committed',
      'A header beyond the committed length.',
      await withHeaderAt(
        one,
        (end) => 8 * Math.ceil(end / 8),
        (length) => length - 8,
      ),
      'damaged',
      'superblock',
    ],
    [
      'truncated-index',
      'The file ends inside its index.',
      one.slice(0, superblock.index.byteOffset + 20),
      'truncated',
    ],
    [
      'deflate-type',
      'A DEFLATE stream with a block of a type that there is not.',
      await withPayload(files.get('rgba8-deflate'), (payload) =>
        Uint8Array.of(payload[0] | 6, ...payload.slice(1)),
      ),
      'damaged',
      'chunk 0,0',
    ],
  ];
  for (const [name, description, file, edit, code, section, last] of await tableFaults(files)) {
    const bytes = await withTables(file, (header, index, superblock) => {
      const changes = edit(header, index, superblock);
      last?.(header, index);
      const isChange =
        changes && typeof changes === 'object' && ('mustUnderstand' in changes || 'features' in changes);
      return isChange ? changes : undefined;
    });
    faults.push([name, description, bytes, code, section]);
  }
  return [...faults, ...(await sharedFaults(files))];
}

/** The file with the first letter of a text in a section as the next one of the alphabet. */
function relettered(file, { byteOffset, byteLength }, text) {
  const section = String.fromCharCode(...file.subarray(byteOffset, byteOffset + byteLength));
  const at = section.lastIndexOf(text);
  if (at < 0) throw new Error(`no ${text} in it`);
  const bytes = file.slice();
  bytes[byteOffset + at]++;
  return bytes;
}

/** A header that begins behind the first slot. */
function superblockHeader(file, superblock) {
  const bytes = file.slice();
  const byteOffset = 512;
  const { byteLength } = superblock.header;
  bytes.set(
    encodeSuperblock({
      ...superblock,
      header: { byteOffset, byteLength, crc: crc32c(file.subarray(byteOffset, byteOffset + byteLength)) },
    }),
  );
  return bytes;
}
