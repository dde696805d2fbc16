import { boxShape, type Box } from '../../codec/grid.js';
import { fullRangeMapping } from '../../codec/signal.js';
import { perSecond, windowStart, type Timing } from '../time-range.js';
import { checkBox, type Media } from './media.js';

/** A signal of a file, and what is appended to it. */
export interface GrowingSignal<M> {
  readonly timing: Timing;
  /** The visible window before. */
  readonly window: Box;
  readonly media: M;
}

/**
 * The sound that goes with a clip's pictures: where sound and pictures of a file end at other times, or those of the clip begin at
 * other times, it is cut, or silence put in, so that everything is heard with its picture.
 *
 * @param sound of the clip; undefined for silence, of the file's channels.
 */
export function soundBeside(
  pictures: GrowingSignal<Media>,
  sound: GrowingSignal<Media | undefined>,
  side: 'after' | 'before',
  channelsOfFile: number,
): Media {
  const framesPerSecond = pictures.timing.rate === undefined ? 1 : perSecond(pictures.timing.rate);
  const samplesPerSecond = sound.timing.rate === undefined ? 1 : perSecond(sound.timing.rate);
  const length = pictures.media.shape[0] / framesPerSecond;
  const lead = (sound.media?.startSeconds ?? 0) - (pictures.media.startSeconds ?? 0);
  const picturesBegin = windowStart(pictures.timing, pictures.window);
  const soundBegin = windowStart(sound.timing, sound.window);
  const picturesEnd = picturesBegin + boxShape(pictures.window)[0] / framesPerSecond;
  const soundEnd = soundBegin + boxShape(sound.window)[0] / samplesPerSecond;
  // The span to fill, in seconds from the new pictures' begin.
  const [from, to] =
    side === 'after' ? [soundEnd - picturesEnd, length] : [0, soundBegin - (picturesBegin - length)];
  const samples = Math.max(1, Math.round((to - from) * samplesPerSecond));
  const offset = Math.round((from - lead) * samplesPerSecond);
  const channels = sound.media?.channels ?? channelsOfFile;
  return {
    kind: 'audio',
    shape: [samples],
    channels,
    format: sound.media?.format ?? {
      sampleType: 'float32',
      channels,
      layout: 'plain',
      mapping: fullRangeMapping('float32'),
    },
    ...(sound.timing.rate && { rate: sound.media?.rate ?? sound.timing.rate }),
    async read(box, signal) {
      checkBox(box, [samples]);
      const target = new Float32Array(boxShape(box)[0] * channels);
      const there = sound.media?.shape[0] ?? 0;
      const begin = Math.max(0, box.begin[0] + offset);
      const end = Math.min(there, box.end[0] + offset);
      if (sound.media !== undefined && begin < end) {
        const values = (await sound.media.read({ begin: [begin], end: [end] }, signal)) as Float32Array;
        target.set(values, (begin - offset - box.begin[0]) * channels);
      }
      return target;
    },
  };
}
