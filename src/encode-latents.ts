import { sha256 } from '@noble/hashes/sha2.js';
import type { Engine } from '../codec/engine/engine.js';
import { OptionError } from '../codec/errors.js';
import { boxSize, makeGrid, type Grid } from '../codec/grid.js';
import {
  encodePartitions,
  type EncodedPartitions,
  type TargetPartition,
} from '../codec/latent/encode-partitions.js';
import type { LatentArchitecture } from '../codec/latent/latent-architecture.js';
import { hasDefaultWeights } from '../codec/latent/default-weights.js';
import { encodeShared } from '../codec/latent/shared-weights.js';
import { LATENT_RECIPE, type LatentProgress } from '../codec/latent/train-latents.js';
import type { LatentTarget } from '../codec/latent/rate-control.js';
import { alphaChannel, signalPeak } from '../codec/signal.js';
import { countSignalParameters } from './count-parameters.js';
import type { LatentSignal } from './container/header.js';
import { MAX_PLANES } from './container/limits.js';
import { decibels } from './decibels.js';
import { writeContainer } from './container/writer.js';
import type { EncodeReport } from './encode.js';
import type { EncodeOptions } from './encode-options.js';
import { checkBudget, checkSeed } from './encode-settings.js';
import type { Sink } from './io/sink.js';
import { chooseAmplitude, DEFAULT_AMPLITUDE, type Pilot, type PilotPlan } from './latent-amplitude.js';
import { EFFORTS, latentSteps, MOST_PILOT, pilotSteps, type Effort } from './latent-effort.js';
import { LatentProgressReport } from './latent-progress.js';
import { latentTarget, partitionShape } from './latent-targets.js';
import { measureLatents } from './measure-latents.js';
import type { Media } from './media/media.js';
import { WRITER_NAME } from './version.js';
import { withEngine } from './with-engine.js';

/** Samples of a cell per axis: of 128, files are 1 to 3 % smaller, and a crop is coarser. */
const DEFAULT_CELL = 64;

/** And of pictures that are to have fewer bits a sample than these: heads and index of smaller cells would be a tenth of the file. */
const LARGE_CELL = 128;
const LARGE_CELL_BELOW_BPP = 0.4;

/** Levels: of a cell of 64x64 the coarsest is a single latent. */
const LEVELS = 7;

/** Features of the hidden layer: 16 cost 1 to 4 % more bits, 8 to 7 %. */
const HIDDEN_WIDTH = 32;

/** Largest cell: its working memory is 7 MB a thread at 64, 100 at this. */
const MAX_CELL = 256;

/** Smallest cell: of fewer samples a chunk's head and length are more than what they hold. */
const MIN_CELL = 8;

/**
 * Samples whose latents are trained together with the shared weights; of larger pictures those spread evenly. The rest follows with
 * the shared weights as they are.
 */
const JOINT_SAMPLES = 1 << 22;

/** Options that speak of sine networks. */
const SINE_OPTIONS = [
  'params',
  'globalShare',
  'localWidth',
  'globalWidth',
  'levels',
  'lattice',
  'coordinates',
  'activations',
  'weights',
  'coder',
  'sampleFraction',
  'overlap',
  'checkpoint',
] as const satisfies readonly (keyof EncodeOptions)[];

/** An option that latents have no use for, if any is given. */
function sineOption(options: EncodeOptions): (typeof SINE_OPTIONS)[number] | undefined {
  return SINE_OPTIONS.find((name) => options[name] !== undefined);
}

/** Whether a medium that is to be small can be latents. */
export function suitsLatents({ kind, channels }: Media): boolean {
  return kind === 'image' && channels <= MAX_PLANES;
}

/** What an encode by latents is to be, of options. */
interface LatentSettings {
  readonly grid: Grid;
  readonly effort: Effort;
  readonly seed: number;
  readonly notices: readonly string[];
}

/**
 * Encodes a picture by the latent family. The sink is closed on success and aborted on failure.
 *
 * @throws OptionError, LgiError as {@link encode}.
 */
export async function encodeLatents(media: Media, to: Sink, options: EncodeOptions): Promise<EncodeReport> {
  let prepared;
  try {
    const settings = resolve(media, options);
    settings.notices.forEach((notice) => options.onNotice?.(notice));
    prepared = await withEngine(options, (engine) => train(media, settings, engine, options));
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
  { bpp, psnr: asked, seconds }: EncodeOptions,
  { bitsPerSample, psnr }: Pick<EncodeReport, 'bitsPerSample' | 'psnr'>,
): string | undefined {
  const advice = `more ${seconds === undefined ? '`effort`' : '`seconds`'} may come nearer, or another`;
  if (bpp !== undefined && Math.abs(Math.log(bitsPerSample / bpp)) > Math.log(BITS_OFF))
    return `asked for ${bpp} bits a sample, came to ${bitsPerSample.toFixed(3)}: ${advice} \`bpp\``;
  if (asked !== undefined && Math.abs(psnr - asked) > DB_OFF)
    return `asked for ${asked} dB, came to ${decibels(psnr)}: ${advice} \`psnr\``;
  return undefined;
}

function resolve(media: Media, options: EncodeOptions): LatentSettings {
  if (media.kind !== 'image') {
    throw new OptionError('family', `latent is for pictures, the medium is ${media.kind}; take sine`);
  }
  if (media.channels > MAX_PLANES) {
    throw new OptionError(
      'family',
      `latent takes up to ${MAX_PLANES} channels, the picture has ${media.channels}; take sine`,
    );
  }
  const name = sineOption(options);
  if (name !== undefined) {
    throw new OptionError(name, 'is for the sine family; leave it out, or give `family` sine');
  }
  if (options.preset !== undefined && options.preset !== 'small') {
    throw new OptionError(
      'preset',
      `${options.preset} is for the sine family, and latents have \`effort\`; give one of them`,
    );
  }
  const effort = options.effort ?? 'normal';
  if (!EFFORTS.includes(effort)) {
    throw new OptionError('effort', `'${String(effort)}' is no effort; give ${EFFORTS.join(' or ')}`);
  }
  const { grid, notice } = makeGrid(media.shape, partitioning(media, options));
  const [tall, wide] = grid.largestCell();
  if (Math.max(tall, wide) > MAX_CELL) {
    throw new OptionError('cell', `makes partitions of ${tall}x${wide} samples, the limit is ${MAX_CELL}`);
  }
  if (grid.largestCell().some((length, axis) => length < Math.min(MIN_CELL, media.shape[axis]))) {
    throw new OptionError(
      'cell',
      `makes partitions of ${tall}x${wide} samples, latents take ${MIN_CELL}x${MIN_CELL} at least`,
    );
  }
  return { grid, effort, seed: checkSeed(options.seed), notices: notice === undefined ? [] : [notice] };
}

function partitioning(
  { shape }: Media,
  { grid, cell, bpp = Infinity }: EncodeOptions,
): { counts: readonly number[] } | { cell: readonly number[] } {
  if (grid !== undefined && cell !== undefined) {
    throw new OptionError('cell', 'given together with `grid`; give one of them');
  }
  if (grid !== undefined) return { counts: grid };
  const samples = bpp < LARGE_CELL_BELOW_BPP ? LARGE_CELL : DEFAULT_CELL;
  return { cell: cell ?? shape.map((length) => Math.min(samples, length)) };
}

/** The set of built-in weights that new files take where it has their kind of picture. */
const DEFAULT_SET = 1;

/** Planes of channels: brightness and alpha from level 0 on, colour, which is smoother, from level 1. */
function architectureOf({ format }: Media, amplitude: number): LatentArchitecture {
  const { channels } = format;
  const colours = channels - (alphaChannel(format) < 0 ? 0 : 1);
  const architecture = {
    levels: LEVELS,
    finestLevels: Array.from({ length: channels }, (_, plane) =>
      colours >= 3 && plane > 0 && plane < colours ? 1 : 0,
    ),
    hiddenWidth: HIDDEN_WIDTH,
    outputs: channels,
    amplitude: Math.fround(amplitude),
  };
  return hasDefaultWeights({ ...architecture, defaultSet: DEFAULT_SET })
    ? { ...architecture, defaultSet: DEFAULT_SET }
    : architecture;
}

interface Prepared {
  readonly content: Parameters<typeof writeContainer>[1];
  readonly report: Omit<EncodeReport, 'bytes' | 'bitsPerSample'>;
}

async function train(
  media: Media,
  settings: LatentSettings,
  engine: Engine,
  options: EncodeOptions,
): Promise<Prepared> {
  const { grid, effort, seed } = settings;
  const { signal } = options;
  const budget = checkBudget(options);
  const groups = groupsOf(grid);
  const hash = sha256.create();
  const read = (ordinal: number): ReturnType<Media['read']> => media.read(grid.boxOf(ordinal), signal);
  const targetsOf = async (ordinals: readonly number[], amplitude: number): Promise<TargetPartition[]> => {
    const targets = [];
    for (const ordinal of ordinals) {
      targets.push(latentTarget(await read(ordinal), partitionShape(grid, ordinal), media.format, amplitude));
    }
    return targets;
  };
  const target = targetOf(media, grid, options);
  const sizesOf = (ordinals: readonly number[]): number[] =>
    ordinals.map((ordinal) => boxSize(grid.boxOf(ordinal)));
  const stepsOf = (ordinals: readonly number[]): number => latentSteps(budget, effort, sizesOf(ordinals));
  const steps = stepsOf(groups[0]);
  const report = new LatentProgressReport(media, options.onProgress);
  /** A short run, by which the amplitude is found. */
  const pilot = async (amplitude: number, plan: PilotPlan, before?: EncodedPartitions): Promise<Pilot> => {
    let last: LatentProgress | undefined;
    const encoded = await encodePartitions(
      engine,
      architectureOf(media, amplitude),
      await targetsOf(groups[0], amplitude),
      {
        recipe: {
          ...LATENT_RECIPE,
          latentRate: plan.latentRateFactor * LATENT_RECIPE.latentRate,
        },
        steps: pilotSteps(plan, steps, sizesOf(groups[0])),
        seed,
        ...(budget.seconds !== undefined && { seconds: MOST_PILOT * budget.seconds }),
        ...(before && { initial: before.stored }),
        onProgress: (progress) => (last = progress),
        ...(signal && { signal }),
      },
    );
    if (last === undefined) throw new Error('a pilot has a step');
    return { encoded, last };
  };
  const { amplitude, encoded: initial } =
    target === undefined
      ? { amplitude: DEFAULT_AMPLITUDE, encoded: undefined }
      : await chooseAmplitude(target, pilot);
  const pilotSeconds = report.seconds;
  let architecture = architectureOf(media, amplitude);
  const payloads = new Array<Uint8Array>(grid.count);
  let trained: EncodedPartitions | undefined;
  for (const ordinals of groups) {
    for (const ordinal of ordinals) {
      const samples = await read(ordinal);
      hash.update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
    }
    const share = ordinals.length / grid.count;
    report.begin(share);
    trained = await encodePartitions(
      engine,
      architecture,
      await targetsOf(ordinals, architecture.amplitude),
      {
        recipe: LATENT_RECIPE,
        steps: stepsOf(ordinals),
        seed,
        ...(budget.seconds !== undefined && {
          // Without what pilots took, but for a third at least.
          seconds: Math.max(budget.seconds / 3, budget.seconds - pilotSeconds) * share,
        }),
        ...(trained
          ? { shared: trained.stored }
          : { ...(target && { target }), ...(initial && { initial: initial.stored }) }),
        onProgress: (progress) => report.step(progress, architecture.amplitude),
        ...(signal && { signal }),
      },
    );
    architecture = { ...architecture, amplitude: trained.amplitude };
    for (const [i, ordinal] of ordinals.entries()) payloads[ordinal] = trained.payloads[i];
  }
  if (trained === undefined) throw new Error('a grid has at least one partition');
  const header: LatentSignal = {
    kind: 'image',
    role: 'primary',
    format: media.format,
    ...(media.colour && { colour: media.colour }),
    firstShape: media.shape,
    latents: {
      architecture,
      nominalCell: grid.largestCell(),
      shared: encodeShared(architecture, trained.stored),
    },
  };
  const { seconds } = report;
  const quality = await measureLatents(
    engine,
    { ...header, grid, payloads },
    (box) => media.read(box, signal),
    signal,
  );
  const parameters = countSignalParameters(header, {
    grid,
    chunks: {
      ordinals: Int32Array.from({ length: grid.count }, (_, ordinal) => ordinal),
      payloadLengths: Uint32Array.from(payloads, ({ length }) => length),
    },
  });
  const stoppedBy = budget.seconds === undefined ? ('iterations' as const) : ('seconds' as const);
  const own = {
    kind: media.kind,
    ...quality,
    iterations: report.iterations,
    parameters,
    overviews: [],
    grid: grid.shape,
    stoppedBy,
  };
  return {
    content: {
      header: {
        signals: [header],
        digest: hash.update(new TextEncoder().encode(JSON.stringify([architecture, seed, effort]))).digest(),
        writer: WRITER_NAME,
      },
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

/** Bytes of a file besides shared weights and chunks: superblock, header and index; a head and a length of every chunk. */
const FILE_BYTES = 224 + 320 + 150;
const CHUNK_BYTES = 6;
/** Bytes of shared weights, about. */
const SHARED_BYTES = 1000;

/** What latents are to come to so that the file does. */
function targetOf(
  { kind, format }: Media,
  grid: Grid,
  { bpp, psnr }: EncodeOptions,
): LatentTarget | undefined {
  if (bpp !== undefined && !(bpp > 0)) throw new OptionError('bpp', `${bpp} is no number of bits above 0`);
  if (bpp !== undefined && psnr !== undefined) {
    throw new OptionError('psnr', 'given together with `bpp`, which decides on it; give one of them');
  }
  if (psnr !== undefined) {
    const peak = signalPeak(kind, format) / Math.abs(format.mapping.scale);
    return { squaredError: peak ** 2 / 10 ** (psnr / 10) };
  }
  if (bpp === undefined) return undefined;
  const samples = boxSize(grid.extent);
  const fixed = (8 * (FILE_BYTES + SHARED_BYTES + CHUNK_BYTES * grid.count)) / samples;
  if (!(bpp > fixed)) {
    throw new OptionError(
      'bpp',
      `${bpp} is too little: header and index alone take ${fixed.toFixed(3)} bits a sample of this picture`,
    );
  }
  return { bits: bpp - fixed };
}

/** Partitions that are trained together: first those that the shared weights are trained by, spread evenly, then the others. */
function groupsOf(grid: Grid): number[][] {
  const samples = grid.largestCell().reduce((product, length) => product * length, 1);
  const most = Math.max(1, Math.floor(JOINT_SAMPLES / samples));
  const all = Array.from({ length: grid.count }, (_, ordinal) => ordinal);
  if (all.length <= most) return [all];
  const isFirst = new Set(
    Array.from({ length: most }, (_, i) => Math.floor(((i + 0.5) * all.length) / most)),
  );
  const groups = [all.filter((ordinal) => isFirst.has(ordinal))];
  const rest = all.filter((ordinal) => !isFirst.has(ordinal));
  for (let at = 0; at < rest.length; at += most) groups.push(rest.slice(at, at + most));
  return groups;
}
