import { LgiError, OptionError } from '../../codec/errors.js';
import { decodePlacement, PLACEMENT_SECTION, type GridPlacement } from '../grid-placement.js';
import { surfaceOf } from '../media/surface.js';
import { isMeshName, writeMesh } from '../media/write-mesh.js';
import type { LgiFile } from '../open.js';
import type { SampleArray } from '../../codec/signal.js';
import type { DecodeOptions, Signal } from '../signal.js';
import type { DecodeFlags } from './decode.js';
import { PartwiseDecode, regionAsked } from './parts-of-decode.js';
import { writeVolume } from '../media/write-volume.js';
import { partAsked, refuseFlags, type Decoded, type Decoding } from './decoding.js';
import { counted, grouped, sizeOf } from './figures.js';
import { primarySignals } from './primary-signals.js';

/** Decodes the volume or shape of a file. */
export async function decodeVolume({ file, place, flags, context }: Decoding): Promise<Decoded> {
  const { signal } = context;
  const { scale, size } = flags;
  const [volume] = primarySignals(file);
  refuseFlags(flags, `a ${volume.kind}`, ['time', 'fps', 'rate', 'background', 'overview']);
  const decoding = {
    ...partAsked(volume, flags),
    ...(scale !== undefined && { scale }),
    ...(size && { size }),
    signal,
  };
  return isMeshName(place)
    ? writeSurface(file, volume, place, decoding, flags)
    : writeSamples(volume, place, decoding, signal);
}

/** Bytes of a volume that are decoded at a time. */
const PART_BYTES = 2 ** 26;

/** Slice after slice, as they are decoded. */
async function writeSamples(
  volume: Signal,
  place: string,
  decoding: DecodeOptions,
  signal: AbortSignal,
): Promise<Decoded> {
  const { format } = volume;
  const { channels } = format;
  const parts = new PartwiseDecode(volume, decoding, PART_BYTES);
  const { shape } = parts;
  const startMs = performance.now();
  const bytes = await writeVolume(place, { data: dataOf(parts), shape, channels, format }, signal);
  const { missing, partitionsDecoded, decodeSeconds } = parts;
  return {
    title: `${sizeOf(shape)} ${format.sampleType}`,
    fields: { shape, channels, sampleType: format.sampleType },
    missing,
    partitionsDecoded,
    bytes,
    writeSeconds: (performance.now() - startMs) / 1000 - decodeSeconds,
  };
}

async function* dataOf(parts: PartwiseDecode): AsyncGenerator<SampleArray> {
  for await (const { data } of parts.parts()) yield data;
}

/** The surface of a shape, where the mesh that it was made from had it. */
async function writeSurface(
  file: LgiFile,
  shape: Signal,
  place: string,
  decoding: DecodeOptions,
  flags: DecodeFlags,
): Promise<Decoded> {
  if (shape.kind !== 'shape') {
    throw new OptionError(
      'output',
      `${place} is a mesh, which shapes have; write the volume as .npy or slices`,
    );
  }
  const { signal } = decoding;
  const samples = await shape.decode(decoding);
  const startMs = performance.now();
  const { origin, spacing } = await placementOf(file, signal);
  const { begin, end } = regionAsked(shape, partAsked(shape, flags));
  const corner = begin.map((at, axis) => origin[axis] + (at + shape.window.begin[axis]) * spacing[axis]);
  const steps = spacing.map((step, axis) => (step * (end[axis] - begin[axis])) / samples.shape[axis]);
  const mesh = surfaceOf(samples, { origin: corner, spacing: steps });
  const bytes = await writeMesh(place, mesh, signal);
  const [vertices, triangles] = [mesh.positions.length / 3, mesh.indices.length / 3];
  return {
    title: `${grouped(vertices)} vertices, ${counted(triangles, 'triangle')}`,
    fields: { shape: samples.shape, vertices, triangles },
    missing: samples.missing,
    partitionsDecoded: samples.partitionsDecoded,
    bytes,
    writeSeconds: (performance.now() - startMs) / 1000,
  };
}

/** Of a file that says nothing, or is damaged there, voxels. */
async function placementOf(file: LgiFile, signal?: AbortSignal): Promise<GridPlacement> {
  const voxels = { origin: [0, 0, 0], spacing: [1, 1, 1] };
  try {
    const bytes = await file.readMetadata(PLACEMENT_SECTION, signal);
    return bytes === null ? voxels : decodePlacement(bytes, 3);
  } catch (error) {
    if (error instanceof LgiError && error.code === 'damaged') return voxels;
    throw error;
  }
}
