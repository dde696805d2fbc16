import { sha256 } from '@noble/hashes/sha2.js';
import { countParameters, globalTensors, localTensors } from '../codec/architecture.js';
import type { ParameterCount } from '../codec/architecture.js';
import { encodeWeights } from '../codec/coder/payload.js';
import type { Engine } from '../codec/engine/engine.js';
import { LgiError } from '../codec/errors.js';
import { boxSize } from '../codec/grid.js';
import { sampleObjective } from '../codec/objective.js';
import type { Objective } from '../codec/objective.js';
import { fitQuantiser, quantisedWeights } from '../codec/quantise.js';
import { train } from '../codec/train.js';
import type { Header } from './container/header.js';
import { writeContainer } from './container/writer.js';
import { decibels } from './decibels.js';
import { resolveSettings } from './encode-settings.js';
import type { EncodeOptions, EncodeSettings } from './encode-settings.js';
import type { Sink } from './io/sink.js';
import { allowForQuantising, measureQuality } from './measure.js';
import type { Media } from './media/media.js';
import { withEngine } from './with-engine.js';
import { WRITER_NAME } from './version.js';

/** What encoding achieved, measured on what the file decodes to. */
export interface EncodeReport {
  /** dB; Infinity for no error at all. Colour counts by its alpha. */
  readonly psnr: number;
  readonly ssim: number;
  /** Training alone. */
  readonly seconds: number;
  readonly iterations: number;
  /** Length of the file. */
  readonly bytes: number;
  /** Bits of the file per position of the signal (bits per pixel, for a picture). */
  readonly bitsPerSample: number;
  readonly parameters: ParameterCount;
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
  const { grid, model, preset, precision, coder, seed, budget } = settings;
  const { signal, onProgress } = context;
  const objective = await sampleObjective(grid, media.format, (box) => media.read(box, signal));
  const { weights, iterations, seconds, stoppedBy } = await train(engine, {
    model,
    objective,
    recipe: preset.recipe,
    seed,
    budget: allowForQuantising(budget),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  const { architecture } = model;
  const quantiser = fitQuantiser(precision.format, precision.bits, architecture, weights);
  const { psnr, ssim } = await measureQuality(
    engine,
    { grid, model, format: media.format },
    quantisedWeights(architecture, weights, quantiser),
    (box) => media.read(box, signal),
    signal,
  );
  const shortfall = describeShortfall(settings, { psnr, iterations, stoppedBy });
  if (shortfall !== undefined) context.onNotice?.(shortfall);
  const payload = (values: Float32Array, role: 'local' | 'global'): Uint8Array =>
    encodeWeights(
      values,
      role === 'local' ? localTensors(architecture) : globalTensors(architecture),
      quantiser[role],
      quantiser.format,
      coder,
    );
  const header: Header = {
    signals: [
      {
        kind: media.kind,
        role: 'primary',
        format: media.format,
        ...(media.colour && { colour: media.colour }),
        firstShape: media.shape,
        model,
        quantiser,
        coder,
        globalPayload: architecture.globalWidth === 0 ? new Uint8Array(0) : payload(weights.global, 'global'),
      },
    ],
    digest: digestOf(objective, settings),
    writer: WRITER_NAME,
  };
  const chunks = weights.local.map((local, ordinal) => ({
    coordinates: grid.coordinatesOf(ordinal),
    payload: payload(local, 'local'),
  }));
  const metadata = media.iccProfile === undefined ? [] : [{ name: 'icc', bytes: media.iccProfile }];
  return {
    content: { header, signals: [{ grid, chunks }], metadata },
    report: {
      psnr,
      ssim,
      seconds,
      iterations,
      parameters: countParameters(architecture, grid.count),
      engine: engine.name,
      threads: engine.threads,
      preset: settings.presetName,
      grid: grid.shape,
      stoppedBy,
      notices: [
        ...(media.notices ?? []),
        ...settings.notices,
        ...(shortfall === undefined ? [] : [shortfall]),
      ],
    },
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
      return `${figures}: quantising the weights lost the rest; take more bits for weights (--weights)`;
    case 'seconds':
      return `${figures} when the ${budget.seconds} s of --time ended; give a longer --time, or more parameters (--params)`;
    case 'iterations':
      return budget.iterations === undefined
        ? `${figures} when the ${iterations} iterations of preset ${presetName} ended; ` +
            'give more by --iterations N or --time S, or more parameters (--params)'
        : `${figures} when the ${iterations} of --iterations ended; give more of them, or more parameters (--params)`;
  }
}

/** SHA-256 over the samples and everything that decides the weights, so that different encodes are different families. */
function digestOf({ samples }: Objective, settings: EncodeSettings): Uint8Array {
  const { presetName, preset, grid, model, precision, coder, seed, budget } = settings;
  const options = {
    presetName,
    recipe: preset.recipe,
    axes: grid.axes,
    model,
    precision,
    coder,
    seed,
    budget,
  };
  return sha256
    .create()
    .update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
    .update(new TextEncoder().encode(JSON.stringify(options)))
    .digest();
}
