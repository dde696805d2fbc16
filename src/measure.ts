import { loadCoder } from '../codec/coder/load-coder.js';
import { planDecode } from '../codec/decode.js';
import type { Engine, Evaluator } from '../codec/engine/engine.js';
import { boxShape, boxSize, type Box, type Grid } from '../codec/grid.js';
import { ErrorSums, Overlap, type SampleErrors } from '../codec/metrics.js';
import {
  allocateSamples,
  signalPeak,
  type SampleArray,
  type SampleFormat,
  type SignalKind,
} from '../codec/signal.js';
import type { Budget } from '../codec/train.js';
import { globalWeightsOf } from './container/global-weights.js';
import type { SineSignal } from './container/header.js';
import { localWeightsOf } from './container/local-weights.js';
import { MeanSimilarity } from './mean-similarity.js';

/** Side of the squares that are decoded and compared at a time: a million samples, enough for every thread. */
const SQUARE_SIDE = 1024;

/** Networks as they go into a file, of every partition of a grid. */
export interface EncodedNetworks extends Pick<
  SineSignal,
  'kind' | 'model' | 'quantiser' | 'coder' | 'globalPayload' | 'format' | 'constantPartitions'
> {
  readonly grid: Grid;
  /** Local weights by the ordinal of their partition. */
  readonly payloads: readonly Uint8Array[];
}

/** How good a signal's networks are. */
export interface Quality {
  /** dB over every sample. */
  readonly psnr: number;
  /**
   * Of pictures, frames and slices, the mean; above 4 million positions over strips of rows, or frames and slices spread
   * evenly, with as many. Sound and shapes have none.
   */
  readonly ssim?: number;
  /** Of shapes: positions inside both, divided by those inside either. */
  readonly iou?: number;
}

/** dB that weights of a number of bits may lose against those in training: 11 bits lose less. */
const QUANTISER_ALLOWANCE_DB = 0.1;

/**
 * A budget whose PSNR is that of weights in training, for one that speaks of the file.
 *
 * @param roundingShare of weights that are rounded by what is measured.
 */
export function allowForQuantising(budget: Budget, roundingShare?: number): Budget {
  const allowanceDb =
    roundingShare === undefined ? QUANTISER_ALLOWANCE_DB : 10 * Math.log10(1 + roundingShare);
  return budget.psnr === undefined ? budget : { ...budget, psnr: budget.psnr + allowanceDb };
}

/** What is compared, part by part: both read boxes, row-major `[...box, channels]`, which come in the order of the first axis. */
export interface ComparedMedia {
  readonly kind: SignalKind;
  readonly format: SampleFormat;
  readonly extent: Box;
  readonly original: (box: Box) => Promise<SampleArray>;
  readonly decoded: (box: Box) => Promise<SampleArray>;
}

/** {@link Quality}, and the errors behind it. */
export type MeasuredQuality = Quality & SampleErrors;

/** Compares two media of one format; memory is that of a few parts. */
export async function compareByParts({
  kind,
  format,
  extent,
  original,
  decoded,
}: ComparedMedia): Promise<MeasuredQuality> {
  const errors = new ErrorSums(format);
  const similarity = hasSimilarity(kind) ? new MeanSimilarity(extent, format) : undefined;
  const overlap = kind === 'shape' ? new Overlap(format) : undefined;
  for (const core of partsOf(extent)) {
    const box = similarity === undefined ? core : similarity.boxFor(core);
    const [source, seen] = [await original(box), await decoded(box)];
    // What lies behind the core is another part's.
    forEachRow(box, core, format.channels, (begin, end) => {
      const [a, b] = [source.subarray(begin, end), seen.subarray(begin, end)];
      errors.add(a, b);
      overlap?.add(a, b);
    });
    similarity?.add(source, seen, box);
  }
  return {
    ...errors.errors(signalPeak(kind, format)),
    ...(similarity && { ssim: similarity.mean }),
    ...(overlap && { iou: overlap.ratio }),
  };
}

/**
 * Compares what a reader will see of a grid's partitions with their source, part by part: memory is that of a few parts.
 *
 * @param read gives the source's samples of a box, row-major `[...box, channels]`; boxes come in the order of the first axis.
 * @throws the signal's reason on abort.
 */
export async function measureQuality(
  engine: Engine,
  networks: EncodedNetworks,
  read: (box: Box) => Promise<SampleArray>,
  signal?: AbortSignal,
): Promise<Quality> {
  const { grid, format, kind } = networks;
  await loadCoder(networks.coder);
  const evaluator = await engine.createEvaluator(networks.model, globalWeightsOf(networks));
  try {
    const { psnr, ssim, iou } = await compareByParts({
      kind,
      format,
      extent: grid.extent,
      original: read,
      decoded: async (box) => {
        const samples = await decodeBox(evaluator, networks, box, signal);
        signal?.throwIfAborted();
        return samples;
      },
    });
    return { psnr, ...(ssim !== undefined && { ssim }), ...(iou !== undefined && { iou }) };
  } finally {
    await evaluator.dispose();
  }
}

function hasSimilarity(kind: SignalKind): boolean {
  return kind === 'image' || kind === 'video' || kind === 'volume';
}

/**
 * Boxes of about as many samples as a square of {@link SQUARE_SIDE}, in row-major order: squares of the last two axes, several
 * deep where they are small; a narrow picture gets long ones.
 */
function partsOf({ begin, end }: Box): Box[] {
  const most = SQUARE_SIDE ** 2;
  const shape = boxShape({ begin, end });
  const width = shape[shape.length - 1];
  const height = shape.length > 1 ? shape[shape.length - 2] : 1;
  const columns = Math.min(width, Math.max(SQUARE_SIDE, Math.floor(most / Math.min(height, SQUARE_SIDE))));
  const rows = Math.min(height, Math.max(SQUARE_SIDE, Math.floor(most / columns)));
  const depth = Math.max(1, Math.floor(most / (rows * columns)));
  const sides = [depth, rows, columns].slice(-shape.length);
  let parts: Box[] = [{ begin: [], end: [] }];
  sides.forEach((side, axis) => {
    const starts: number[] = [];
    for (let at = begin[axis]; at < end[axis]; at += side) starts.push(at);
    parts = parts.flatMap((part) =>
      starts.map((at) => ({
        begin: [...part.begin, at],
        end: [...part.end, Math.min(end[axis], at + side)],
      })),
    );
  });
  return parts;
}

/** Tells where the rows of a core lie among a box's samples; both begin at the same corner. */
function forEachRow(box: Box, core: Box, channels: number, take: (begin: number, end: number) => void): void {
  const whole = boxShape(box);
  const shape = boxShape(core);
  const last = shape.length - 1;
  const at = shape.map(() => 0);
  for (let row = boxSize(core) / shape[last]; row > 0; row--) {
    const begin = channels * at.reduce((offset, position, axis) => offset * whole[axis] + position, 0);
    take(begin, begin + shape[last] * channels);
    for (let axis = last - 1; axis >= 0 && ++at[axis] === shape[axis]; axis--) at[axis] = 0;
  }
}

async function decodeBox(
  evaluator: Evaluator,
  networks: EncodedNetworks,
  box: Box,
  signal?: AbortSignal,
): Promise<SampleArray> {
  const { grid, payloads, format } = networks;
  const plan = planDecode(grid, box, {}, format.channels);
  const data = allocateSamples(format.sampleType, boxSize(box) * format.channels);
  const target = { data, shape: plan.shape };
  const tasks = plan.tiles.map(({ ordinal, positions, box: { begin } }) => ({
    box: grid.boxOf(ordinal),
    weights: localWeightsOf(networks, payloads[ordinal], 'chunk'),
    positions,
    target,
    at: begin,
  }));
  await evaluator.decode(tasks, format, signal);
  return data;
}
