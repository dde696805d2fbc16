import { LgiError } from '../codec/errors.js';
import type { Box } from '../codec/grid.js';
import { peakOf, type SampleArray, type SampleFormat } from '../codec/signal.js';
import type { Colour } from './colour.js';
import type { SignalHeader } from './container/header.js';
import type { Media } from './media/media.js';

/**
 * A medium in the sample format of a signal that it is added to: grey as RGB, opaque where alpha is missing, 8 bits at the
 * full range of 16; what would lose something is refused.
 *
 * @throws LgiError `media` for another kind, format, colour space or range.
 */
export function matchingMedia(media: Media, signal: SignalHeader): Media {
  if (media.kind !== signal.kind) {
    throw new LgiError(
      'media',
      `the file holds ${signal.kind}, what is appended is ${media.kind}; append the same`,
    );
  }
  refuseOtherColour(media.colour, signal.colour);
  const convert = converter(media.format, signal.format);
  const { format } = signal;
  return {
    kind: media.kind,
    shape: media.shape,
    channels: format.channels,
    format,
    ...(media.notices && { notices: media.notices }),
    read: async (box: Box, abort?: AbortSignal) => convert(await media.read(box, abort)),
  };
}

function refuseOtherColour(media: Colour | undefined, file: Colour | undefined): void {
  // A picture that says nothing is taken for what the file is; most say nothing.
  if (media === undefined || file === undefined) return;
  for (const [name, a, b] of [
    ['primaries', media.primaries, file.primaries],
    ['transfer', media.transfer, file.transfer],
  ] as const) {
    if (a === b) continue;
    throw new LgiError(
      'media',
      `the file's colour ${name} are ${b} (ITU-T H.273), what is appended has ${a}; convert it to the file's colour space first`,
    );
  }
}

type Converter = (samples: SampleArray) => SampleArray;

function converter(from: SampleFormat, to: SampleFormat): Converter {
  const describe = ({ layout, channels, sampleType }: SampleFormat): string =>
    `${layout}${layout === 'plain' ? ` of ${channels} channels` : ''}, ${sampleType}`;
  const places = channelPlaces(from, to);
  const isWider = from.sampleType === 'uint8' && to.sampleType === 'uint16';
  if (places === null || (from.sampleType !== to.sampleType && !isWider)) {
    throw new LgiError(
      'media',
      `the file holds ${describe(to)}; what is appended is ${describe(from)}, which has no exact form there; convert it first`,
    );
  }
  if (places.length === from.channels && places.every((place, i) => place === i) && !isWider)
    return (samples) => samples;
  const factor = isWider ? 257 : 1;
  const opaque = peakOf(to.sampleType);
  return (samples) => {
    const count = samples.length / from.channels;
    const length = count * places.length;
    const result =
      to.sampleType === 'uint8'
        ? new Uint8Array(length)
        : to.sampleType === 'uint16'
          ? new Uint16Array(length)
          : new Float32Array(length);
    for (let i = 0; i < count; i++) {
      places.forEach((place, channel) => {
        result[i * places.length + channel] =
          place < 0 ? opaque : samples[i * from.channels + place] * factor;
      });
    }
    return result;
  };
}

/** For each channel of `to` the channel of `from` that it comes from, -1 for opaque alpha; null where something is lost. */
function channelPlaces(from: SampleFormat, to: SampleFormat): number[] | null {
  if (from.layout === 'plain' || to.layout === 'plain') {
    return from.layout === to.layout && from.channels === to.channels
      ? Array.from({ length: to.channels }, (_, i) => i)
      : null;
  }
  const isGrey = from.layout.startsWith('grey');
  const hasAlpha = from.layout.endsWith('-alpha');
  const needsAlpha = to.layout.endsWith('-alpha');
  if ((hasAlpha && !needsAlpha) || (!isGrey && to.layout.startsWith('grey'))) return null;
  const colours = to.layout.startsWith('grey') ? [0] : isGrey ? [0, 0, 0] : [0, 1, 2];
  return needsAlpha ? [...colours, hasAlpha ? from.channels - 1 : -1] : colours;
}
