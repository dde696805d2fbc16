import { LgiError, OptionError } from '../../codec/errors.js';
import { boxShape, boxSize, type Box } from '../../codec/grid.js';
import {
  AXES,
  allocateSamples,
  fullRangeMapping,
  type ChannelLayout,
  type SampleArray,
  type SampleFormat,
  type SampleType,
  type SignalKind,
  type ValueMapping,
} from '../../codec/signal.js';
import type { Colour } from '../colour.js';
import type { GridPlacement } from '../grid-placement.js';
import type { Rate } from '../rate.js';

/** A medium whose samples can be read box by box. */
export interface Media {
  readonly kind: SignalKind;
  /** Samples per axis, in the kind's axis order: `[y, x]` for an image. */
  readonly shape: readonly number[];
  readonly channels: number;
  readonly format: SampleFormat;
  /** Absent where the file says nothing and nothing can be assumed. */
  readonly colour?: Colour;
  /** Samples per second along axis t; absent where nothing is known of time. */
  readonly rate?: Rate;
  /** Time of the first sample on axis t, in seconds; default 0. */
  readonly startSeconds?: number;
  /** Where the grid lies in units of what it was made from, such as a mesh's. */
  readonly placement?: GridPlacement;
  /** The ICC profile that came with the samples, unchanged. */
  readonly iccProfile?: Uint8Array;
  /** What a user should know of how the medium was read, such as an orientation that was applied; may be empty. */
  readonly notices?: readonly string[];
  /**
   * The samples of a box, row-major `[...box, channels]`.
   *
   * @throws OptionError when the box is empty or leaves the medium.
   */
  read(box: Box, signal?: AbortSignal): Promise<SampleArray>;
  /** Frees what the medium holds; `read` must not be called afterwards. */
  close?(): void;
}

/** What {@link memoryMedia} takes. */
export interface MemoryMediaOptions {
  /** Default `image`. */
  readonly kind?: SignalKind;
  /** Samples, row-major `[...shape, channels]`; kept by reference, not copied. A clamped array counts as uint8. */
  readonly data: SampleArray | Uint8ClampedArray;
  /** Samples per axis, in the kind's axis order. */
  readonly shape: readonly number[];
  /** Default: what is left of `data` once divided by the shape. */
  readonly channels?: number;
  /** Default: for images and video of 1 to 4 channels grey, grey-alpha, rgb, rgb-alpha; otherwise plain. */
  readonly layout?: ChannelLayout;
  /** From network outputs of -1 to 1 to sample values; default the full range of the type, of floats the outputs themselves. */
  readonly mapping?: ValueMapping;
  readonly colour?: Colour;
  /** Samples per second, for kinds with time. */
  readonly rate?: Rate;
  /** Time of the first sample in seconds, for kinds with time; default 0. */
  readonly startSeconds?: number;
  readonly placement?: GridPlacement;
  readonly iccProfile?: Uint8Array;
  readonly notices?: readonly string[];
}

const LAYOUT_CHANNELS: Readonly<Record<Exclude<ChannelLayout, 'plain'>, number>> = {
  grey: 1,
  'grey-alpha': 2,
  rgb: 3,
  'rgb-alpha': 4,
};

/** The layout that images and video of so many channels have by default; `plain` beyond four. */
export function defaultLayout(kind: SignalKind, channels: number): ChannelLayout {
  if (kind !== 'image' && kind !== 'video') return 'plain';
  return (['grey', 'grey-alpha', 'rgb', 'rgb-alpha'] as const)[channels - 1] ?? 'plain';
}

function sampleTypeOf(data: SampleArray): SampleType {
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Uint16Array) return 'uint16';
  if (data instanceof Float32Array) return 'float32';
  throw new LgiError(
    'media',
    'samples must be a Uint8Array, Uint16Array or Float32Array; convert them first',
  );
}

/**
 * Samples in memory as a medium.
 *
 * @throws LgiError `media` when the array's type, length or layout does not fit, the shape holds no sample, or a
 * float sample is not finite.
 * @throws OptionError for a kind that there is not.
 */
export function memoryMedia(options: MemoryMediaOptions): Media {
  const {
    kind = 'image',
    shape,
    colour,
    rate,
    startSeconds,
    iccProfile,
    placement,
    mapping,
    notices,
  } = options;
  const data =
    options.data instanceof Uint8ClampedArray
      ? new Uint8Array(options.data.buffer, options.data.byteOffset, options.data.length)
      : options.data;
  const sampleType = sampleTypeOf(data);
  if (!Object.hasOwn(AXES, kind)) {
    throw new OptionError(
      'kind',
      `'${String(kind)}' is no kind; give one of ${Object.keys(AXES).join(', ')}`,
    );
  }
  if (shape.length !== AXES[kind].length) {
    throw new LgiError(
      'media',
      `${kind} has the axes ${AXES[kind].join(', ')} but the shape has ${shape.length} numbers; give ${AXES[kind].length}`,
    );
  }
  if (shape.some((length) => !Number.isSafeInteger(length) || length < 1)) {
    throw new LgiError(
      'media',
      `shape ${shape.join('x')} holds no sample; every axis needs a whole number from 1`,
    );
  }
  const positions = shape.reduce((product, length) => product * length, 1);
  const channels = options.channels ?? data.length / positions;
  if (!Number.isInteger(channels) || channels < 1 || data.length !== positions * channels) {
    throw new LgiError(
      'media',
      `${data.length} samples given for shape ${shape.join('x')}` +
        (options.channels === undefined
          ? ''
          : ` and ${channels} channels, which need ${positions * channels}`) +
        '; the array is row-major with channels last',
    );
  }
  const layout = options.layout ?? defaultLayout(kind, channels);
  if (layout !== 'plain' && LAYOUT_CHANNELS[layout] !== channels) {
    throw new LgiError(
      'media',
      `layout ${layout} has ${LAYOUT_CHANNELS[layout]} channels, the samples have ${channels}; use 'plain' or fix one`,
    );
  }
  if (data instanceof Float32Array) {
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new LgiError(
        'media',
        `sample ${bad} is ${data[bad]}; replace values that are not finite before encoding`,
      );
    }
  }
  const format: SampleFormat = {
    sampleType,
    channels,
    layout,
    mapping: mapping ?? fullRangeMapping(sampleType),
  };
  let held: SampleArray | null = data;
  return {
    kind,
    shape: [...shape],
    channels,
    format,
    ...(colour && { colour }),
    ...(rate && { rate }),
    ...(startSeconds !== undefined && { startSeconds }),
    ...(placement && { placement }),
    ...(iccProfile && { iccProfile }),
    ...(notices?.length && { notices }),
    async read(box, signal) {
      signal?.throwIfAborted();
      if (held === null) throw new LgiError('media', 'the medium is closed; open it again to read');
      return copyBox(held, shape, channels, sampleType, box);
    },
    close() {
      held = null;
    },
  };
}

/**
 * Refuses a box that cannot be read.
 *
 * @throws OptionError when it is empty or leaves the medium.
 */
export function checkBox(box: Box, shape: readonly number[]): void {
  const fits =
    box.begin.length === shape.length &&
    box.end.length === shape.length &&
    shape.every((length, axis) => {
      const [begin, end] = [box.begin[axis], box.end[axis]];
      return Number.isInteger(begin) && Number.isInteger(end) && begin >= 0 && begin < end && end <= length;
    });
  if (!fits) {
    throw new OptionError(
      'box',
      `[${box.begin.join(',')}) to [${box.end.join(',')}) is empty or leaves the medium of ${shape.join('x')} samples`,
    );
  }
}

/** Copies a box out of row-major samples. */
function copyBox(
  data: SampleArray,
  shape: readonly number[],
  channels: number,
  sampleType: SampleType,
  box: Box,
): SampleArray {
  checkBox(box, shape);
  const lengths = boxShape(box);
  const last = shape.length - 1;
  const run = lengths[last] * channels;
  const runs = boxSize(box) / lengths[last];
  const target = allocateSamples(sampleType, runs * run);
  const at = [...box.begin];
  for (let row = 0; row < runs; row++) {
    const offset = at.reduce((sum, position, axis) => sum * shape[axis] + position, 0) * channels;
    target.set(data.subarray(offset, offset + run), row * run);
    for (let axis = last - 1; axis >= 0 && ++at[axis] === box.end[axis]; axis--) at[axis] = box.begin[axis];
  }
  return target;
}
