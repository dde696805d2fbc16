import { LgiError } from '../codec/errors.js';
import type { Box } from '../codec/grid.js';
import { peakOf, type SampleArray, type SampleFormat, type SignalKind } from '../codec/signal.js';
import type { Colour } from './colour.js';
import { colourText, isSameColour } from './same-colour.js';
import { isSameRate, rateText } from './same-rate.js';
import type { SignalHeader } from './container/header.js';
import type { Media } from './media/media.js';

/** What is let through though it differs. */
export interface AllowedDifferences {
  /** Colour of other primaries, curve or ICC profile. */
  readonly ignoreColour?: boolean;
}

/**
 * A medium in the sample format of a signal that it is added to: grey as RGB, opaque where alpha is missing, 8 bits at the
 * full range of 16; what would lose something is refused.
 *
 * @throws LgiError `media` for another kind, rate, format, colour space or range.
 */
export function matchingMedia(
  media: Media,
  signal: SignalHeader,
  { ignoreColour = false }: AllowedDifferences = {},
): Media {
  if (media.kind !== signal.kind) {
    throw new LgiError(
      'media',
      `the file holds ${signal.kind}, what is appended is ${media.kind}; append the same`,
    );
  }
  refuseOtherRate(media, signal);
  if (!ignoreColour) refuseOtherColour(media.colour, signal.colour);
  const convert = converter(media.kind, media.format, signal.format);
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

/** A medium without a rate is taken to go on as the file does. */
function refuseOtherRate({ kind, rate }: Media, file: SignalHeader): void {
  if (rate === undefined || file.rate === undefined || isSameRate(rate, file.rate)) return;
  const [own, others] = [rateText(file.rate), rateText(rate)];
  throw new LgiError(
    'media',
    kind === 'audio'
      ? `the file's sound has ${own} Hz, what is appended ${others} Hz; convert it by \`rateHz\` ${own}`
      : `the file has ${own} frames a second, what is appended ${others}; convert it by \`framesPerSecond\` ${own}`,
  );
}

function refuseOtherColour(media: Colour | undefined, file: Colour | undefined): void {
  // A picture that says nothing is taken for what the file is; most say nothing.
  if (media === undefined || file === undefined || isSameColour(media, file)) return;
  throw new LgiError(
    'media',
    `the file's colours are ${colourText(file)}, those of what is appended ${colourText(media)}; ` +
      "convert it to the file's colour space first, or take its numbers as they are by `ignoreColour`",
  );
}

type Converter = (samples: SampleArray) => SampleArray;

function converter(kind: SignalKind, from: SampleFormat, to: SampleFormat): Converter {
  const describe = ({ layout, channels, sampleType }: SampleFormat): string =>
    `${layout}${layout === 'plain' ? ` of ${channels} channels` : ''}, ${sampleType}`;
  const places = channelPlaces(from, to);
  // Of pictures a value is a part of the full range; of volumes it is the value itself.
  const isWider =
    kind !== 'volume' && kind !== 'shape' && from.sampleType === 'uint8' && to.sampleType === 'uint16';
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
