import { OptionError } from '../../codec/errors.js';
import type { Rate } from '../rate.js';
import type { Media } from './media.js';
import { resampleSound } from './resample-sound.js';
import { retimeFrames } from './retime-frames.js';

/** Rates that media are converted to as they are read. */
export interface RatesAsked {
  /** Sample rate that sound is converted to, in Hz; default its own. */
  readonly rateHz?: number;
  /** Frame rate that a clip is converted to, by frames repeated or left out; default its own. */
  readonly framesPerSecond?: Rate;
}

/**
 * The media of a file with sound and frames at the rates that are asked for; on failure all are closed.
 *
 * @param path for messages.
 * @throws OptionError for a rate of what the file does not have; as {@link resampleSound} and {@link retimeFrames}.
 */
export async function convertTimes(
  path: string,
  media: readonly Media[],
  { rateHz, framesPerSecond }: RatesAsked,
  signal?: AbortSignal,
): Promise<Media[]> {
  const has = (kind: Media['kind']): boolean => media.some((each) => each.kind === kind);
  try {
    if (rateHz !== undefined && !has('audio')) {
      throw new OptionError('rateHz', `is for sound, and ${path} has none; leave it out`);
    }
    if (framesPerSecond !== undefined && !has('video')) {
      throw new OptionError('framesPerSecond', `is for video, and ${path} has none; leave it out`);
    }
    const converted: Media[] = [];
    for (const each of media) {
      if (each.kind === 'audio' && rateHz !== undefined) {
        converted.push(await resampleSound(each, rateHz, signal));
      } else if (each.kind === 'video' && framesPerSecond !== undefined) {
        converted.push(retimeFrames(each, framesPerSecond));
      } else converted.push(each);
    }
    return converted;
  } catch (error) {
    media.forEach((each) => each.close?.());
    throw error;
  }
}
