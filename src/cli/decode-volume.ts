import { LgiError, OptionError } from '../../codec/errors.js';
import { decodePlacement, PLACEMENT_SECTION, type GridPlacement } from '../grid-placement.js';
import { surfaceOf } from '../media/surface.js';
import { isMeshName, writeMesh } from '../media/write-mesh.js';
import type { LgiFile } from '../open.js';
import type { Samples, Signal } from '../signal.js';
import type { DecodeFlags } from './decode.js';
import { regionAsked } from './parts-of-decode.js';
import { writeVolume } from '../media/write-volume.js';
import { partAsked, refuseFlags, type Decoded, type Decoding } from './decoding.js';
import { sizeOf } from './figures.js';
import { primarySignals } from './primary-signals.js';

/** Decodes the volume or shape of a file. */
export async function decodeVolume({ file, place, flags, context }: Decoding): Promise<Decoded> {
  const { signal } = context;
  const { scale, size } = flags;
  const [volume] = primarySignals(file);
  refuseFlags(flags, `a ${volume.kind}`, ['time', 'fps', 'rate', 'background', 'overview']);
  const decoding = { ...(scale !== undefined && { scale }), ...(size && { size }), signal };
  const samples = await volume.decode({ ...partAsked(volume, flags), ...decoding });
  const decodedMs = performance.now();
  const bytes = isMeshName(place)
    ? await writeSurface(file, volume, place, samples, flags, signal)
    : await writeVolume(place, samples, signal);
  const { shape, channels, format, missing, partitionsDecoded } = samples;
  return {
    title: `${sizeOf(shape)} ${format.sampleType}`,
    fields: { shape, channels, sampleType: format.sampleType },
    missing,
    partitionsDecoded,
    bytes,
    writeSeconds: (performance.now() - decodedMs) / 1000,
  };
}

/** The surface of a shape, where the mesh that it was made from had it. */
async function writeSurface(
  file: LgiFile,
  shape: Signal,
  place: string,
  samples: Samples,
  flags: DecodeFlags,
  signal: AbortSignal,
): Promise<number> {
  if (shape.kind !== 'shape') {
    throw new OptionError(
      'output',
      `${place} is a mesh, which shapes have; write the volume as .npy or slices`,
    );
  }
  const { origin, spacing } = await placementOf(file, signal);
  const { begin, end } = regionAsked(shape, partAsked(shape, flags));
  const corner = begin.map((at, axis) => origin[axis] + (at + shape.window.begin[axis]) * spacing[axis]);
  const steps = spacing.map((step, axis) => (step * (end[axis] - begin[axis])) / samples.shape[axis]);
  return writeMesh(place, surfaceOf(samples, { origin: corner, spacing: steps }), signal);
}

/** Of a file that says nothing, or is damaged there, voxels. */
async function placementOf(file: LgiFile, signal: AbortSignal): Promise<GridPlacement> {
  const voxels = { origin: [0, 0, 0], spacing: [1, 1, 1] };
  try {
    const bytes = await file.readMetadata(PLACEMENT_SECTION, signal);
    return bytes === null ? voxels : decodePlacement(bytes, 3);
  } catch (error) {
    if (error instanceof LgiError && error.code === 'damaged') return voxels;
    throw error;
  }
}
