import { performance } from 'node:perf_hooks';
import { createEngine } from '../../../codec/engine/choose.js';
import type { Engine } from '../../../codec/engine/engine.js';
import { seamRatio } from '../../../codec/seam.js';
import { encode } from '../../../src/encode.js';
import type { EncodeOptions } from '../../../src/encode-options.js';
import { MemorySink } from '../../../src/io/memory.js';
import type { Effort } from '../../../src/latent-effort.js';
import type { Media } from '../../../src/media/media.js';
import { open } from '../../../src/open.js';
import type { RatePoint } from './point.js';

/** Bits a sample that latents are asked for. */
export const TARGETS = [0.2, 0.4, 0.8, 1.4];

/** Bits that a parameter of a sine network takes in files of the preset `small`, about. */
const BITS_PER_PARAMETER = 6.5;

/** Bits a sample of sine networks: below, little of a picture is left. */
const SINE_TARGETS = [0.4, 0.8, 1.4];

/** A point that is to be measured. */
export interface OwnPlan {
  readonly codec: string;
  readonly setting: string;
  readonly options: EncodeOptions;
}

/** Points of the latent family. */
export function latentPlans(effort: Effort, targets: readonly number[]): OwnPlan[] {
  return targets.map((bpp) => ({
    codec: `LGI latents, ${effort}`,
    setting: `--bpp ${bpp}`,
    options: { family: 'latent', effort, bpp },
  }));
}

/** Points of the sine family. */
export function sinePlans({ shape }: Media): OwnPlan[] {
  const samples = shape.reduce((product, length) => product * length, 1);
  return SINE_TARGETS.map((bpp) => {
    const params = Math.round((bpp * samples) / BITS_PER_PARAMETER);
    return {
      codec: 'LGI sines, small',
      setting: `--params for ${bpp} bpp`,
      options: { family: 'sine', preset: 'small', params },
    };
  });
}

/** Encodes and decodes, and measures both. */
export async function measureOwn(media: Media, picture: string, plan: OwnPlan): Promise<RatePoint> {
  const engine = await createEngine();
  try {
    return await measureWith(engine, media, picture, plan);
  } finally {
    await engine.dispose();
  }
}

async function measureWith(
  engine: Engine,
  media: Media,
  picture: string,
  { codec, setting, options }: OwnPlan,
): Promise<RatePoint> {
  const sink = new MemorySink();
  const begin = performance.now();
  const { bytes, psnr } = await encode(media, sink, { ...options, engine });
  const encodeSeconds = (performance.now() - begin) / 1000;
  const file = await open(sink.bytes(), { engine });
  try {
    const [image] = file.signals;
    // Of the second time: the first one compiles.
    await image.decode();
    const decodeBegin = performance.now();
    const { data } = await image.decode();
    const decodeMs = performance.now() - decodeBegin;
    const source = await media.read({ begin: [0, 0], end: media.shape });
    const seam = seamRatio(source, data, image.shape, image.format, image.cuts);
    const samples = media.shape.reduce((product, length) => product * length, 1);
    return {
      picture,
      codec,
      setting,
      samples,
      bytes,
      psnr,
      encodeSeconds,
      decodeMs,
      ...(seam !== undefined && { seam }),
    };
  } finally {
    await file.dispose();
  }
}
