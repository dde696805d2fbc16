import { LgiError, OptionError } from '../../codec/errors.js';
import type { ChannelLayout, SampleArray, SampleType } from '../../codec/signal.js';
import type { Colour } from '../colour.js';

/** Formats that pictures are written in. */
export type ImageFormat = 'png' | 'jpeg' | 'webp';

/** A picture to be written. */
export interface Picture {
  /** Samples, row-major `[height, width, channels]`. */
  readonly data: SampleArray;
  /** `[height, width]`. */
  readonly shape: readonly number[];
  readonly channels: number;
  readonly layout: ChannelLayout;
  readonly sampleType: SampleType;
  readonly colour?: Colour;
  readonly iccProfile?: Uint8Array;
}

/** The channel layouts that files have a form for. */
export type FileLayout = Exclude<ChannelLayout, 'plain'>;

const EXTENSIONS: Readonly<Record<string, ImageFormat | undefined>> = {
  png: 'png',
  jpg: 'jpeg',
  jpeg: 'jpeg',
  webp: 'webp',
};

interface Capability {
  readonly name: string;
  readonly sampleTypes: readonly SampleType[];
  readonly layouts: readonly FileLayout[];
  /** Largest width or height. */
  readonly sidePx: number;
}

const CAPABILITIES: Readonly<Record<ImageFormat, Capability>> = {
  png: {
    name: 'PNG',
    sampleTypes: ['uint8', 'uint16'],
    layouts: ['grey', 'grey-alpha', 'rgb', 'rgb-alpha'],
    sidePx: 2 ** 31 - 1,
  },
  // FFmpeg's encoder stops at 65500, a little below what the format's 16 bits could say.
  jpeg: { name: 'JPEG', sampleTypes: ['uint8'], layouts: ['grey', 'rgb'], sidePx: 65500 },
  webp: {
    name: 'WebP',
    sampleTypes: ['uint8'],
    layouts: ['grey', 'grey-alpha', 'rgb', 'rgb-alpha'],
    sidePx: 16383,
  },
};

/**
 * The format that a file name's extension asks for.
 *
 * @throws OptionError `output` for any extension but .png, .jpg, .jpeg and .webp.
 */
export function imageFormatOf(path: string): ImageFormat {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1] ?? '';
  const format = EXTENSIONS[extension.toLowerCase()];
  if (format && Object.hasOwn(EXTENSIONS, extension.toLowerCase())) return format;
  const known = Object.keys(EXTENSIONS).map((name) => `.${name}`);
  const found = extension === '' ? 'has no extension' : `ends in .${extension}`;
  throw new OptionError('output', `${path} ${found}; pictures are written as ${known.join(', ')}`);
}

/** What a picture's channels are in a file: plain single and triple channels count as grey and RGB. */
function fileLayout({ layout, channels }: Picture): FileLayout {
  if (layout !== 'plain') return layout;
  if (channels === 1) return 'grey';
  if (channels === 3) return 'rgb';
  throw new LgiError(
    'media',
    `${channels} channels without a colour meaning have no form in a picture file; picture files take 1 to 4 channels ` +
      'of grey or RGB with or without alpha',
  );
}

/**
 * Refuses what a format cannot hold exactly as it is.
 *
 * @returns the layout that the file gets.
 * @throws OptionError `output` naming what the format holds; LgiError `media` for what no picture file holds.
 */
export function checkPicture(format: ImageFormat, picture: Picture): FileLayout {
  const { name, sampleTypes, layouts, sidePx } = CAPABILITIES[format];
  const { sampleType, shape, channels, data } = picture;
  const [height, width] = shape;
  if (shape.length !== 2 || data.length !== height * width * channels) {
    throw new LgiError(
      'media',
      `${data.length} samples given for a picture of shape ${shape.join('x')} and ${channels} channels; ` +
        'give height x width x channels of them',
    );
  }
  if (sampleType === 'float32') {
    throw new LgiError(
      'media',
      'float samples have no exact form in a picture file; map them to uint8 or uint16 first',
    );
  }
  const layout = fileLayout(picture);
  if (!sampleTypes.includes(sampleType) || !layouts.includes(layout)) {
    throw new OptionError(
      'output',
      `${name} holds ${sampleTypes.join(' or ')} samples of ${layouts.join(' or ')}, the picture is ${sampleType} ` +
        `${layout}; write it as .png`,
    );
  }
  if (Math.max(width, height) > sidePx) {
    throw new OptionError(
      'output',
      `${name} is at most ${sidePx} px on a side, the picture is ${width}x${height}; write it as .png`,
    );
  }
  return layout;
}
