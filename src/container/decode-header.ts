import { ByteBuffer } from 'flatbuffers';
import type { Architecture, SineActivation } from '../../codec/architecture.js';
import { LgiError } from '../../codec/errors.js';
import type { LatentArchitecture } from '../../codec/latent/latent-architecture.js';
import type { Quantiser, TensorQuantiser } from '../../codec/quantiser.js';
import { AXES, type SignalKind } from '../../codec/signal.js';
import * as fb from '../../schema/generated/lgi.js';
import { verifyFlatBuffer } from './flatbuffer-verifier.js';
import type { Header, LatentSignal, SignalHeader, SineSignal } from './header.js';
import { checkHeader } from './header-checks.js';
import {
  CODERS,
  FORMATS,
  HEADER_IDENTIFIER,
  KINDS,
  LAYOUTS,
  LOCAL_COORDINATES,
  ROLES,
  SAMPLE_TYPES,
} from './header-names.js';

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
  verifyFlatBuffer(copy, 'Header', HEADER_IDENTIFIER, 'header', byteOffset);
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
    ...decodeFamily(table, kind, format.channels(), firstShape, byteOffset),
    ...(rate ? { rate: { numerator: rate.numerator(), denominator: rate.denominator() } } : {}),
    ...(startSeconds !== 0 ? { startSeconds } : {}),
    ...(overviewFactor !== 0 ? { overviewFactor } : {}),
    ...(table.constantPartitions() ? { constantPartitions: true as const } : {}),
  };
}

/** What depends on the family. */
function decodeFamily(
  table: fb.Signal,
  kind: SignalKind,
  channels: number,
  firstShape: readonly number[],
  byteOffset: number,
): Pick<SineSignal, 'model' | 'quantiser' | 'coder' | 'globalPayload'> | Pick<LatentSignal, 'latents'> {
  const nominalCell = Array.from(present(table.nominalCellArray()));
  const weights = present(table.globalWeightsArray()).slice();
  const quantiser = decodeQuantiser(present(table.quantiser()), byteOffset);
  const coder = nameOf(CODERS, table.coder(), 'coder', byteOffset);
  if (table.architectureType() === fb.Architecture.LatentFamily) {
    const isPlain =
      table.coordinateMapsLength() === 0 &&
      quantiser.local.length === 0 &&
      quantiser.global.length === 0 &&
      quantiser.forecast === undefined &&
      coder === 'none';
    if (!isPlain) {
      throw new LgiError(
        'damaged',
        'latents have coordinate maps, quantisers or a coder; fetch the file again',
        { section: 'header', byteOffset },
      );
    }
    return {
      latents: {
        architecture: decodeLatentFamily(table, channels, byteOffset),
        nominalCell,
        shared: weights,
      },
    };
  }
  const maps = Array.from({ length: table.coordinateMapsLength() }, (_, axis) => {
    const map = present(table.coordinateMaps(axis));
    // That both lists have an entry per axis is checked with everything else (header-checks.ts).
    return { scale: map.scale(), offset: map.offset(), length: firstShape[axis] ?? 0 };
  });
  return {
    model: {
      architecture: decodeArchitecture(table, AXES[kind].length, channels, byteOffset),
      maps,
      nominalCell,
    },
    quantiser,
    coder,
    globalPayload: weights,
  };
}

/** Last set of built-in weights that there is (codec/latent/default-weights.ts). */
const LAST_DEFAULT_SET = 1;

function decodeLatentFamily(table: fb.Signal, outputs: number, byteOffset: number): LatentArchitecture {
  const family: fb.LatentFamily = present(table.architecture(new fb.LatentFamily()));
  const defaultSet = family.defaultSet();
  if (defaultSet > LAST_DEFAULT_SET) {
    throw new LgiError(
      'unsupported',
      `latents have differences from built-in weights of set ${defaultSet}, this program knows ${LAST_DEFAULT_SET}; ` +
        'use a newer version of it',
      { section: 'header', byteOffset },
    );
  }
  return {
    levels: family.levels(),
    finestLevels: Array.from(present(family.finestLevelsArray())),
    hiddenWidth: family.hiddenWidth(),
    outputs,
    amplitude: family.amplitude(),
    ...(defaultSet !== 0 && { defaultSet }),
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
      `the header has an architecture of type ${table.architectureType()}, this program knows types 1 and 2; ` +
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
    merge: 'concat',
    activations: {
      local: activation(present(family.localActivation())),
      global: activation(present(family.globalActivation())),
      merge: activation(present(family.mergeActivation())),
    },
  };
}

function decodeQuantiser(table: fb.Quantiser, byteOffset: number): Quantiser {
  const list = (count: number, at: (i: number) => fb.TensorQuantiser | null): TensorQuantiser[] =>
    Array.from({ length: count }, (_, i) => {
      const struct = present(at(i));
      return { bits: struct.bits(), step: struct.step() };
    });
  const models = table.localModelsArray();
  const origin = table.localOriginArray();
  if (origin !== null && models === null) {
    throw new LgiError(
      'damaged',
      'the header has an origin of local weights without models; fetch the file again',
      {
        section: 'header',
        byteOffset,
      },
    );
  }
  return {
    format: nameOf(FORMATS, table.format(), 'weight format', byteOffset),
    local: list(table.localTensorsLength(), (i) => table.localTensors(i)),
    global: list(table.globalTensorsLength(), (i) => table.globalTensors(i)),
    ...(models && { forecast: { models: models.slice(), ...(origin && { origin: origin.slice() }) } }),
  };
}
