import { sha256 } from '@noble/hashes/sha2.js';
import { countParameters, elementCount, localTensors } from '../codec/architecture.js';
import type { ParameterCount } from '../codec/architecture.js';
import type { Engine } from '../codec/engine/engine.js';
import { LgiError, OptionError } from '../codec/errors.js';
import { boxSize } from '../codec/grid.js';
import type { SignalKind } from '../codec/signal.js';
import type { Header, SignalHeader } from './container/header.js';
import { writeContainer } from './container/writer.js';
import { decibels } from './decibels.js';
import { findConstantCells, mayBeConstant } from './constant-cells.js';
import { constantsOf, plannedIterations, trainedPositions, trainInGroups, workOf } from './encode-groups.js';
import type { TrainedSignal } from './encode-groups.js';
import { overviewSettings, resolveSettings, withoutShape } from './encode-settings.js';
import type { EncodeOptions } from './encode-options.js';
import { decisionsText, encodeIdentity } from './encode-identity.js';
import type { EncodeSettings } from './encode-settings.js';
import { encodeLatents } from './encode-latents.js';
import { encodePlacement, PLACEMENT_SECTION } from './grid-placement.js';
import type { Sink } from './io/sink.js';
import { suitsLatents } from './latent-settings.js';
import { allowForQuantising, measureQuality, type Quality } from './measure.js';
import type { Media } from './media/media.js';
import { overviewMedia } from './overview-media.js';
import { withEngine } from './with-engine.js';
import { WRITER_NAME } from './version.js';
import { WholeTraining } from './whole-training.js';

/** What encoding a signal achieved, measured on what the file decodes to. */
export interface SignalReport extends Quality {
  readonly kind: SignalKind;
  /** The most that a partition has gone through; where nothing ended it early, what progress came to. */
  readonly iterations: number;
  /** Of the signal itself, without its overviews. */
  readonly parameters: ParameterCount;
  /** Factors of its overviews in the file, finest first. */
  readonly overviews: readonly number[];
  /** Cells per axis. */
  readonly grid: readonly number[];
  /** What ended training; with `psnr`, quantisation may still have put {@link psnr} below the one asked for. */
  readonly stoppedBy: 'iterations' | 'seconds' | 'psnr';
}

/** What encoding achieved; of several signals, what is not of the whole file is of the first. */
export interface EncodeReport extends SignalReport {
  /** Training alone, overviews too. */
  readonly seconds: number;
  /** Length of the file. */
  readonly bytes: number;
  /** Bits of the file per position of the first signal (bits per pixel, for a picture). */
  readonly bitsPerSample: number;
  readonly engine: string;
  readonly threads: number;
  readonly family: 'sine' | 'latent';
  /** Of the latent family, its effort. */
  readonly preset: string;
  /** Every signal but overviews, in the order of the media. */
  readonly signals: readonly SignalReport[];
  /** How the request was taken, where not to the letter. */
  readonly notices: readonly string[];
}

/**
 * Trains networks on a medium, or on several such as a video and its sound, and writes them as a file. The sink is closed on
 * success and aborted on failure.
 *
 * Options about networks and partitions are the first medium's; the others take the preset of their kind.
 *
 * @throws OptionError for options out of range.
 * @throws LgiError `media`, `limit`, `unavailable`, `diverged`, or `io` from the sink.
 * @throws the signal's reason on abort.
 */
export async function encode(
  media: Media | readonly Media[],
  to: Sink,
  options: EncodeOptions = {},
): Promise<EncodeReport> {
  let parts: EncodePart[];
  try {
    options.signal?.throwIfAborted();
    const all = 'kind' in media ? [media] : media;
    if (familyFor(all, options) === 'latent') return await encodeLatents(all[0], to, options);
    if (all.length === 0) throw new LgiError('media', 'no medium was given; give at least one');
    parts = [];
    for (const each of all) {
      const own = parts.length === 0 ? options : withoutShape(options);
      parts.push({ media: each, settings: await settingsFor(each, own) });
    }
  } catch (error) {
    await to.abort(error);
    throw error;
  }
  return encodeBySettings(parts, to, options);
}

/**
 * The family that options ask for.
 *
 * @throws OptionError for a name that is none, or latents for several media.
 */
function familyFor(media: readonly Media[], options: EncodeOptions): 'sine' | 'latent' {
  const { family = 'auto', preset, bpp, effort } = options;
  if (family !== 'auto' && family !== 'sine' && family !== 'latent') {
    throw new OptionError('family', `'${String(family)}' is no family; give auto or sine or latent`);
  }
  const isPicture = media.length === 1 && media[0].kind === 'image';
  if (family === 'latent' && media.length > 1) {
    throw new OptionError('family', `latent takes one picture, ${media.length} media were given; take sine`);
  }
  const isAsked = bpp !== undefined || effort !== undefined;
  const isSmall = preset === 'small' && media.length === 1 && suitsLatents(media[0]);
  if (family === 'latent' || (family === 'auto' && ((isPicture && isAsked) || isSmall))) return 'latent';
  for (const name of ['bpp', 'effort'] as const) {
    if (options[name] !== undefined)
      throw new OptionError(
        name,
        'is for pictures by the latent family; leave it out, of others `preset` small makes small files',
      );
  }
  return 'sine';
}

/** Settings for a medium, with its constant partitions left out of what gets networks. */
async function settingsFor(media: Media, options: EncodeOptions): Promise<EncodeSettings> {
  const settings = resolveSettings(media, options);
  if (!mayBeConstant(media, settings.presetName)) return settings;
  const { grid, model } = settings;
  // Networks this small could have payloads as short as a constant's.
  const least = LEAST_WEIGHTS_PER_CHANNEL * media.channels;
  if (elementCount(localTensors(model.architecture)) < least) return settings;
  const constants = await findConstantCells(grid, media.format, (box) => media.read(box, options.signal));
  return constants.size === 0 ? settings : resolveSettings(media, options, constants);
}

/** At two bits each, so many weights are longer than the four bytes of an output. */
const LEAST_WEIGHTS_PER_CHANNEL = 17;

/** A medium and how it is encoded. */
export interface EncodePart {
  readonly media: Media;
  readonly settings: EncodeSettings;
}

/** What an encode has besides its settings. */
export type EncodeContext = Pick<
  EncodeOptions,
  'engine' | 'threads' | 'onProgress' | 'onNotice' | 'checkpoint' | 'signal'
>;

/**
 * {@link encode} by settings already resolved, whose recipe may be none of a preset: for studies, not of the public API.
 *
 * @param parts at least one; all have the first one's budget.
 * @throws as {@link encode}.
 */
export async function encodeBySettings(
  parts: readonly EncodePart[],
  to: Sink,
  context: EncodeContext = {},
): Promise<EncodeReport> {
  let prepared: Prepared;
  try {
    prepared = await prepare(parts, context);
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

async function prepare(parts: readonly EncodePart[], context: EncodeContext): Promise<Prepared> {
  context.signal?.throwIfAborted();
  for (const { settings } of parts) settings.notices.forEach((notice) => context.onNotice?.(notice));
  return withEngine(context, (engine) => trainAndMeasure(parts, engine, context));
}

/** A signal of the file to be: a medium, or an overview of the one before. */
interface TrainingPart extends EncodePart {
  readonly overviewFactor?: number;
}

async function withOverviews({ media, settings }: EncodePart, signal?: AbortSignal): Promise<TrainingPart[]> {
  const overviews = await overviewMedia(media, settings.overviews, signal);
  return [
    { media, settings },
    ...overviews.map((part, i) => ({
      media: part,
      settings: overviewSettings(part, settings),
      overviewFactor: settings.overviews[i],
    })),
  ];
}

async function trainAndMeasure(
  media: readonly EncodePart[],
  engine: Engine,
  context: EncodeContext,
): Promise<Prepared> {
  const { signal, onProgress, onNotice, checkpoint } = context;
  const parts: TrainingPart[] = [];
  for (const each of media) parts.push(...(await withOverviews(each, signal)));
  const [{ settings }] = media;
  const hash = sha256.create();
  const whole = new WholeTraining({
    work: parts.reduce((sum, part) => sum + workOf(part.settings, trainedPositions(part.settings)), 0),
    iterations: plannedIterations(settings.preset.recipe, settings),
    budget: allowForQuantising(settings.budget, settings.precision.roundingShare),
    onSamples: (samples) =>
      hash.update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)),
    digest: () => hash.clone().digest(),
    identity: encodeIdentity(media, engine),
    ...(checkpoint && { checkpoint }),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  const signals: TrainedSignal[] = [];
  for (const part of parts) {
    signals.push(await trainInGroups(engine, part.media, part.settings, whole, signal));
  }
  const reports: SignalReport[] = [];
  const shortfalls: string[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.overviewFactor !== undefined) continue;
    const report = await reportOf(engine, part, signals[i], signal);
    const shortfall = describeShortfall(part.settings, report);
    if (shortfall !== undefined) {
      onNotice?.(shortfall);
      shortfalls.push(shortfall);
    }
    reports.push(report);
  }
  const header: Header = {
    signals: parts.map((part, i) => signalHeader(part, signals[i])),
    digest: hash.update(new TextEncoder().encode(decisionsText(media))).digest(),
    writer: WRITER_NAME,
  };
  const { iccProfile, placement } = media[0].media;
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
      metadata: [
        ...(iccProfile === undefined ? [] : [{ name: 'icc', bytes: iccProfile }]),
        ...(placement === undefined ? [] : [{ name: PLACEMENT_SECTION, bytes: encodePlacement(placement) }]),
      ],
    },
    report: {
      ...reports[0],
      seconds: whole.seconds,
      engine: engine.name,
      threads: engine.threads,
      family: 'sine',
      preset: settings.presetName,
      signals: reports,
      notices: [
        ...media.flatMap((part) => part.media.notices ?? []),
        ...media.flatMap((part) => part.settings.notices),
        ...shortfalls,
      ],
    },
  };
}

async function reportOf(
  engine: Engine,
  { media, settings }: EncodePart,
  trained: TrainedSignal,
  signal?: AbortSignal,
): Promise<SignalReport> {
  const { kind, format } = media;
  const quality = await measureQuality(
    engine,
    { ...settings, ...trained, kind, format, ...constantsOf(settings) },
    (box) => media.read(box, signal),
    signal,
  );
  return {
    kind,
    ...quality,
    iterations: trained.iterations,
    parameters: countParameters(settings.model.architecture, settings.grid.count - settings.constants.size),
    overviews: settings.overviews,
    grid: settings.grid.shape,
    stoppedBy: trained.stoppedBy,
  };
}

function signalHeader(
  { media, settings, overviewFactor }: TrainingPart,
  { quantiser, globalPayload }: TrainedSignal,
): SignalHeader {
  const { model, coder } = settings;
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
    ...(media.rate && { rate: media.rate }),
    ...(media.startSeconds !== undefined && { startSeconds: media.startSeconds }),
    ...(overviewFactor !== undefined && { overviewFactor }),
    ...constantsOf(settings),
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
