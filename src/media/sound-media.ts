import { LgiError } from '../../codec/errors.js';
import { fullRangeMapping, type ValueMapping } from '../../codec/signal.js';
import { mediaFault } from './image-limits.js';
import { checkBox, type Media } from './media.js';
import type { SoundStore } from './sound-store.js';

/** A medium of the samples in a store, interleaved; `startSeconds` of less than a sample is rounding. */
export function soundMedia(
  sound: SoundStore,
  channels: number,
  rateHz: number,
  startSeconds: number,
  notices: readonly string[],
): Media {
  const length = sound.length / channels;
  let held: SoundStore | null = sound;
  return {
    kind: 'audio',
    shape: [length],
    channels,
    format: { sampleType: 'float32', channels, layout: 'plain', mapping: mappingOf(sound) },
    rate: { numerator: rateHz, denominator: 1 },
    ...(Math.abs(startSeconds) * rateHz >= 1 && { startSeconds }),
    ...(notices.length > 0 && { notices }),
    async read(box, abort) {
      abort?.throwIfAborted();
      if (held === null) throw new LgiError('media', 'the medium is closed; open it again to read');
      checkBox(box, [length]);
      return held.read(box.begin[0] * channels, box.end[0] * channels);
    },
    close() {
      held = null;
    },
  };
}

/** Loudest sample up to which outputs are samples: networks still learn so much beyond full scale. */
const LOUDEST_PLAIN = 4;

/** How outputs become samples: as they are, but of floats far beyond full scale, which no network would come to. */
function mappingOf({ loudest }: SoundStore): ValueMapping {
  return loudest <= LOUDEST_PLAIN ? fullRangeMapping('float32') : { scale: loudest, offset: 0 };
}

/** Largest magnitude of a sample: a 256th of what float32 holds, so that what networks make of it, which may exceed it, is finite too. */
const MAX_MAGNITUDE = 2 ** 120;

/** Refuses a value that networks cannot learn, with where it is. */
export function checkSample(name: string, value: number, frame: number, rateHz: number): number {
  if (Math.abs(value) <= MAX_MAGNITUDE) return value;
  const where = `sample ${frame} (${(frame / rateHz).toFixed(3)} s) is ${value}`;
  if (!Number.isFinite(value)) {
    throw mediaFault(name, where, 'replace values that are not finite before encoding');
  }
  throw mediaFault(
    name,
    `${where}, the limit is ${MAX_MAGNITUDE.toExponential(2)} either way`,
    'scale the sound down; full scale is 1',
  );
}
