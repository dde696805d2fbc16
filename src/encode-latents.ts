import type { Engine } from '../codec/engine/engine.js';
import { boxSize } from '../codec/grid.js';
import { encodeShared } from '../codec/latent/shared-weights.js';
import type { LatentSignal } from './container/header.js';
import { writeContainer } from './container/writer.js';
import { countSignalParameters } from './count-parameters.js';
import { decibels } from './decibels.js';
import type { EncodeReport } from './encode.js';
import type { EncodeOptions } from './encode-options.js';
import type { Sink } from './io/sink.js';
import { latentSettings, type LatentSettings } from './latent-settings.js';
import { trainPicture } from './latent-training.js';
import { measureLatents } from './measure-latents.js';
import type { Media } from './media/media.js';
import { WRITER_NAME } from './version.js';
import { withEngine } from './with-engine.js';

/**
 * Encodes a picture by the latent family. The sink is closed on success and aborted on failure.
 *
 * @throws OptionError, LgiError as {@link encode}.
 */
export async function encodeLatents(media: Media, to: Sink, options: EncodeOptions): Promise<EncodeReport> {
  let prepared;
  try {
    const settings = latentSettings(media, options);
    settings.notices.forEach((notice) => options.onNotice?.(notice));
    prepared = await withEngine(options, (engine) => prepare(media, settings, engine, options));
  } catch (error) {
    await to.abort(error);
    throw error;
  }
  const { content, report } = prepared;
  const { signal } = options;
  const { bytes } = await writeContainer(to, content, signal === undefined ? {} : { signal });
  const bitsPerSample = (8 * bytes) / boxSize(content.signals[0].grid.extent);
  const missed = describeMiss(options, { bitsPerSample, psnr: report.psnr });
  if (missed === undefined) return { ...report, bytes, bitsPerSample };
  options.onNotice?.(missed);
  return { ...report, bytes, bitsPerSample, notices: [...report.notices, missed] };
}

/** Of bits, and of dB, what is as good as hit: pilots come that near. */
const BITS_OFF = 1.12;
const DB_OFF = 0.5;

/** Says so where a file is not what was asked for. */
function describeMiss(
  { bpp, psnr: asked, seconds, iterations }: EncodeOptions,
  { bitsPerSample, psnr }: Pick<EncodeReport, 'bitsPerSample' | 'psnr'>,
): string | undefined {
  const budget = seconds !== undefined ? 'seconds' : iterations !== undefined ? 'iterations' : 'effort';
  const advice = `more \`${budget}\` may come nearer, or another`;
  if (bpp !== undefined && Math.abs(Math.log(bitsPerSample / bpp)) > Math.log(BITS_OFF))
    return `asked for ${bpp} bits a sample, came to ${bitsPerSample.toFixed(3)}: ${advice} \`bpp\``;
  if (asked !== undefined && Math.abs(psnr - asked) > DB_OFF)
    return `asked for ${asked} dB, came to ${decibels(psnr)}: ${advice} \`psnr\``;
  return undefined;
}

interface Prepared {
  readonly content: Parameters<typeof writeContainer>[1];
  readonly report: Omit<EncodeReport, 'bytes' | 'bitsPerSample'>;
}

/** Trains, and measures what a reader will see. */
async function prepare(
  media: Media,
  settings: LatentSettings,
  engine: Engine,
  options: EncodeOptions,
): Promise<Prepared> {
  const { grid, effort, budget } = settings;
  const { architecture, stored, payloads, digest, iterations, seconds } = await trainPicture(
    media,
    settings,
    engine,
    options,
  );
  const header: LatentSignal = {
    kind: 'image',
    role: 'primary',
    format: media.format,
    ...(media.colour && { colour: media.colour }),
    firstShape: media.shape,
    latents: {
      architecture,
      nominalCell: grid.largestCell(),
      shared: encodeShared(architecture, stored),
    },
  };
  const quality = await measureLatents(
    engine,
    { ...header, grid, payloads },
    (box) => media.read(box, options.signal),
    options.signal,
  );
  const own = {
    kind: media.kind,
    ...quality,
    iterations,
    parameters: countSignalParameters(header, {
      grid,
      chunks: {
        ordinals: Int32Array.from({ length: grid.count }, (_, ordinal) => ordinal),
        payloadLengths: Uint32Array.from(payloads, ({ length }) => length),
      },
    }),
    overviews: [],
    grid: grid.shape,
    stoppedBy: budget.seconds === undefined ? ('iterations' as const) : ('seconds' as const),
  };
  return {
    content: {
      header: { signals: [header], digest, writer: WRITER_NAME },
      signals: [
        {
          grid,
          chunks: payloads.map((payload, ordinal) => ({ coordinates: grid.coordinatesOf(ordinal), payload })),
        },
      ],
      metadata: media.iccProfile === undefined ? [] : [{ name: 'icc', bytes: media.iccProfile }],
    },
    report: {
      ...own,
      seconds,
      engine: engine.name,
      threads: engine.threads,
      family: 'latent',
      preset: effort,
      signals: [own],
      notices: [...(media.notices ?? []), ...settings.notices],
    },
  };
}
