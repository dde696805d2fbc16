import { OptionError } from '../../codec/errors.js';
import type { Box } from '../../codec/grid.js';
import { allocateSamples, alphaChannel, peakOf, type SampleFormat } from '../../codec/signal.js';
import type { Picture } from './image-format.js';

/** Red, green and blue, each in [0, 1] of the samples' full range. */
export type BackgroundColour = readonly [number, number, number];

/** A decoded picture, and where it has nothing. */
export interface PictureWithHoles extends Pick<Picture, 'data' | 'shape' | 'channels'> {
  readonly format: Pick<SampleFormat, 'sampleType' | 'layout'>;
  /** Boxes `[y, x]` of samples that are zero because their partitions are missing. */
  readonly holes: readonly Box[];
}

/**
 * Makes holes visible as what they are: transparent, for which grey and RGB get an alpha channel, or of a background
 * colour, in a picture without alpha.
 *
 * With a background, what is transparent in the picture itself is composited over it as well, in the samples' own
 * (gamma) values as viewers do. Without holes or background the picture stays as it is.
 *
 * @throws OptionError `background` for a colour that is no grey, when the picture is grey.
 */
export function fillHoles(picture: PictureWithHoles, background?: BackgroundColour): Picture {
  if (background !== undefined) return overBackground(picture, background);
  const { data, shape, channels, format, holes } = picture;
  const { sampleType, layout } = format;
  const asIs = { data, shape, channels, layout, sampleType };
  if (holes.length === 0 || alphaChannel({ layout, channels }) >= 0) return asIs;
  if (channels !== 1 && channels !== 3) return asIs;
  const opaque = peakOf(sampleType);
  const target = allocateSamples(sampleType, (data.length / channels) * (channels + 1));
  for (let from = 0, to = 0; from < data.length; from += channels, to += channels + 1) {
    for (let c = 0; c < channels; c++) target[to + c] = data[from + c];
    target[to + channels] = opaque;
  }
  forEachSample(holes, shape[1], (sample) => (target[sample * (channels + 1) + channels] = 0));
  const withAlpha = channels === 1 ? 'grey-alpha' : 'rgb-alpha';
  return { data: target, shape, channels: channels + 1, layout: withAlpha, sampleType };
}

function overBackground(picture: PictureWithHoles, background: BackgroundColour): Picture {
  const { data, shape, channels, format, holes } = picture;
  const { sampleType, layout } = format;
  const alpha = alphaChannel({ layout, channels });
  const colours = alpha < 0 ? channels : channels - 1;
  const [red, green, blue] = background;
  if (colours < 3 && (red !== green || green !== blue)) {
    throw new OptionError('background', "is no grey, and the picture is grey; give one such as '#808080'");
  }
  const peak = peakOf(sampleType);
  const fill = background.map((value) => Math.round(value * peak));
  const target = allocateSamples(sampleType, (data.length / channels) * colours);
  for (let from = 0, to = 0; from < data.length; from += channels, to += colours) {
    const opacity = alpha < 0 ? 1 : data[from + alpha] / peak;
    for (let c = 0; c < colours; c++) {
      const value = data[from + c] * opacity + fill[c % 3] * (1 - opacity);
      target[to + c] = sampleType === 'float32' ? value : Math.round(value);
    }
  }
  forEachSample(holes, shape[1], (sample) => {
    for (let c = 0; c < colours; c++) target[sample * colours + c] = fill[c % 3];
  });
  const opaqueLayout = layout === 'grey-alpha' ? 'grey' : layout === 'rgb-alpha' ? 'rgb' : layout;
  return { data: target, shape, channels: colours, layout: opaqueLayout, sampleType };
}

function forEachSample(boxes: readonly Box[], width: number, visit: (sample: number) => void): void {
  for (const { begin, end } of boxes) {
    for (let y = begin[0]; y < end[0]; y++) {
      for (let x = begin[1]; x < end[1]; x++) visit(y * width + x);
    }
  }
}
