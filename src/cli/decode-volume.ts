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
  const bytes = await writeVolume(place, samples, signal);
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
