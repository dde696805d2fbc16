import { describe, expect, it } from 'vitest';
import { LgiError } from '../../dist/codec/errors.js';
import { Grid } from '../../dist/codec/grid.js';
import { decodeHeader } from '../../dist/src/container/decode-header.js';
import { encodeHeader } from '../../dist/src/container/encode-header.js';
import type { Header, SineSignal } from '../../dist/src/container/header.js';
import { decodeIndex } from '../../dist/src/container/decode-index.js';
import { encodeIndex } from '../../dist/src/container/encode-index.js';
import { listedColumns } from '../../dist/src/container/choose-columns.js';
import { ChunkTable, type Index, type SignalIndex } from '../../dist/src/container/index-table.js';
import { sineSignal } from '../../dist/src/container/sine-signal.js';
import { openBytes, patternBytes, sampleFile, sampleHeader } from './sample-container.js';

function failure(work: () => unknown): LgiError {
  try {
    work();
  } catch (error) {
    if (error instanceof LgiError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('an index is refused', () => {
  /** The index of a small file with something changed, as a reader sees it. */
  async function refused(change: (signal: SignalIndex, index: Index) => Partial<SignalIndex> | Index) {
    const { header, superblock, index } = await openBytes(
      await sampleFile({ metadata: [{ name: 'icc', bytes: patternBytes(20, 1) }] }),
    );
    const changed = change(index.signals[0], index);
    const other =
      'signals' in changed
        ? changed
        : { ...index, signals: [{ ...index.signals[0], ...(changed as Partial<SignalIndex>) }] };
    const writers = { ...header, signals: other.signals.map(() => header.signals[0]) };
    return failure(() => decodeIndex(encodeIndex(other, listedColumns(other), writers), header, superblock));
  }
  const moved = (
    { ordinals, payloadLengths, byteOffsets }: ChunkTable,
    chunk: number,
    byteOffset: number,
  ) => ({
    chunks: new ChunkTable(
      ordinals,
      payloadLengths,
      byteOffsets.map((at, i) => (i === chunk ? byteOffset : at)),
    ),
  });

  it.each<[string, RegExp, (signal: SignalIndex, index: Index) => Partial<SignalIndex> | Index]>([
    [
      'with a window beyond the extent',
      /window from 0,0 to 10,14 .*extent from 0,0 to 10,13/,
      () => ({ window: { begin: [0, 0], end: [10, 14] } }),
    ],
    ['with an empty window', /window/, () => ({ window: { begin: [3, 3], end: [3, 5] } })],
    ['with a window of another dimension', /1 and 1 numbers/, () => ({ window: { begin: [3], end: [4] } })],
    [
      'with cuts beyond the first encode',
      /go from 0 to 14, the first encode has 0 to 13/,
      ({ grid }) => ({ grid: new Grid([grid.axes[0], { cuts: [0, 4, 8, 12, 14], firstCell: 0 }]) }),
    ],
    [
      'with cuts that do not ascend',
      /are 8 and then 8/,
      ({ grid }) => ({ grid: new Grid([grid.axes[0], { cuts: [0, 4, 8, 8, 13], firstCell: 0 }]) }),
    ],
    [
      'with another number of signals',
      /2 signals, the header 1/,
      (signal, index) => ({ ...index, signals: [signal, signal] }),
    ],
    ['with a chunk over another', /share bytes/, ({ chunks }) => moved(chunks, 4, chunks.byteOffsets[2])],
    [
      'with a chunk over the header',
      /header.*share bytes|share bytes/,
      ({ chunks }) => moved(chunks, 0, 1030),
    ],
    ['with a chunk in the superblock', /superblock.*share bytes/, ({ chunks }) => moved(chunks, 0, 100)],
    [
      'with a chunk beyond the committed length',
      /beyond the committed length/,
      ({ chunks }) => moved(chunks, chunks.count - 1, 2 ** 50),
    ],
    [
      'with two chunks for one partition',
      /two chunks for partition 0,0/,
      ({ chunks }) => ({
        chunks: new ChunkTable(
          chunks.ordinals.map((o) => (o === 1 ? 0 : o)),
          chunks.payloadLengths,
          chunks.byteOffsets,
        ),
      }),
    ],
    [
      'with two sections of one name',
      /two metadata sections are named icc/,
      (_, index) => ({ ...index, sections: [index.sections[0], index.sections[0]] }),
    ],
    [
      'with a section name that cannot be shown',
      /printable ASCII/,
      (_, index) => ({ ...index, sections: [{ ...index.sections[0], name: 'a\u001b[31m' }] }),
    ],
  ])('%s', async (_, message, change) => {
    const error = await refused(change);
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code: 'damaged', section: 'index' });
  });

  it.each([-(2 ** 31), 2 ** 31 - 3])('with partition coordinates from %d on', async (firstCell) => {
    const error = await refused(({ grid, chunks }) => ({
      grid: new Grid([grid.axes[0], { ...grid.axes[1], firstCell }]),
      chunks,
    }));
    expect(error).toMatchObject({ code: 'limit', section: 'index' });
    expect(error.message).toContain('a partition coordinate on axis 1');
  });

  it('with a payload longer than any may be, before anything is read', async () => {
    const error = await refused(({ chunks }) => ({
      chunks: new ChunkTable(
        chunks.ordinals,
        chunks.payloadLengths.map(() => 2 ** 31),
        chunks.byteOffsets,
      ),
    }));
    expect(error).toMatchObject({ code: 'limit', section: 'index' });
    expect(error.message).toContain('2147483648');
  });
});

describe('a header', () => {
  const base: Header = sampleHeader([10, 13], 4, 'integer');
  const signal = sineSignal(base.signals[0]);
  const withSignal = (change: Partial<SineSignal>): Header => ({
    ...base,
    signals: [{ ...signal, ...change }],
  });
  const withArchitecture = (change: object): Header =>
    withSignal({ model: { ...signal.model, architecture: { ...signal.model.architecture, ...change } } });

  it.each<[string, string, RegExp, Header]>([
    ['no signal', 'limit', /number of signals is 0/, { ...base, signals: [] }],
    ['a short digest', 'damaged', /31 bytes/, { ...base, digest: new Uint8Array(31) }],
    ['a writer that moves the cursor', 'damaged', /control characters/, { ...base, writer: 'x\u001b[2J' }],
    ['three axes for a picture', 'damaged', /3 entries, image has 2/, withSignal({ firstShape: [1, 2, 3] })],
    ['an axis of no samples', 'limit', /is 0, allowed are 1/, withSignal({ firstShape: [0, 13] })],
    [
      'layouts of other channels',
      'damaged',
      /1 channels, layout rgb has 3/,
      withSignal({ format: { ...signal.format, layout: 'rgb' } }),
    ],
    [
      'a mapping that maps to one value',
      'damaged',
      /scale 0/,
      withSignal({ format: { ...signal.format, mapping: { scale: 0, offset: 1 } } }),
    ],
    [
      'numbers that are none',
      'limit',
      /omega is NaN/,
      withArchitecture({
        activations: {
          ...signal.model.architecture.activations,
          local: { ...signal.model.architecture.activations.local, omegaFirst: NaN },
        },
      }),
    ],
    ['no level', 'limit', /levels is 0/, withArchitecture({ levels: 0 })],
    ['a network too wide', 'limit', /local width is 2049/, withArchitecture({ localWidth: 2049 })],
    [
      'a global network without weights',
      'damaged',
      /no global weights/,
      withSignal({ globalPayload: new Uint8Array(0) }),
    ],
    [
      'too few quantisers',
      'damaged',
      /quantisers/,
      withSignal({ quantiser: { ...signal.quantiser, local: [] } }),
    ],
    [
      'coordinates beyond all sense',
      'limit',
      /coordinate on axis x is/,
      withSignal({
        model: { ...signal.model, maps: [signal.model.maps[0], { scale: 1e6, offset: 0, length: 12 }] },
      }),
    ],
  ])('with %s is refused: %s', (_, code, message, header) => {
    const error = failure(() => encodeHeader(header));
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code, section: 'header' });
  });

  it('keeps what only other media have', () => {
    const timed: Header = withSignal({ rate: { numerator: 30_000, denominator: 1001 }, startSeconds: -0.25 });
    expect(decodeHeader(encodeHeader(timed), 0)).toEqual(timed);
    for (const [kind, axes] of [
      ['audio', 1],
      ['video', 3],
      ['volume', 3],
      ['shape', 3],
    ] as const) {
      const list = <T>(value: T): T[] => Array.from({ length: axes }, () => value);
      const other = withSignal({
        kind,
        firstShape: list(9),
        model: {
          ...signal.model,
          architecture: { ...signal.model.architecture, inputs: axes },
          maps: list({ scale: 0.5, offset: -1, length: 9 }),
          nominalCell: list(4),
        },
      });
      expect(decodeHeader(encodeHeader(other), 0)).toEqual(other);
    }
  });

  describe('with an overview', () => {
    const overview = (change: Partial<SineSignal> = {}): SineSignal => ({
      ...signal,
      role: 'overview',
      overviewFactor: 4,
      firstShape: [3, 4],
      model: { ...signal.model, maps: signal.model.maps.map((map, axis) => ({ ...map, length: 3 + axis })) },
      ...change,
    });

    it('keeps its factor', () => {
      const header: Header = {
        ...base,
        signals: [signal, overview(), overview({ overviewFactor: 8, firstShape: [2, 2] })],
      };
      const [, first, second] = decodeHeader(encodeHeader(header), 0).signals;
      expect([first.overviewFactor, second.overviewFactor]).toEqual([4, 8]);
    });

    it.each<[string, string, RegExp, SineSignal[]]>([
      ['no factor', 'damaged', /factor 0/, [signal, overview({ overviewFactor: undefined })]],
      [
        'the factor 1',
        'damaged',
        /factor 1,/,
        [signal, overview({ overviewFactor: 1, firstShape: [10, 13] })],
      ],
      ['a factor of no power of two', 'damaged', /factor 6/, [signal, overview({ overviewFactor: 6 })]],
      [
        'a factor too large',
        'limit',
        /is 8192/,
        [signal, overview({ overviewFactor: 8192, firstShape: [1, 1] })],
      ],
      [
        'a factor in the primary signal',
        'damaged',
        /primary signal has .* 4/,
        [{ ...signal, overviewFactor: 4 }],
      ],
      ['nothing that it is of', 'damaged', /before every primary/, [overview(), signal]],
      ['a finer one after it', 'damaged', /of factor 4 follows one of 4/, [signal, overview(), overview()]],
      ['another size', 'damaged', /has 3x5 samples.*makes 3x4/, [signal, overview({ firstShape: [3, 5] })]],
      [
        'another format',
        'damaged',
        /another kind or format/,
        [signal, overview({ format: { ...signal.format, sampleType: 'uint16' } })],
      ],
    ])('is refused where it has %s: %s', (_, code, message, signals) => {
      const error = failure(() => encodeHeader({ ...base, signals }));
      expect(error.message).toMatch(message);
      expect(error).toMatchObject({ code, section: 'header' });
    });
  });

  it('from a later version, with a name that is not known here, is unsupported rather than damaged', () => {
    // Layout `grey` is 0 and therefore not stored; sample type `uint16` is stored as 1 in a byte of its own.
    const header = withSignal({ format: { ...signal.format, sampleType: 'uint16' }, coder: 'deflate' });
    const bytes = encodeHeader(header);
    const codes = new Set<string>();
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      if (changed[at] !== 1) continue;
      changed[at] = 200;
      try {
        decodeHeader(changed, 0);
      } catch (error) {
        if (error instanceof LgiError && error.code === 'unsupported')
          codes.add(error.message.replace(/200.*/, ''));
      }
    }
    expect([...codes].sort()).toEqual([
      'the header has an architecture of type ',
      'the header names coder ',
      'the header names local coordinates ',
      'the header names sample type ',
    ]);
  });
});
