import { LgiError, OptionError } from '../../codec/errors.js';
import { boxShape } from '../../codec/grid.js';
import { audioFormatOf, writeAudio } from '../media/write-audio.js';
import type { Rate } from '../rate.js';
import type { DecodeOptions, Signal } from '../signal.js';
import { perSecond } from '../time-range.js';
import { partAsked, refuseFlags, type Decoded, type Decoding } from './decoding.js';
import type { DecodeFlags } from './decode.js';
import { counted, duration } from './figures.js';
import { PartwiseDecode, regionAsked } from './parts-of-decode.js';
import { signalOfKind } from './primary-signals.js';

/** Bytes of sound that are decoded at a time: 20 s of stereo at 48 kHz. */
const PART_BYTES = 2 ** 23;

/** Decodes the sound of a file. */
export async function decodeSound({ file, place, flags, context }: Decoding): Promise<Decoded> {
  const { signal, output } = context;
  refuseFlags(flags, 'sound', ['region', 'scale', 'size', 'fps', 'background', 'overview']);
  const sound = signalOfKind(file, 'audio');
  if (audioFormatOf(place) === undefined) {
    throw new OptionError(
      'output',
      `${place} is no place for sound; end it in .wav, .flac, .mp3, .m4a, .ogg or .opus`,
    );
  }
  const { parts, rate } = soundParts(sound, partAsked(sound, flags), flags, signal);
  const startMs = performance.now();
  const { bytes, clipped } = await writeAudio(
    place,
    { samples: floatsOf(parts), channels: sound.format.channels, rate },
    { signal },
  );
  if (clipped > 0)
    output.note(`${counted(clipped, 'value')} beyond full level ${clipped === 1 ? 'was' : 'were'} cut off`);
  const { shape, missing, partitionsDecoded, decodeSeconds } = parts;
  const channels = sound.format.channels;
  return {
    title: `${duration(shape[0] / perSecond(rate))} of ${counted(channels, 'channel')} at ${perSecond(rate)} Hz`,
    fields: { samples: shape[0], channels, rate },
    missing,
    partitionsDecoded,
    bytes,
    writeSeconds: (performance.now() - startMs) / 1000 - decodeSeconds,
  };
}

/** A sound part by part, at the rate that is asked for. */
export function soundParts(
  sound: Signal,
  part: DecodeOptions,
  { rate: asked }: Pick<DecodeFlags, 'rate'>,
  signal: AbortSignal,
): { parts: PartwiseDecode; rate: Rate } {
  const own = sound.header.rate;
  if (own === undefined) {
    throw new LgiError(
      'unavailable',
      'the sound has no rate, so it has no speed; decode it by the SDK, Signal.decode',
    );
  }
  const rate = asked ?? own;
  const [length] = boxShape(regionAsked(sound, part));
  const size = [Math.max(1, Math.round((length * perSecond(rate)) / perSecond(own)))];
  const parts = new PartwiseDecode(sound, { ...part, ...(asked && { size }), signal }, PART_BYTES);
  return { parts, rate };
}

/** The values of the parts, one after the other. */
export async function* floatsOf(parts: PartwiseDecode): AsyncGenerator<Float32Array> {
  for await (const { data, format } of parts.parts()) {
    if (!(data instanceof Float32Array)) {
      throw new LgiError('unavailable', `sound of ${format.sampleType} is not written; decode it by the SDK`);
    }
    yield data;
  }
}
