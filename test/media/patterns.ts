import {
  allocateSamples,
  type ChannelLayout,
  type SampleArray,
  type SampleType,
} from '../../codec/signal.js';
import { hash } from './value-noise.js';

/** A picture made by code; fits `writeImage`, `encodeImage` and `memoryMedia`. */
export interface RenderedPicture {
  readonly data: SampleArray;
  /** `[height, width]`. */
  readonly shape: readonly [number, number];
  readonly channels: number;
  readonly layout: Exclude<ChannelLayout, 'plain'>;
  readonly sampleType: SampleType;
}

/** Red, green, blue and alpha, each in [0, 1], of the pixel in column `x` and row `y`. */
export type Pattern = (
  x: number,
  y: number,
  width: number,
  height: number,
) => readonly [number, number, number, number];

/** How a pattern becomes samples. */
export interface RenderOptions {
  readonly width: number;
  readonly height: number;
  readonly layout?: RenderedPicture['layout'];
  readonly sampleType?: SampleType;
}

const PEAKS: Readonly<Record<SampleType, number>> = { uint8: 255, uint16: 65535, float32: 1 };
const CHANNELS: Readonly<Record<RenderedPicture['layout'], number>> = {
  grey: 1,
  'grey-alpha': 2,
  rgb: 3,
  'rgb-alpha': 4,
};

/** BT.601 luma. */
function luma(r: number, g: number, b: number): number {
  return 0.299 * r + 0.587 * g + 0.114 * b;
}

/** Evaluates a pattern at every pixel; the default is 8-bit RGB. */
export function render(pattern: Pattern, options: RenderOptions): RenderedPicture {
  const { width, height, layout = 'rgb', sampleType = 'uint8' } = options;
  const channels = CHANNELS[layout];
  const data = allocateSamples(sampleType, width * height * channels);
  const store = (at: number, value: number) => {
    const scaled = Math.min(1, Math.max(0, value)) * PEAKS[sampleType];
    data[at] = sampleType === 'float32' ? scaled : Math.round(scaled);
  };
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) {
      const [r, g, b, a] = pattern(x, y, width, height);
      if (channels < 3) store(at, luma(r, g, b));
      else [r, g, b].forEach((value, c) => store(at + c, value));
      if (channels === 2 || channels === 4) store(at + channels - 1, a);
    }
  }
  return { data, shape: [height, width], channels, layout, sampleType };
}

/** Colours in [0, 1], `f32 [height, width, 3]`, as an 8-bit picture. */
export function renderColours(
  colours: Float32Array,
  width: number,
  height: number,
  layout: 'rgb' | 'grey',
): RenderedPicture {
  const colourAt: Pattern = (x, y) => {
    const at = (y * width + x) * 3;
    return [colours[at], colours[at + 1], colours[at + 2], 1];
  };
  return render(colourAt, { width, height, layout });
}

/** Smooth: each channel rises along another direction, alpha along the diagonal. */
export const gradient: Pattern = (x, y, width, height) => {
  const [u, v] = [(x + 0.5) / width, (y + 0.5) / height];
  return [u, v, (u + 1 - v) / 2, (u + v) / 2];
};

/** Hard edges at every `cell` pixels. */
export function checker(cell: number): Pattern {
  return (x, y) => {
    const on = (Math.floor(x / cell) + Math.floor(y / cell)) % 2;
    return [on, on * 0.75, 1 - on, 1 - on / 2];
  };
}

/** Independent noise in every sample, at full depth; what a codec can do least about. */
export function noise(seed: number): Pattern {
  return (x, y) => [
    hash(x, y, 4 * seed),
    hash(x, y, 4 * seed + 1),
    hash(x, y, 4 * seed + 2),
    hash(x, y, 4 * seed + 3),
  ];
}

/** Dark strokes on light ground in lines like those of print: the edges that ringing shows at. */
export function text(seed: number): Pattern {
  const [advance, leading] = [8, 13];
  return (x, y) => {
    const [column, line] = [Math.floor(x / advance), Math.floor(y / leading)];
    const [dx, dy] = [x % advance, y % leading];
    const inside = dx >= 1 && dx <= 5 && dy >= 2 && dy <= 9 && hash(column, line, seed) > 0.15;
    // Seven-segment strokes, each there or not by the letter's own number.
    const segment = dy <= 3 ? 0 : dy >= 8 ? 1 : dy === 5 || dy === 6 ? 2 : dx <= 2 ? 3 : dx >= 4 ? 4 : -1;
    const ink = inside && segment >= 0 && hash(column * 8 + segment, line, seed + 1) > 0.35;
    return ink ? [0.08, 0.07, 0.12, 1] : [0.97, 0.96, 0.92, 1];
  };
}

/** A coloured disc with a soft edge in its alpha, transparent outside. */
export const disc: Pattern = (x, y, width, height) => {
  const radius = 0.42 * Math.min(width, height);
  const distance = Math.hypot(x + 0.5 - width / 2, y + 0.5 - height / 2);
  const light = 1 - 0.6 * (distance / radius) ** 2;
  return [0.95 * light, 0.45 * light, 0.2 + 0.3 * light, (radius - distance) / 4 + 0.5];
};
