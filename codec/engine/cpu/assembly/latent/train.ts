// A training step of the latent family; every thread of the pool runs it.
//
// Phase one: partitions of the batch are claimed by an atomic counter. Each goes through relaxation, rate, upsampling and
// synthesis and back, moves its latents, and leaves its gradient of the shared weights in a place of its own. Phase two, behind
// all of these: the thread that comes last adds them up in the batch's order and moves the shared weights. So nothing depends on threads.
import {
  LATENT_ITEM_BITS, LATENT_ITEM_BYTES, LATENT_ITEM_ERROR, LATENT_ITEM_FIRST, LATENT_ITEM_HEIGHT, LATENT_ITEM_LATENTS,
  LATENT_ITEM_POWER1, LATENT_ITEM_POWER2, LATENT_ITEM_SECOND, LATENT_ITEM_UPDATES, LATENT_ITEM_WIDTH, LATENT_JOB_ARRIVED,
  LATENT_JOB_BATCH, LATENT_JOB_BATCH_COUNT, LATENT_JOB_BIT_FACTOR, LATENT_JOB_ERROR_FACTOR, LATENT_JOB_FIRST,
  LATENT_JOB_GRADIENTS, LATENT_JOB_IS_HARD, LATENT_JOB_ITEMS, LATENT_JOB_KEY, LATENT_JOB_LATENT_ADAM, LATENT_JOB_LATENT_RATE,
  LATENT_JOB_NEXT, LATENT_JOB_NOISE, LATENT_JOB_SECOND, LATENT_JOB_SHARED_ADAM, LATENT_JOB_SHARED_RATE,
  LATENT_JOB_SHARED_ROOT, LATENT_JOB_STRIDE, LATENT_JOB_TAP_FACTOR, LATENT_JOB_TEMPERATURE, LATENT_JOB_THREADS,
  MODEL_FLOATS, MODEL_SPREAD,
} from '../../latent-records';
import { adam, sumParts } from '../adam';
import { featureGradient, featureOf } from './features';
import { originOf, placeGrids } from './padded-grids';
import {
  grids, levelLength, levelOf, modelsOffset, mostHeight, mostWidth, paddedStride, partitionFloats, tapsOffset, weightFloats,
  weights,
} from './plan';
import { clearPads, learnBits } from './rate';
import { relaxRow, roundRow } from './relax';
import { learnSamples, transposeWeights } from './synthesis';

let job: usize = 0;
/** In the padded layout: relaxed values, their gradients, derivatives of values by latents. */
let values: usize = 0, gradients: usize = 0, slopes: usize = 0;

export function setJob(pointer: usize): void { job = pointer; }

export function setTraining(base: usize): usize {
  const bytes = ((<usize>partitionFloats(mostHeight, mostWidth) << 2) + 127) & ~63;
  values = base;
  gradients = base + bytes;
  slopes = base + 2 * bytes;
  return 3 * bytes;
}

// Latents to what the step sees of them: rounded, or softly rounded with noise.
function relax(item: usize, height: i32, width: i32): void {
  const isHard = load<i32>(job + LATENT_JOB_IS_HARD) != 0;
  const temperature = load<f32>(job + LATENT_JOB_TEMPERATURE), width2 = load<f32>(job + LATENT_JOB_NOISE);
  const latents = <usize>load<u32>(item + LATENT_ITEM_LATENTS);
  let number = load<i32>(job + LATENT_JOB_KEY) + <i32>(item - <usize>load<u32>(job + LATENT_JOB_ITEMS)) * 0x9e3779b9;
  for (let grid = 0; grid < grids; grid++) {
    const h = levelLength(height, levelOf(grid)), w = levelLength(width, levelOf(grid));
    const stride = <usize>paddedStride(w) << 2;
    let at = originOf(grid);
    for (let y = 0; y < h; y++) {
      if (isHard) roundRow(latents + at, values + at, slopes + at, w);
      else relaxRow(latents + at, values + at, slopes + at, w, number, temperature, width2);
      number += w;
      at += stride;
    }
  }
}

function learn(item: usize, gradient: usize): void {
  const height = load<i32>(item + LATENT_ITEM_HEIGHT), width = load<i32>(item + LATENT_ITEM_WIDTH);
  const floats = partitionFloats(height, width);
  placeGrids(height, width);
  memory.fill(values, 0, <usize>floats << 2);
  memory.fill(gradients, 0, <usize>floats << 2);
  memory.fill(slopes, 0, <usize>floats << 2);
  memory.fill(gradient, 0, <usize>weightFloats() << 2);
  relax(item, height, width);
  const bitFactor = load<f32>(job + LATENT_JOB_BIT_FACTOR);
  store<f64>(item + LATENT_ITEM_BITS, learnBits(values, gradients, height, width, bitFactor, gradient + modelsOffset()));
  for (let grid = 0; grid < grids; grid++) featureOf(grid, values, height, width);
  store<f64>(
    item + LATENT_ITEM_ERROR,
    learnSamples(item, height, width, load<f32>(job + LATENT_JOB_ERROR_FACTOR), gradient),
  );
  // Taps learn also where latents stay.
  for (let grid = 0; grid < grids; grid++) featureGradient(grid, gradients, height, width, gradient + tapsOffset());
  if (load<i32>(job + LATENT_JOB_IS_HARD) != 0) return;
  clearPads(gradients, height, width);
  moveLatents(item, floats);
}

function moveLatents(item: usize, floats: i32): void {
  const bytes = <usize>floats << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(gradients + at, f32x4.mul(v128.load(gradients + at), v128.load(slopes + at)));
  }
  const constants = job + LATENT_JOB_LATENT_ADAM;
  const beta1 = load<f32>(constants), beta2 = load<f32>(constants, 4);
  const power1 = load<f64>(item + LATENT_ITEM_POWER1) * <f64>beta1, power2 = load<f64>(item + LATENT_ITEM_POWER2) * <f64>beta2;
  store<f64>(item + LATENT_ITEM_POWER1, power1);
  store<f64>(item + LATENT_ITEM_POWER2, power2);
  store<i32>(item + LATENT_ITEM_UPDATES, load<i32>(item + LATENT_ITEM_UPDATES) + 1);
  adam(
    load<u32>(item + LATENT_ITEM_LATENTS), load<u32>(item + LATENT_ITEM_FIRST), load<u32>(item + LATENT_ITEM_SECOND),
    gradients, floats, beta1, beta2, load<f32>(constants, 8),
    <f32>(<f64>load<f32>(job + LATENT_JOB_LATENT_RATE) / (1 - power1)), <f32>(1 / Math.sqrt(1 - power2)),
  );
}

function moveShared(): void {
  const rate = load<f32>(job + LATENT_JOB_SHARED_RATE);
  if (rate == 0) return;
  const gradient = <usize>load<u32>(job + LATENT_JOB_GRADIENTS);
  const count = load<i32>(job + LATENT_JOB_BATCH_COUNT);
  sumParts(gradient, count, load<u32>(job + LATENT_JOB_STRIDE), weightFloats());
  const constants = job + LATENT_JOB_SHARED_ADAM, root = load<f32>(job + LATENT_JOB_SHARED_ROOT);
  const first = <usize>load<u32>(job + LATENT_JOB_FIRST), second = <usize>load<u32>(job + LATENT_JOB_SECOND);
  const tapRate = rate * load<f32>(job + LATENT_JOB_TAP_FACTOR);
  moveRange(gradient, first, second, 0, tapsOffset(), constants, rate, root);
  moveRange(gradient, first, second, tapsOffset(), modelsOffset(), constants, tapRate, root);
  moveRange(gradient, first, second, modelsOffset(), <usize>weightFloats() << 2, constants, rate, root);
  // A spread is a sum of magnitudes: none counts for less than nothing.
  for (let grid = 0; grid < grids; grid++) {
    const model = weights + modelsOffset() + (<usize>(grid * MODEL_FLOATS + MODEL_SPREAD) << 2);
    for (let at: usize = 0; at < 48; at += 16) v128.store(model + at, f32x4.max(v128.load(model + at), f32x4.splat(0)));
  }
}

// @ts-ignore: decorator
@inline
function moveRange(
  gradient: usize, first: usize, second: usize, begin: usize, end: usize, constants: usize, rate: f32, root: f32,
): void {
  adam(
    weights + begin, first + begin, second + begin, gradient + begin, <i32>((end - begin) >> 2),
    load<f32>(constants), load<f32>(constants, 4), load<f32>(constants, 8), rate, root,
  );
}

/** This thread's part of a step. */
export function trainStep(): void {
  const items = <usize>load<u32>(job + LATENT_JOB_ITEMS), batch = <usize>load<u32>(job + LATENT_JOB_BATCH);
  const count = load<i32>(job + LATENT_JOB_BATCH_COUNT);
  const gradients = <usize>load<u32>(job + LATENT_JOB_GRADIENTS), stride = <usize>load<u32>(job + LATENT_JOB_STRIDE);
  transposeWeights();
  for (;;) {
    const next = atomic.add<i32>(job + LATENT_JOB_NEXT, 1);
    if (next >= count) break;
    const item = items + <usize>load<u32>(batch + (<usize>next << 2)) * LATENT_ITEM_BYTES;
    learn(item, gradients + <usize>next * stride);
  }
  // Who comes last moves the shared weights; the others are done.
  if (atomic.add<i32>(job + LATENT_JOB_ARRIVED, 1) == load<i32>(job + LATENT_JOB_THREADS) - 1) {
    atomic.store<i32>(job + LATENT_JOB_ARRIVED, 0);
    moveShared();
  }
}
