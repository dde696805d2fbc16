import { sha256 } from '@noble/hashes/sha2.js';
import { countParameters } from '../codec/architecture.js';
import type { ParameterCount } from '../codec/architecture.js';
import { createEngine } from '../codec/engine/choose.js';
import type { Engine } from '../codec/engine/engine.js';
import { LgiError } from '../codec/errors.js';
import { boxSize } from '../codec/grid.js';
import type { Header, SignalHeader } from './container/header.js';
import { writeContainer } from './container/writer.js';
import { iterationsOf, trainInGroups } from './encode-groups.js';
import type { TrainedSignal } from './encode-groups.js';
import { overviewSettings, resolveSettings } from './encode-settings.js';
import type { EncodeOptions, EncodeSettings } from './encode-settings.js';
import type { Sink } from './io/sink.js';
import { measureWhole } from './measure-whole.js';
import type { Media } from './media/media.js';
import { overviewMedia } from './overview-media.js';
import { WRITER_NAME } from './version.js';
import { WholeTraining } from './whole-training.js';

/** What encoding achieved, measured on what the file decodes to; quality, parameters and grid are the picture's itself. */
export interface EncodeReport {
  /** dB; Infinity for no error at all. Colour counts by its alpha. */
  readonly psnr: number;
  /** Above 4 million positions over strips of as many altogether, spread evenly. */
  readonly ssim: number;
  /** Training alone, overviews too. */
  readonly seconds: number;
  /** The most that a partition of the picture can have taken part in. */
  readonly iterations: number;
  /** Length of the file. */
  readonly bytes: number;
  /** Bits of the file per position of the signal (bits per pixel, for a picture). */
  readonly bitsPerSample: number;
  /** Of the picture itself, without its overviews. */
  readonly parameters: ParameterCount;
  /** Factors of the overviews in the file, finest first. */
  readonly overviews: readonly number[];
  readonly engine: string;
  readonly threads: number;
  readonly preset: string;
  /** Cells per axis. */
  readonly grid: readonly number[];
  /** What ended training; with `psnr`, quantisation may still have put {@link psnr} below the one asked for. */
  readonly stoppedBy: 'iterations' | 'seconds' | 'psnr';
  /** How the request was taken, where not to the letter. */
  readonly notices: readonly string[];
}

/**
 * dB that quantised weights may lose against those in training, added to a target PSNR: the default weights lose less.
 */
const QUANTISER_ALLOWANCE_DB = 0.1;

/**
 * Trains networks on a medium and writes them as a file. The sink is closed on success and aborted on failure.
 *
 * @throws OptionError for options out of range.
 * @throws LgiError `media`, `limit`, `unavailable`, `diverged`, or `io` from the sink.
 * @throws the signal's reason on abort.
 */
export async function encode(media: Media, to: Sink, options: EncodeOptions = {}): Promise<EncodeReport> {
  let settings: EncodeSettings;
  try {
    options.signal?.throwIfAborted();
    checkKind(media);
    settings = resolveSettings(media, options);
  } catch (error) {
    await to.abort(error);
    throw error;
  }
  return encodeBySettings(media, to, settings, options);
}

function checkKind({ kind }: Media): void {
  if (kind === 'image') return;
  throw new LgiError(
    'unavailable',
    `this version encodes images, not ${kind}; encode frames or slices as images`,
  );
}

/** What an encode has besides its settings. */
export type EncodeContext = Pick<EncodeOptions, 'engine' | 'threads' | 'onProgress' | 'onNotice' | 'signal'>;

/**
 * {@link encode} by settings already resolved, whose recipe may be none of a preset: for studies, not of the public API.
 *
 * @throws as {@link encode}.
 */
export async function encodeBySettings(
  media: Media,
  to: Sink,
  settings: EncodeSettings,
  context: EncodeContext = {},
): Promise<EncodeReport> {
  let prepared: Prepared;
  try {
    prepared = await prepare(media, settings, context);
  } catch (error) {
    await to.abort(error);
    throw error;
  }
  const { content, report } = prepared;
  const { signal } = context;
  const { bytes } = await writeContainer(to, content, signal === undefined ? {} : { signal });
  return { ...report, bytes, bitsPerSample: (8 * bytes) / boxSize(content.signals[0].grid.extent) };
}

interface Prepared {
  readonly content: Parameters<typeof writeContainer>[1];
  readonly report: Omit<EncodeReport, 'bytes' | 'bitsPerSample'>;
}

async function prepare(media: Media, settings: EncodeSettings, context: EncodeContext): Promise<Prepared> {
  context.signal?.throwIfAborted();
  settings.notices.forEach((notice) => context.onNotice?.(notice));
  const isNamed = context.engine === undefined || typeof context.engine === 'string';
  const engine = isNamed
    ? createEngine(context.engine as 'auto', context.threads)
    : (context.engine as Engine);
  try {
    return await trainAndMeasure(media, settings, engine, context);
  } finally {
    if (isNamed) await engine.dispose();
  }
}

async function trainAndMeasure(
  media: Media,
  settings: EncodeSettings,
  engine: Engine,
  context: EncodeContext,
): Promise<Prepared> {
  const { grid, budget } = settings;
  const { signal, onProgress } = context;
  const overviews = await overviewMedia(media, settings.overviews, signal);
  const parts = [
    { media, settings },
    ...overviews.map((part) => ({ media: part, settings: overviewSettings(part, settings) })),
  ];
  const target = budget.psnr === undefined ? {} : { psnr: budget.psnr + QUANTISER_ALLOWANCE_DB };
  const hash = sha256.create();
  const whole = new WholeTraining({
    positions: parts.reduce((sum, part) => sum + boxSize(part.settings.grid.extent), 0),
    iterations: parts.reduce((sum, part) => sum + iterationsOf(part.settings), 0),
    budget: { ...budget, ...target },
    onSamples: (samples) =>
      hash.update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  const signals: TrainedSignal[] = [];
  for (const part of parts) {
    signals.push(await trainInGroups(engine, part.media, part.settings, whole, signal));
  }
  const [primary] = signals;
  const { psnr, ssim } = await measureWhole(engine, settings, primary, media, signal);
  const shortfall = describeShortfall(budget.psnr, psnr, primary.stoppedBy);
  if (shortfall !== undefined) context.onNotice?.(shortfall);
  const header: Header = {
    signals: parts.map((part, i) =>
      signalHeader(part.media, part.settings, signals[i], settings.overviews[i - 1]),
    ),
    digest: hash.update(new TextEncoder().encode(JSON.stringify(decisionsOf(settings)))).digest(),
    writer: WRITER_NAME,
  };
  const metadata = media.iccProfile === undefined ? [] : [{ name: 'icc', bytes: media.iccProfile }];
  return {
    content: {
      header,
      signals: parts.map((part, i) => ({
        grid: part.settings.grid,
        chunks: signals[i].payloads.map((payload, ordinal) => ({
          coordinates: part.settings.grid.coordinatesOf(ordinal),
          payload,
        })),
      })),
      metadata,
    },
    report: {
      psnr,
      ssim,
      seconds: whole.seconds,
      iterations: primary.iterations,
      parameters: countParameters(settings.model.architecture, grid.count),
      overviews: settings.overviews,
      engine: engine.name,
      threads: engine.threads,
      preset: settings.presetName,
      grid: grid.shape,
      stoppedBy: primary.stoppedBy,
      notices: [
        ...(media.notices ?? []),
        ...settings.notices,
        ...(shortfall === undefined ? [] : [shortfall]),
      ],
    },
  };
}

function signalHeader(
  media: Media,
  { model, coder }: EncodeSettings,
  { quantiser, globalPayload }: TrainedSignal,
  overviewFactor?: number,
): SignalHeader {
  return {
    kind: media.kind,
    role: overviewFactor === undefined ? 'primary' : 'overview',
    format: media.format,
    ...(media.colour && { colour: media.colour }),
    firstShape: media.shape,
    model,
    quantiser,
    coder,
    globalPayload,
    ...(overviewFactor !== undefined && { overviewFactor }),
  };
}

/** Says so where the file, as it decodes, is not as good as asked for. */
function describeShortfall(
  asked: number | undefined,
  reached: number,
  stoppedBy: EncodeReport['stoppedBy'],
): string | undefined {
  if (asked === undefined || reached >= asked) return undefined;
  // Rounded down, so that what was missed by little does not read as reached.
  const figures = `asked for ${asked} dB, reached ${(Math.floor(reached * 100) / 100).toFixed(2)} dB`;
  return stoppedBy === 'psnr'
    ? `${figures}: quantising the weights lost the rest; take more bits for weights`
    : `${figures} when the ${stoppedBy} ended; allow more, or more parameters`;
}

/** Everything besides samples that decides the weights, so that different encodes are different families. */
function decisionsOf(settings: EncodeSettings): object {
  const { presetName, preset, grid, model, precision, coder, seed, budget, overviews } = settings;
  return {
    presetName,
    recipe: preset.recipe,
    axes: grid.axes,
    model,
    precision,
    coder,
    seed,
    budget,
    ...(overviews.length > 0 && { overviews }),
  };
}
