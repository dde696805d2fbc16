import { Builder } from 'flatbuffers';
import type { Architecture, SineActivation } from '../../codec/architecture.js';
import { LgiError } from '../../codec/errors.js';
import type { LatentArchitecture } from '../../codec/latent/latent-architecture.js';
import type { Model } from '../../codec/model.js';
import type { Quantiser, TensorQuantiser } from '../../codec/quantiser.js';
import * as fb from '../../schema/generated/lgi.js';
import type { Header, SignalHeader, SineSignal } from './header.js';
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
  builder.finish(fb.Header.endHeader(builder), HEADER_IDENTIFIER);
  return builder.asUint8Array();
}

function encodeSignal(builder: Builder, signal: SignalHeader): number {
  const { maps, nominalCell, quantiser: rounding, coder, weights } = storedAs(signal);
  const globalWeights = builder.createByteVector(weights);
  const quantiser = encodeQuantiser(builder, rounding);
  const network =
    signal.latents === undefined
      ? encodeArchitecture(builder, signal.model.architecture)
      : encodeLatentFamily(builder, signal.latents.architecture);
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
  fb.Signal.addArchitectureType(
    builder,
    signal.latents === undefined ? fb.Architecture.SineFamily : fb.Architecture.LatentFamily,
  );
  fb.Signal.addArchitecture(builder, network);
  fb.Signal.addQuantiser(builder, quantiser);
  fb.Signal.addCoder(builder, CODERS.indexOf(coder));
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
  if (architecture.merge !== 'concat') {
    throw new LgiError(
      'unsupported',
      `a merge by ${architecture.merge} is for comparison and has no place in files; use concat`,
    );
  }
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

/** What a signal has in the fields that all families share; the latent one has no use for some. */
function storedAs(
  signal: SignalHeader,
): Pick<Model, 'maps' | 'nominalCell'> &
  Pick<SineSignal, 'quantiser' | 'coder'> & { readonly weights: Uint8Array } {
  if (signal.latents === undefined) {
    const { model, quantiser, coder, globalPayload } = signal;
    return { maps: model.maps, nominalCell: model.nominalCell, quantiser, coder, weights: globalPayload };
  }
  const { nominalCell, shared } = signal.latents;
  return { maps: [], nominalCell, quantiser: NO_QUANTISER, coder: 'none', weights: shared };
}

const NO_QUANTISER: Quantiser = { format: 'float32', local: [], global: [] };

function encodeLatentFamily(
  builder: Builder,
  { levels, finestLevels, hiddenWidth, amplitude, defaultSet = 0 }: LatentArchitecture,
): number {
  const finestAt = fb.LatentFamily.createFinestLevelsVector(builder, Uint8Array.from(finestLevels));
  fb.LatentFamily.startLatentFamily(builder);
  fb.LatentFamily.addLevels(builder, levels);
  fb.LatentFamily.addFinestLevels(builder, finestAt);
  fb.LatentFamily.addHiddenWidth(builder, hiddenWidth);
  fb.LatentFamily.addAmplitude(builder, amplitude);
  fb.LatentFamily.addDefaultSet(builder, defaultSet);
  return fb.LatentFamily.endLatentFamily(builder);
}

function encodeQuantiser(builder: Builder, { format, local, global, forecast }: Quantiser): number {
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
  const modelsAt = forecast && fb.Quantiser.createLocalModelsVector(builder, forecast.models);
  const originAt = forecast?.origin && fb.Quantiser.createLocalOriginVector(builder, forecast.origin);
  fb.Quantiser.startQuantiser(builder);
  fb.Quantiser.addFormat(builder, FORMATS.indexOf(format));
  fb.Quantiser.addLocalTensors(builder, localAt);
  fb.Quantiser.addGlobalTensors(builder, globalAt);
  if (modelsAt !== undefined) fb.Quantiser.addLocalModels(builder, modelsAt);
  if (originAt !== undefined) fb.Quantiser.addLocalOrigin(builder, originAt);
  return fb.Quantiser.endQuantiser(builder);
}
