// Conformance vectors of indexes that break one rule of section 5 or 9 of the format.
import { FEATURES } from '../dist/src/container/superblock.js';
import { index, beyond } from './table-edits.mjs';

const FAR = -(2 ** 31);

/** Faults of indexes: name, description, file, edit, code, section. */
export function indexRules(files) {
  const one = files.get('one-partition');
  const range = files.get('range');
  const grey = files.get('latent-grey');
  const icc = files.get('icc');
  const runs = files.get('runs');
  const aligned = files.get('audio-float32');
  const listed = files.get('signals');
  const inIndex = 'index';

  return [
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
