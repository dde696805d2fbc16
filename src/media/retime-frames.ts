import { LgiError, OptionError } from '../../codec/errors.js';
import { allocateSamples } from '../../codec/signal.js';
import { boxSize } from '../../codec/grid.js';
import type { Rate } from '../rate.js';
import { isSameRate, rateText } from '../same-rate.js';
import { perSecond } from '../time-range.js';
import { checkBox, type Media } from './media.js';
import { MAX_FRAMES } from './frame-times.js';

/** Part of a frame that products of rates may be short by. */
const ROUNDING = 1e-6;

/**
 * A clip at another frame rate: every position shows the last frame that has begun, so that frames are repeated or left out and
 * none is blended; the same medium where it has that rate already.
 *
 * @throws OptionError `framesPerSecond` for more frames than a clip may have; LgiError `media` for a medium that is not a clip, or
 * has no rate.
 */
export function retimeFrames(media: Media, framesPerSecond: Rate): Media {
  const { kind, rate, shape } = media;
  if (kind !== 'video' || rate === undefined) {
    throw new LgiError(
      'media',
      `the medium is ${kind}${kind === 'video' ? ' without a frame rate' : ', which has no frame rate'}; leave out \`framesPerSecond\``,
    );
  }
  if (isSameRate(rate, framesPerSecond)) return media;
  const [from, to] = [perSecond(rate), perSecond(framesPerSecond)];
  if (!(to > 0)) throw new OptionError('framesPerSecond', `${rateText(framesPerSecond)} must be above 0`);
  const ratio = from / to;
  const count = Math.max(1, Math.round(shape[0] / ratio));
  if (count > MAX_FRAMES) {
    throw new OptionError(
      'framesPerSecond',
      `${rateText(framesPerSecond)} would make ${count} frames of ${shape[0]}, the limit is ${MAX_FRAMES}; give a lower rate`,
    );
  }
  const frameOf = (position: number): number =>
    Math.min(shape[0] - 1, Math.floor(position * ratio + ROUNDING));
  const newShape = [count, ...shape.slice(1)];
  const { close } = media;
  return {
    ...media,
    shape: newShape,
    rate: framesPerSecond,
    notices: [
      ...(media.notices ?? []),
      `its frames were converted from ${rateText(rate)} to ${rateText(framesPerSecond)} a second: ${shape[0]} became ${count}`,
    ],
    async read(box, signal) {
      checkBox(box, newShape);
      const target = allocateSamples(media.format.sampleType, boxSize(box) * media.channels);
      const [first, last] = [box.begin[0], box.end[0]];
      const perFrame = target.length / (last - first);
      let position = first;
      while (position < last) {
        const frame = frameOf(position);
        const samples = await media.read(
          { begin: [frame, ...box.begin.slice(1)], end: [frame + 1, ...box.end.slice(1)] },
          signal,
        );
        for (; position < last && frameOf(position) === frame; position++) {
          target.set(samples, (position - first) * perFrame);
        }
      }
      return target;
    },
    ...(close && { close: () => close.call(media) }),
  };
}
