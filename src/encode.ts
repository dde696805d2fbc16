import { sha256 } from '@noble/hashes/sha2.js';
import { countParameters } from '../codec/architecture.js';
import type { ParameterCount } from '../codec/architecture.js';
import type { Engine } from '../codec/engine/engine.js';
import { LgiError } from '../codec/errors.js';
import { boxSize } from '../codec/grid.js';
import type { Header, SignalHeader } from './container/header.js';
import { writeContainer } from './container/writer.js';
import { decibels } from './decibels.js';
import { plannedIterations, trainInGroups } from './encode-groups.js';
import type { TrainedSignal } from './encode-groups.js';
import { overviewSettings, resolveSettings } from './encode-settings.js';
import type { EncodeOptions, EncodeSettings } from './encode-settings.js';
import type { Sink } from './io/sink.js';
import { allowForQuantising, measureQuality } from './measure.js';
import type { Media } from './media/media.js';
import { overviewMedia } from './overview-media.js';
import { withEngine } from './with-engine.js';
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
  /** The most that a partition of the picture has gone through; where nothing ended it early, what progress came to. */
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
  return withEngine(context, (engine) => trainAndMeasure(media, settings, engine, context));
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
  const hash = sha256.create();
  const whole = new WholeTraining({
    positions: parts.reduce((sum, part) => sum + boxSize(part.settings.grid.extent), 0),
    iterations: plannedIterations(settings.preset.recipe, settings),
    budget: allowForQuantising(budget),
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
  const { psnr, ssim } = await measureQuality(
    engine,
    { ...settings, ...primary, format: media.format },
    (box) => media.read(box, signal),
    signal,
  );
  const shortfall = describeShortfall(settings, { psnr, ...primary });
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

/** Says so where the file, as it decodes, is not as good as asked for: what ended training, and what gives more. */
function describeShortfall(
  { budget, presetName }: EncodeSettings,
  { psnr, iterations, stoppedBy }: Pick<EncodeReport, 'psnr' | 'iterations' | 'stoppedBy'>,
): string | undefined {
  if (budget.psnr === undefined || psnr >= budget.psnr) return undefined;
  const figures = `asked for ${budget.psnr} dB, reached ${decibels(psnr)}`;
  switch (stoppedBy) {
    case 'psnr':
      return `${figures}: quantising the weights lost the rest; take more bits for weights (\`weights\`)`;
    case 'seconds':
      return `${figures} when the ${budget.seconds} s of \`seconds\` ended; give more of them, or more parameters (\`params\`)`;
    case 'iterations':
      return budget.iterations === undefined
        ? `${figures} when the ${iterations} iterations of preset ${presetName} ended; ` +
            'give more by `iterations` or `seconds`, or more parameters (`params`)'
        : `${figures} when the ${iterations} of \`iterations\` ended; give more of them, or more parameters (\`params\`)`;
  }
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
