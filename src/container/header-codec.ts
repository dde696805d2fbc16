import { Builder, ByteBuffer } from 'flatbuffers';
import type { Coder } from '../../codec/coder/payload.js';
import type { Architecture, LocalCoordinates, SineActivation } from '../../codec/architecture.js';
import { LgiError } from '../../codec/errors.js';
import type { TensorQuantiser, WeightFormat } from '../../codec/quantise.js';
import { AXES, type ChannelLayout, type SampleType, type SignalKind } from '../../codec/signal.js';
import * as fb from '../../schema/generated/lgi.js';
import { verifyFlatBuffer } from './flatbuffer-verifier.js';
import type { Header, SignalHeader, SignalRole } from './header.js';
import { checkHeader } from './header-checks.js';

const IDENTIFIER = 'LGIH';

// Names by the number they have in the schema.
const KINDS: readonly SignalKind[] = ['image', 'audio', 'video', 'volume', 'shape'];
const ROLES: readonly SignalRole[] = ['primary', 'overview'];
const SAMPLE_TYPES: readonly SampleType[] = ['uint8', 'uint16', 'float32'];
const LAYOUTS: readonly ChannelLayout[] = ['grey', 'grey-alpha', 'rgb', 'rgb-alpha', 'plain'];
const LOCAL_COORDINATES: readonly LocalCoordinates[] = ['signal', 'cell'];
const FORMATS: readonly WeightFormat[] = ['float32', 'float16', 'integer'];
const CODERS: readonly Coder[] = ['none', 'deflate'];

/** Bytes of a header; the same header gives the same bytes. */
export function encodeHeader(header: Header): Uint8Array {
  checkHeader(header, 0);
  const builder = new Builder(1 << 16);
  const signals = header.signals.map((signal) => encodeSignal(builder, signal));
  const signalsAt = fb.Header.createSignalsVector(builder, signals);
  const digestAt = header.digest ? builder.createByteVector(header.digest) : 0;
  const writerAt = header.writer === undefined ? 0 : builder.createString(header.writer);
  fb.Header.startHeader(builder);
  fb.Header.addSignals(builder, signalsAt);
  if (digestAt) fb.Header.addDigest(builder, digestAt);
  if (writerAt) fb.Header.addWriter(builder, writerAt);
  builder.finish(fb.Header.endHeader(builder), IDENTIFIER);
  return builder.asUint8Array();
}

function encodeSignal(builder: Builder, signal: SignalHeader): number {
  const { architecture, maps, nominalCell } = signal.model;
  const globalWeights = builder.createByteVector(signal.globalPayload);
  const quantiser = encodeQuantiser(builder, signal.quantiser);
  const network = encodeArchitecture(builder, architecture);
  const nominalCellAt = fb.Signal.createNominalCellVector(builder, [...nominalCell]);
  fb.Signal.startCoordinateMapsVector(builder, maps.length);
  for (const { scale, offset } of [...maps].reverse()) {
    fb.CoordinateMap.createCoordinateMap(builder, scale, offset);
  }
  const mapsAt = builder.endVector();
  const firstShapeAt = fb.Signal.createFirstShapeVector(builder, [...signal.firstShape]);
  const { sampleType, channels, layout, mapping } = signal.format;
  fb.SampleFormat.startSampleFormat(builder);
  fb.SampleFormat.addSampleType(builder, SAMPLE_TYPES.indexOf(sampleType));
  fb.SampleFormat.addChannels(builder, channels);
  fb.SampleFormat.addLayout(builder, LAYOUTS.indexOf(layout));
  fb.SampleFormat.addMapping(
    builder,
    fb.ValueMapping.createValueMapping(builder, mapping.scale, mapping.offset),
  );
  const formatAt = fb.SampleFormat.endSampleFormat(builder);

  fb.Signal.startSignal(builder);
  fb.Signal.addKind(builder, KINDS.indexOf(signal.kind));
  fb.Signal.addRole(builder, ROLES.indexOf(signal.role));
  fb.Signal.addSampleFormat(builder, formatAt);
  if (signal.colour) {
    const { primaries, transfer, matrix, fullRange } = signal.colour;
    fb.Signal.addColour(builder, fb.Colour.createColour(builder, primaries, transfer, matrix, fullRange));
  }
  fb.Signal.addFirstShape(builder, firstShapeAt);
  fb.Signal.addCoordinateMaps(builder, mapsAt);
  fb.Signal.addNominalCell(builder, nominalCellAt);
  fb.Signal.addArchitectureType(builder, fb.Architecture.SineFamily);
  fb.Signal.addArchitecture(builder, network);
  fb.Signal.addQuantiser(builder, quantiser);
  fb.Signal.addCoder(builder, CODERS.indexOf(signal.coder));
  fb.Signal.addGlobalWeights(builder, globalWeights);
  if (signal.rate) {
    fb.Signal.addRate(builder, fb.Rate.createRate(builder, signal.rate.numerator, signal.rate.denominator));
  }
  if (signal.startSeconds !== undefined) fb.Signal.addStartSeconds(builder, signal.startSeconds);
  if (signal.overviewFactor !== undefined) fb.Signal.addOverviewFactor(builder, signal.overviewFactor);
  if (signal.constantPartitions === true) fb.Signal.addConstantPartitions(builder, true);
  return fb.Signal.endSignal(builder);
}

function encodeArchitecture(builder: Builder, architecture: Architecture): number {
  const activation = ({ omegaFirst, omegaHidden, a, b, c, d }: SineActivation): number =>
    fb.SineActivation.createSineActivation(builder, omegaFirst, omegaHidden, a, b, c, d);
  fb.SineFamily.startSineFamily(builder);
  fb.SineFamily.addLevels(builder, architecture.levels);
  fb.SineFamily.addLocalWidth(builder, architecture.localWidth);
  fb.SineFamily.addGlobalWidth(builder, architecture.globalWidth);
  fb.SineFamily.addLocalCoordinates(builder, LOCAL_COORDINATES.indexOf(architecture.localCoordinates));
  fb.SineFamily.addLatticeStride(builder, architecture.latticeStride);
  fb.SineFamily.addLocalActivation(builder, activation(architecture.activations.local));
  fb.SineFamily.addGlobalActivation(builder, activation(architecture.activations.global));
  fb.SineFamily.addMergeActivation(builder, activation(architecture.activations.merge));
  return fb.SineFamily.endSineFamily(builder);
}

function encodeQuantiser(builder: Builder, { format, local, global }: SignalHeader['quantiser']): number {
  const list = (
    tensors: readonly TensorQuantiser[],
    start: (builder: Builder, count: number) => void,
  ): number => {
    start(builder, tensors.length);
    for (const { step, bits } of [...tensors].reverse()) {
      fb.TensorQuantiser.createTensorQuantiser(builder, step, bits);
    }
    return builder.endVector();
  };
  const localAt = list(local, fb.Quantiser.startLocalTensorsVector);
  const globalAt = list(global, fb.Quantiser.startGlobalTensorsVector);
  fb.Quantiser.startQuantiser(builder);
  fb.Quantiser.addFormat(builder, FORMATS.indexOf(format));
  fb.Quantiser.addLocalTensors(builder, localAt);
  fb.Quantiser.addGlobalTensors(builder, globalAt);
  return fb.Quantiser.endQuantiser(builder);
}

/**
 * The header that these bytes hold, checked in every respect.
 *
 * @param bytes whose checksum was right; they are copied.
 * @param byteOffset of the header in its file, for errors.
 * @throws LgiError `damaged`, `unsupported` or `limit`, section `header`.
 */
export function decodeHeader(bytes: Uint8Array, byteOffset: number): Header {
  // A copy of one's own is aligned as FlatBuffers needs it, and nobody changes it after it was verified. (Buffers of Node have
  // a slice of their own, which does not copy.)
  const copy = new Uint8Array(bytes);
  verifyFlatBuffer(copy, 'Header', IDENTIFIER, 'header', byteOffset);
  const table = fb.Header.getRootAsHeader(new ByteBuffer(copy));
  const signals: SignalHeader[] = [];
  for (let i = 0; i < table.signalsLength(); i++) {
    signals.push(decodeSignal(present(table.signals(i)), byteOffset));
  }
  const writer = table.writer();
  const header: Header = {
    signals,
    ...(table.digestLength() > 0 ? { digest: present(table.digestArray()).slice() } : {}),
    ...(writer !== null ? { writer } : {}),
  };
  checkHeader(header, byteOffset);
  return header;
}

/** What the verifier has found to be there. */
function present<T>(value: T | null): T {
  if (value === null) throw new Error('the verifier let an absent field pass');
  return value;
}

/** The name that a number of the schema has; a number without one is a later version's. */
function nameOf<T>(names: readonly T[], value: number, what: string, byteOffset: number): T {
  const name = names[value];
  if (name !== undefined) return name;
  throw new LgiError(
    'unsupported',
    `the header names ${what} ${value}, this program knows 0 to ${names.length - 1}; use a newer version of it`,
    { section: 'header', byteOffset },
  );
}

function decodeSignal(table: fb.Signal, byteOffset: number): SignalHeader {
  const kind = nameOf(KINDS, table.kind(), 'signal kind', byteOffset);
  const format = present(table.sampleFormat());
  const mapping = present(format.mapping());
  const colour = table.colour();
  const rate = table.rate();
  const startSeconds = table.startSeconds();
  const overviewFactor = table.overviewFactor();
  const firstShape = Array.from(present(table.firstShapeArray()));
  const maps = Array.from({ length: table.coordinateMapsLength() }, (_, axis) => {
    const map = present(table.coordinateMaps(axis));
    // That both lists have an entry per axis is checked with everything else (header-checks.ts).
    return { scale: map.scale(), offset: map.offset(), length: firstShape[axis] ?? 0 };
  });
  return {
    kind,
    role: nameOf(ROLES, table.role(), 'signal role', byteOffset),
    format: {
      sampleType: nameOf(SAMPLE_TYPES, format.sampleType(), 'sample type', byteOffset),
      channels: format.channels(),
      layout: nameOf(LAYOUTS, format.layout(), 'channel layout', byteOffset),
      mapping: { scale: mapping.scale(), offset: mapping.offset() },
    },
    ...(colour
      ? {
          colour: {
            primaries: colour.primaries(),
            transfer: colour.transfer(),
            matrix: colour.matrix(),
            fullRange: colour.fullRange(),
          },
        }
      : {}),
    firstShape,
    model: {
      architecture: decodeArchitecture(table, AXES[kind].length, format.channels(), byteOffset),
      maps,
      nominalCell: Array.from(present(table.nominalCellArray())),
    },
    quantiser: decodeQuantiser(present(table.quantiser()), byteOffset),
    coder: nameOf(CODERS, table.coder(), 'coder', byteOffset),
    globalPayload: present(table.globalWeightsArray()).slice(),
    ...(rate ? { rate: { numerator: rate.numerator(), denominator: rate.denominator() } } : {}),
    ...(startSeconds !== 0 ? { startSeconds } : {}),
    ...(overviewFactor !== 0 ? { overviewFactor } : {}),
    ...(table.constantPartitions() ? { constantPartitions: true as const } : {}),
  };
}

function decodeArchitecture(
  table: fb.Signal,
  inputs: number,
  outputs: number,
  byteOffset: number,
): Architecture {
  if (table.architectureType() !== fb.Architecture.SineFamily) {
    throw new LgiError(
      'unsupported',
      `the header has an architecture of type ${table.architectureType()}, this program knows type 1, the sine family; ` +
        'use a newer version of it',
      { section: 'header', byteOffset },
    );
  }
  const family: fb.SineFamily = present(table.architecture(new fb.SineFamily()));
  const activation = (struct: fb.SineActivation): SineActivation => ({
    omegaFirst: struct.omegaFirst(),
    omegaHidden: struct.omegaHidden(),
    a: struct.a(),
    b: struct.b(),
    c: struct.c(),
    d: struct.d(),
  });
  return {
    inputs,
    outputs,
    levels: family.levels(),
    localWidth: family.localWidth(),
    globalWidth: family.globalWidth(),
    localCoordinates: nameOf(LOCAL_COORDINATES, family.localCoordinates(), 'local coordinates', byteOffset),
    latticeStride: family.latticeStride(),
    activations: {
      local: activation(present(family.localActivation())),
      global: activation(present(family.globalActivation())),
      merge: activation(present(family.mergeActivation())),
    },
  };
}

function decodeQuantiser(table: fb.Quantiser, byteOffset: number): SignalHeader['quantiser'] {
  const list = (count: number, at: (i: number) => fb.TensorQuantiser | null): TensorQuantiser[] =>
    Array.from({ length: count }, (_, i) => {
      const struct = present(at(i));
      return { bits: struct.bits(), step: struct.step() };
    });
  return {
    format: nameOf(FORMATS, table.format(), 'weight format', byteOffset),
    local: list(table.localTensorsLength(), (i) => table.localTensors(i)),
    global: list(table.globalTensorsLength(), (i) => table.globalTensors(i)),
  };
}
