import { localTensors } from '../codec/architecture.js';
import { decodeWeights } from '../codec/coder/payload.js';
import { planDecode } from '../codec/decode.js';
import type { Engine, Evaluator } from '../codec/engine/engine.js';
import { boxShape, boxSize, intersect, type Box, type Grid } from '../codec/grid.js';
import { ErrorSums } from '../codec/metrics.js';
import { allocateSamples, type SampleArray } from '../codec/signal.js';
import { similaritySum, similarityWindow } from '../codec/structural-similarity.js';
import type { Budget } from '../codec/train.js';
import { globalWeightsOf } from './container/global-weights.js';
import type { SignalHeader } from './container/header.js';

/** Side of the squares that are decoded and compared at a time: a million samples, enough for every thread. */
const SQUARE_SIDE = 1024;

/**
 * Positions up to which SSIM is of all of them. It costs a microsecond each, twenty times what decoding does, so that of larger
 * pictures it is taken over strips with about so many.
 */
const SIMILARITY_POSITIONS = 1 << 22;

/** Networks as they go into a file, of every partition of a grid. */
export interface EncodedNetworks extends Pick<
  SignalHeader,
  'model' | 'quantiser' | 'coder' | 'globalPayload' | 'format'
> {
  readonly grid: Grid;
  /** Local weights by the ordinal of their partition. */
  readonly payloads: readonly Uint8Array[];
}

/** How good a picture's networks are. */
export interface Quality {
  /** dB over every sample. */
  readonly psnr: number;
  /** Over every position, or strips of as many rows of every 1,024 as make 4 million positions altogether. */
  readonly ssim: number;
}

/**
 * dB that quantised weights may lose against those in training, added to a target PSNR: the default weights lose less.
 */
const QUANTISER_ALLOWANCE_DB = 0.1;

/** A budget whose PSNR is that of weights in training, for one that speaks of the file. */
export function allowForQuantising(budget: Budget): Budget {
  return budget.psnr === undefined ? budget : { ...budget, psnr: budget.psnr + QUANTISER_ALLOWANCE_DB };
}

/**
 * Compares what a reader will see of a grid's partitions with their source, square by square: memory is that of a few squares.
 *
 * @param read gives the source's samples of a box, row-major `[...box, channels]`.
 * @throws the signal's reason on abort.
 */
export async function measureQuality(
  engine: Engine,
  networks: EncodedNetworks,
  read: (box: Box) => Promise<SampleArray>,
  signal?: AbortSignal,
): Promise<Quality> {
  const { grid, format } = networks;
  const [height, width] = boxShape(grid.extent) as [number, number];
  const window = similarityWindow([height, width]);
  const stripPart = Math.min(1, SIMILARITY_POSITIONS / (height * width));
  const errors = new ErrorSums(format);
  let [similarity, positions] = [0, 0];
  const evaluator = await engine.createEvaluator(networks.model, globalWeightsOf(networks));
  try {
    for (const core of squares(grid.extent)) {
      // Windows that begin in one square end in the next.
      const end = core.end.map((at) => at + window - 1);
      const box = intersect({ begin: core.begin, end }, grid.extent) ?? core;
      const original = await read(box);
      const decoded = await decodeBox(evaluator, networks, box, signal);
      signal?.throwIfAborted();
      addErrors(errors, original, decoded, box, core, format.channels);
      const shape = boxShape(box) as [number, number];
      if (shape.some((length) => length < window)) continue;
      const rows = Math.ceil((shape[0] - window + 1) * stripPart);
      const part = similaritySum(original, decoded, shape, format, window, rows);
      similarity += part.sum;
      positions += part.count;
    }
  } finally {
    await evaluator.dispose();
  }
  return { psnr: errors.errors().psnr, ssim: similarity / positions };
}

/** Boxes of about as many samples as a square of {@link SQUARE_SIDE}, row by row; a narrow picture gets long ones. */
function squares({ begin, end }: Box): Box[] {
  const [height, width] = boxShape({ begin, end });
  const most = SQUARE_SIDE ** 2;
  const columns = Math.min(width, Math.max(SQUARE_SIDE, Math.floor(most / Math.min(height, SQUARE_SIDE))));
  const rows = Math.min(height, Math.max(SQUARE_SIDE, Math.floor(most / columns)));
  const boxes: Box[] = [];
  for (let y = begin[0]; y < end[0]; y += rows) {
    for (let x = begin[1]; x < end[1]; x += columns) {
      boxes.push({ begin: [y, x], end: [Math.min(end[0], y + rows), Math.min(end[1], x + columns)] });
    }
  }
  return boxes;
}

/** Adds what lies in the core of a box, row by row: the rest is another square's. */
function addErrors(
  errors: ErrorSums,
  original: SampleArray,
  decoded: SampleArray,
  box: Box,
  core: Box,
  channels: number,
): void {
  const [, width] = boxShape(box);
  const [rows, columns] = boxShape(core);
  for (let y = 0; y < rows; y++) {
    const begin = y * width * channels;
    const end = begin + columns * channels;
    errors.add(original.subarray(begin, end), decoded.subarray(begin, end));
  }
}

async function decodeBox(
  evaluator: Evaluator,
  { grid, model, coder, payloads, quantiser, format }: EncodedNetworks,
  box: Box,
  signal?: AbortSignal,
): Promise<SampleArray> {
  const plan = planDecode(grid, box, {}, format.channels);
  const tensors = localTensors(model.architecture);
  const data = allocateSamples(format.sampleType, boxSize(box) * format.channels);
  const target = { data, shape: plan.shape };
  const tasks = plan.tiles.map(({ ordinal, positions, box: { begin } }) => ({
    box: grid.boxOf(ordinal),
    weights: decodeWeights(payloads[ordinal], tensors, quantiser.local, quantiser.format, coder, 'chunk'),
    positions,
    target,
    at: begin,
  }));
  await evaluator.decode(tasks, format, signal);
  return data;
}
