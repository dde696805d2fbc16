import type { SoftwareResampleContext } from 'node-av/lib';
import { LgiError, OptionError } from '../../codec/errors.js';
import { isSameRate } from '../same-rate.js';
import { checkBox, type Media } from './media.js';
import { loadNodeAv, type NodeAv } from './node-av.js';
import { SoundStore } from './sound-store.js';

/** Samples that go through FFmpeg at a time: large enough that calls cost nothing, small beside the sound. */
const BLOCK_SAMPLES = 2 ** 16;

/** Highest rate that sound is converted to, in Hz: what recorders have at most is 768,000. */
const MAX_RATE_HZ = 768_000;

const BYTES_PER_SAMPLE = 4;

/**
 * A sound at another sample rate, by FFmpeg's resampler; the same medium where it has that rate already. The new sound is held in
 * memory as floats and lasts as long as the old one, to half a sample; the old one is closed.
 *
 * @param rateHz a whole number from 1 to 768,000.
 * @throws OptionError `rateHz` where it is out of range; LgiError `media` for a medium that is not a sound or has no rate; `limit`
 * for more samples than memory should hold; `unavailable` without node-av.
 * @throws the signal's reason on abort.
 */
export async function resampleSound(media: Media, rateHz: number, signal?: AbortSignal): Promise<Media> {
  if (!Number.isInteger(rateHz) || rateHz < 1 || rateHz > MAX_RATE_HZ) {
    throw new OptionError('rateHz', `${rateHz} must be a whole number of Hz from 1 to ${MAX_RATE_HZ}`);
  }
  const { kind, rate, channels } = media;
  if (kind !== 'audio' || rate === undefined) {
    throw new LgiError(
      'media',
      kind === 'audio'
        ? `the sound has no sample rate, so it cannot be converted to ${rateHz} Hz; leave out \`rateHz\``
        : `the medium is ${kind}, which has no sample rate; leave out \`rateHz\``,
    );
  }
  const target = { numerator: rateHz, denominator: 1 };
  if (isSameRate(rate, target)) return media;
  if (rate.denominator !== 1 || rate.numerator > MAX_RATE_HZ) {
    throw new LgiError(
      'media',
      `its rate of ${rate.numerator}/${rate.denominator} Hz cannot be converted; whole rates to ${MAX_RATE_HZ} Hz can`,
    );
  }
  const count = media.shape[0];
  const length = Math.max(1, Math.round((count * rateHz) / rate.numerator));
  const av = await loadNodeAv();
  const sound = new SoundStore('the resampled sound', 'float32');
  // A resampler for each channel, so that no layout of channels is too odd for it.
  const resamplers: SoftwareResampleContext[] = [];
  try {
    for (let channel = 0; channel < channels; channel++) {
      resamplers.push(resamplerOf(av, rate.numerator, rateHz));
    }
    for (let begin = 0; begin < count; begin += BLOCK_SAMPLES) {
      signal?.throwIfAborted();
      const end = Math.min(count, begin + BLOCK_SAMPLES);
      const values = await media.read({ begin: [begin], end: [end] }, signal);
      const planes = resamplers.map((resampler, channel) => {
        const plane = new Float32Array(end - begin);
        for (let i = 0; i < plane.length; i++) plane[i] = values[i * channels + channel];
        return convert(av, resampler, plane);
      });
      appendPlanes(sound, planes, length);
    }
    appendPlanes(
      sound,
      resamplers.map((resampler) => convert(av, resampler, null)),
      length,
    );
  } finally {
    resamplers.forEach((resampler) => resampler.free());
  }
  // Rounding leaves the end a sample or two short.
  sound.append(length * channels - sound.length, () => 0);
  media.close?.();
  let held: SoundStore | null = sound;
  return {
    kind,
    shape: [length],
    channels,
    format: media.format,
    rate: target,
    ...(media.startSeconds !== undefined && { startSeconds: media.startSeconds }),
    notices: [...(media.notices ?? []), `its sound was converted from ${rate.numerator} to ${rateHz} Hz`],
    async read(box, abort) {
      abort?.throwIfAborted();
      if (held === null) throw new LgiError('media', 'the medium is closed; open it again to read');
      checkBox(box, [length]);
      return Promise.resolve(held.read(box.begin[0] * channels, box.end[0] * channels));
    },
    close() {
      held = null;
    },
  };
}

function resamplerOf({ lib, constants }: NodeAv, fromHz: number, toHz: number): SoftwareResampleContext {
  const resampler = new lib.SoftwareResampleContext();
  const mono = { order: constants.AV_CHANNEL_ORDER_NATIVE, nbChannels: 1, mask: 4n };
  const format = constants.AV_SAMPLE_FMT_FLT;
  const made = resampler.allocSetOpts2(mono, format, toHz, mono, format, fromHz);
  const code = made < 0 ? made : resampler.init();
  if (code >= 0) return resampler;
  resampler.free();
  throw new LgiError(
    'media',
    `FFmpeg cannot convert sound from ${fromHz} to ${toHz} Hz: ${lib.FFmpegError.strerror(code)}; give another rate`,
  );
}

/** What comes out for a block of samples; of null what the resampler has kept. */
function convert(
  { lib }: NodeAv,
  resampler: SoftwareResampleContext,
  plane: Float32Array<ArrayBuffer> | null,
): Float32Array {
  const count = plane?.length ?? 0;
  const room = resampler.getOutSamples(count);
  const output = Buffer.alloc(Math.max(1, room) * BYTES_PER_SAMPLE);
  const input = plane && [Buffer.from(plane.buffer)];
  const made = resampler.convertSync([output], Math.max(1, room), input, count);
  if (made < 0) {
    throw new LgiError('media', `FFmpeg cannot resample the sound: ${lib.FFmpegError.strerror(made)}`);
  }
  return Float32Array.from({ length: made }, (_, i) => output.readFloatLE(i * BYTES_PER_SAMPLE));
}

/** Interleaves what all channels have, up to the new sound's length. */
function appendPlanes(sound: SoundStore, planes: readonly Float32Array[], length: number): void {
  const channels = planes.length;
  const count = Math.min(planes[0].length, length - sound.length / channels);
  sound.append(count * channels, (i) => planes[i % channels][Math.floor(i / channels)]);
}
