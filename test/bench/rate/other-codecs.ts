import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CodecContext, Frame } from 'node-av/lib';
import { makeGrid } from '../../../codec/grid.js';
import { MemorySink } from '../../../src/io/memory.js';
import { decodedFrames, openFfmpegInput } from '../../../src/media/ffmpeg-input.js';
import { FfmpegOutput } from '../../../src/media/ffmpeg-output.js';
import type { Media } from '../../../src/media/media.js';
import { loadNodeAv } from '../../../src/media/node-av.js';
import { decodeImage } from '../../../src/media/read-image.js';
import { ScalingGraph } from '../../../src/media/scaling-graph.js';
import type { RatePoint } from './point.js';

/** Another codec of pictures. */
export interface OtherCodec {
  readonly name: string;
  /** What decides on quality. */
  readonly settings: readonly string[];
  /** Samples per axis of tiles that are encoded by themselves; default the whole picture. */
  readonly tile?: number;
  /** Whether samples may be grey. */
  readonly takesGrey?: boolean;
  /** @param samples RGB, 8 bits. */
  encode(samples: Uint8Array, width: number, height: number, setting: string): Promise<Uint8Array>;
  /** @returns as what is encoded. */
  decode(file: Uint8Array, width: number, height: number): Promise<Uint8Array>;
}

/** One that FFmpeg has an encoder of. */
interface FfmpegCodec {
  readonly name: string;
  readonly tile?: number;
  readonly settings: readonly string[];
  /** FFmpeg's names of encoder, container and pixel format. */
  readonly encoder: string;
  readonly container: string;
  readonly pixelFormat: string;
  /** As in files of this kind: BT.601 of the whole range but for AVIF and where the encoder converts. */
  readonly conversion: string;
  readonly configure: (context: CodecContext, setting: string, frame: Frame) => void;
}

/** Lambda of quality for encoders that take a fixed one: FFmpeg's FF_QP2LAMBDA. */
const QP_TO_LAMBDA = 118;

function fixedQuality(context: CodecContext, setting: string, frame: Frame): void {
  context.setOption('flags', '+qscale');
  frame.quality = Math.round(QP_TO_LAMBDA * Number(setting));
}

function webp(context: CodecContext, setting: string): void {
  context.setOption('quality', setting);
  // The slowest: fewest bytes.
  context.setOption('compression_level', '6');
}

const WEBP = {
  encoder: 'libwebp',
  container: 'webp',
  pixelFormat: 'bgra',
  conversion: 'out_range=pc',
  configure: webp,
} as const;

/** Encoders in slow settings, which give the fewest bytes. */
const BY_FFMPEG: readonly FfmpegCodec[] = [
  {
    name: 'JPEG (FFmpeg)',
    encoder: 'mjpeg',
    container: 'mjpeg',
    pixelFormat: 'yuvj420p',
    conversion: 'out_color_matrix=bt601:out_range=pc',
    settings: ['1', '2', '3', '4', '5', '6', '8', '10', '13', '17', '22', '28', '31'],
    configure: (context, setting, frame) => {
      fixedQuality(context, setting, frame);
      context.setOption('huffman', 'optimal');
    },
  },
  {
    name: 'WebP',
    ...WEBP,
    settings: ['0', '2', '5', '10', '20', '30', '40', '50', '60', '70', '80', '88', '94', '98'],
  },
  {
    name: 'JPEG 2000',
    encoder: 'jpeg2000',
    container: 'image2pipe',
    pixelFormat: 'rgb24',
    conversion: 'out_range=pc',
    settings: ['8', '12', '16', '22', '30', '42', '60', '84', '120', '170'],
    configure: (context, setting) => {
      // Compression of a single layer; one tile.
      context.setOption('layer_rates', setting);
      context.setOption('tile_width', String(context.width));
      context.setOption('tile_height', String(context.height));
    },
  },
  {
    name: 'AVIF',
    encoder: 'libsvtav1',
    container: 'avif',
    pixelFormat: 'yuv420p10le',
    conversion: 'out_color_matrix=bt601:out_range=tv',
    settings: ['4', '8', '13', '18', '24', '30', '36', '42', '48', '54'],
    configure: (context, setting) => {
      context.setOption('crf', setting);
      context.setOption('preset', '4');
    },
  },
  { name: 'WebP, tiles of 64', tile: 64, ...WEBP, settings: ['0', '5', '20', '40', '60', '80', '90', '98'] },
];

/** libjpeg's own program, where the machine has it: nearly all JPEGs have its quantisation tables, which FFmpeg's encoder has not. */
const LIBJPEG: OtherCodec = {
  name: 'JPEG (libjpeg)',
  takesGrey: true,
  settings: ['4', '6', '8', '12', '20', '30', '40', '50', '60', '70', '78', '85', '90', '94', '97', '99'],
  encode: (samples, width, height, setting) => {
    const isGrey = samples.length === width * height;
    const picture = Buffer.concat([Buffer.from(`P${isGrey ? 5 : 6} ${width} ${height} 255\n`), samples]);
    const { stdout, status } = spawnSync('cjpeg', ['-quality', setting, '-optimize'], { input: picture });
    if (status !== 0) throw new Error(`cjpeg ended with ${status}`);
    return Promise.resolve(new Uint8Array(stdout));
  },
  decode: decodedByUs,
};

/** What curves stand beside. */
export function otherCodecs(): OtherCodec[] {
  const hasLibjpeg = spawnSync('cjpeg', ['-version']).error === undefined;
  if (!hasLibjpeg) process.stderr.write('libjpeg is left out: the machine has no cjpeg\n');
  const byFfmpeg = BY_FFMPEG.map((codec): OtherCodec => ({
    name: codec.name,
    settings: codec.settings,
    ...(codec.tile !== undefined && { tile: codec.tile }),
    encode: (samples, width, height, setting) => encoded(codec, setting, samples, width, height),
    decode: ['mjpeg', 'libwebp'].includes(codec.encoder)
      ? decodedByUs
      : (file) => decodedByFfmpeg(codec, file),
  }));
  return [...(hasLibjpeg ? [LIBJPEG] : []), ...byFfmpeg];
}

// The library writes what it does to stderr.
process.env['SVT_LOG'] = '1';

/** Encodes and decodes a picture of 8 bits, of three channels, or of one where the codec takes that. */
export async function measureOther(
  media: Media,
  picture: string,
  codec: OtherCodec,
  setting: string,
): Promise<RatePoint> {
  const { grid } = makeGrid(
    media.shape,
    codec.tile === undefined ? { counts: [1, 1] } : { cell: [codec.tile, codec.tile] },
  );
  let [bytes, squares] = [0, 0];
  for (let ordinal = 0; ordinal < grid.count; ordinal++) {
    const box = grid.boxOf(ordinal);
    const samples = (await media.read(box)) as Uint8Array;
    const [height, width] = box.end.map((end, axis) => end - box.begin[axis]);
    const file = await codec.encode(samples, width, height, setting);
    const decoded = await codec.decode(file, width, height);
    bytes += file.length;
    squares += samples.reduce((sum, value, i) => sum + (value - decoded[i]) ** 2, 0);
  }
  const samples = media.shape[0] * media.shape[1];
  const psnr = 10 * Math.log10((255 ** 2 * media.channels * samples) / squares);
  return { picture, codec: codec.name, setting, samples, bytes, psnr };
}

async function encoded(
  codec: FfmpegCodec,
  setting: string,
  samples: Uint8Array,
  width: number,
  height: number,
): Promise<Uint8Array> {
  const av = await loadNodeAv();
  const { lib, constants } = av;
  const format = constants.AV_PIX_FMT_RGB24;
  const source = lib.Frame.fromVideoBuffer(Buffer.from(samples), { width, height, format });
  const input = { width, height, format, matrix: constants.AVCOL_SPC_RGB, isFullRange: true };
  const graph = await ScalingGraph.make(av, codec.name, input, codec.conversion, codec.pixelFormat);
  const sink = new MemorySink();
  const output = FfmpegOutput.open(av, codec.container, sink);
  try {
    const frame = await graph.convert(source);
    frame.pts = 0n;
    const stream = await output.addStream(codec.encoder, `pictures of ${width}x${height}`, (context) => {
      context.width = width;
      context.height = height;
      context.pixelFormat = frame.format as typeof context.pixelFormat;
      context.colorSpace = frame.colorSpace;
      context.colorRange = frame.colorRange;
      context.timeBase = new lib.Rational(1, 1);
      context.threadCount = 1;
      codec.configure(context, setting, frame);
    });
    await output.begin();
    await output.encode(stream, frame);
    await output.finish();
    await sink.close();
    return sink.bytes().slice();
  } finally {
    output.dispose();
    graph.dispose();
    source.free();
  }
}

/** RGB samples of a JPEG or WebP, by our own reader: its chroma is that of libjpeg and libwebp. */
async function decodedByUs(file: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const media = await decodeImage(file, 'a picture');
  return (await media.read({ begin: [0, 0], end: [height, width] })) as Uint8Array;
}

async function decodedByFfmpeg(codec: FfmpegCodec, file: Uint8Array): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'lgi-rate-'));
  try {
    const path = join(folder, codec.container === 'avif' ? 'picture.avif' : 'picture.j2k');
    await writeFile(path, file);
    const input = await openFfmpegInput(path);
    try {
      for await (const frame of decodedFrames(input, input.context.streams[0])) {
        return await rgbOf(frame, codec.name);
      }
    } finally {
      input.close();
    }
    throw new Error(`${codec.name}: FFmpeg decodes no frame`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function rgbOf(frame: Frame, name: string): Promise<Uint8Array> {
  const av = await loadNodeAv();
  const { width, height, format } = frame;
  const isRgb = av.lib
    .avGetPixFmtName(format as Parameters<typeof av.lib.avGetPixFmtName>[0])
    ?.includes('rgb');
  const input = {
    width,
    height,
    format,
    matrix: isRgb === true ? av.constants.AVCOL_SPC_RGB : av.constants.AVCOL_SPC_SMPTE170M,
    isFullRange: isRgb === true,
  };
  const graph = await ScalingGraph.make(av, name, input, 'out_range=pc', 'rgb24');
  try {
    const { data, linesize } = await graph.convert(frame);
    const [plane, stride] = [data?.[0], linesize[0]];
    if (plane === undefined) throw new Error(`${name}: the frame is empty`);
    const samples = new Uint8Array(3 * width * height);
    for (let y = 0; y < height; y++)
      samples.set(plane.subarray(y * stride, y * stride + 3 * width), 3 * y * width);
    return samples;
  } finally {
    graph.dispose();
  }
}
