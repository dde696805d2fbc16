// Optimiser steps, shared among threads.
//
// Where global weights stand still, a partition goes through all steps of a call before the next one comes, its weights,
// moments and lattice patch in the cache, and nobody waits for anybody until the call's end.
//
// Phase one: blocks of work items are claimed by an atomic counter. An item is one partition, or a share of the samples
// of one where partitions are few. Each block sums its global gradient in a buffer of its own, in item order.
// Phase two: the parameters with several partial gradients are claimed in ranges; partial sums are added in block order.
// So sums depend on blocks, never on threads, and any number of threads gives the same bytes.
//
// Passes over memory: samples once, local weights and moments once; everything else stays in the cache.
import {
  G, H, addsMerge, globalWeights, inputs, latticeStride, layerFloats, levelInputs, levelOffset, levels, outputs,
  projectionOffset,
} from './plan';
import {
  BOX_SHAPE, ITEM_BOX, ITEM_BYTES, ITEM_COUNT, ITEM_ERROR, ITEM_FIRST, ITEM_GRADIENT, ITEM_ORDER, ITEM_PARTITION,
  ITEM_PATCH, ITEM_POWER1, ITEM_POWER2, ITEM_RATE_FACTOR, ITEM_SAMPLES, ITEM_SECOND, ITEM_SHARE, ITEM_STATE,
  ITEM_UPDATES, ITEM_VERSION, ITEM_WEIGHT, ITEM_WEIGHTS, JOB_ALPHA, JOB_ALPHA_SCALE, JOB_ARRIVED, JOB_BATCH, JOB_BATCHES,
  JOB_BETA1, JOB_BETA2, JOB_BLOCK_COUNT, JOB_EPSILON, JOB_FACTOR_DECAY, JOB_GLOBAL_FIRST, JOB_GLOBAL_GRADIENT,
  JOB_GLOBAL_RATE, JOB_GLOBAL_REFRESHES, JOB_GLOBAL_ROOT, JOB_GLOBAL_SECOND, JOB_GLOBAL_STARTS, JOB_GLOBAL_STATE,
  JOB_GLOBAL_STRIDE, JOB_IS_SOAP, JOB_ITEMS, JOB_ITEM_COUNT, JOB_LOCAL_BOUNDS, JOB_LOCAL_RATES,
  JOB_LOSS_SCALE,
  JOB_NEXT_BLOCK, JOB_NEXT_RANGE, JOB_OUTPUT_RATE_FACTOR, JOB_PARTITIONS, JOB_REFRESH_STEPS, JOB_SAMPLE_OFFSET, JOB_SAMPLE_SCALE,
  JOB_SAMPLE_TYPE, JOB_SHARES, JOB_STEPS, JOB_THREADS, JOB_TRAIN_GLOBAL, JOB_TURN, JOB_USE_ORDER, JOB_VERSION,
} from '../records';
import { TILE } from './product';
import { outputDifference, outputTile, targetTile, weightTile } from './scratch';
import { fillCoordinates, setPosition } from './coordinates';
import {
  clearPatchDifference, findCorners, latticeBackward, latticeForward, scatterDifferences, setPatchAxis,
} from './lattice';
import { backward, forward, transposeGlobal, transposeLocal, usesLattice } from './network';
import { adam, sumParts } from './adam';
import { soap, soapFloats } from './soap';

let job: usize = 0;

/** Floats of one local network, padding included. */
export function localFloats(): i32 {
  return <i32>(levelOffset(levels + 1, H) >> 2) + layerFloats(H, outputs);
}

/** Floats of the global network with the merge, padding included; 0 without one. */
export function globalFloats(): i32 {
  if (G == 0) return 0;
  return <i32>(levelOffset(levels + 1, G) >> 2) + (addsMerge ? levels * layerFloats(G, H) : layerFloats(H + G, H));
}

// Layers of the global network and the merge: the merge's come behind the network's.
function globalLayers(): i32 { return levels + (addsMerge ? levels : 1); }
function globalLayerInputs(layer: i32): i32 {
  if (layer <= levels) return levelInputs(layer, G);
  return addsMerge ? G : H + G;
}
function globalLayerOutputs(layer: i32): i32 { return layer <= levels ? G : H; }
function globalLayerOffset(layer: i32): usize {
  return layer <= levels || !addsMerge ? levelOffset(layer, G) : projectionOffset(layer - levels);
}

export function setJob(at: usize): void { job = at; }

// One sample value as the source stores it. Types: 0 uint8, 1 uint16, 2 float32.
// @ts-ignore: decorator
@inline
function sampleAt(samples: usize, index: i32, type: i32): f32 {
  if (type == 0) return <f32>load<u8>(samples + <usize>index);
  if (type == 1) return <f32>load<u16>(samples + (<usize>index << 1));
  return load<f32>(samples + (<usize>index << 2));
}

// Positions, targets and weights of up to 32 samples from `from` in the item's order.
function fillTile(item: usize, from: i32, lanes: i32): void {
  const order = load<i32>(job + JOB_USE_ORDER) ? <usize>load<u32>(item + ITEM_ORDER) : 0;
  const samples = <usize>load<u32>(item + ITEM_SAMPLES);
  const type = load<i32>(job + JOB_SAMPLE_TYPE), alpha = load<i32>(job + JOB_ALPHA);
  const scale = load<f32>(job + JOB_SAMPLE_SCALE), offset = load<f32>(job + JOB_SAMPLE_OFFSET);
  for (let lane = 0; lane < lanes; lane++) {
    const index = order ? load<i32>(order + (<usize>(from + lane) << 2)) : from + lane;
    let rest = index;
    for (let axis = inputs - 1; axis >= 0; axis--) {
      const length = load<i32>(item + ITEM_BOX + BOX_SHAPE + (<usize>axis << 2));
      const quotient = rest / length;
      const begin = load<i32>(item + ITEM_BOX + (<usize>axis << 2));
      setPosition(axis, lane, <f64>(begin + rest - quotient * length) + 0.5);
      rest = quotient;
    }
    const first = index * outputs;
    const at = <usize>lane << 2;
    let colourWeight: f32 = 1;
    if (alpha >= 0) colourWeight = sampleAt(samples, first + alpha, type) * load<f32>(job + JOB_ALPHA_SCALE);
    for (let channel = 0; channel < outputs; channel++) {
      const row = <usize>(channel * TILE) << 2;
      store<f32>(targetTile + row + at, sampleAt(samples, first + channel, type) * scale + offset);
      store<f32>(weightTile + row + at, channel == alpha ? <f32>1 : colourWeight);
    }
  }
  fillCoordinates(item + ITEM_BOX, lanes);
}

// Sums of the present batch's squared errors and of their weights.
let batchError: f64 = 0, batchWeight: f64 = 0;

// Loss of the tile, and its difference; lanes beyond the batch count nothing.
function tileLoss(lanes: i32, factor: f32): void {
  let error: f64 = 0, weights: f64 = 0;
  for (let channel = 0; channel < outputs; channel++) {
    for (let lane = 0; lane < TILE; lane++) {
      const at = <usize>(channel * TILE + lane) << 2;
      if (lane >= lanes) {
        store<f32>(outputDifference + at, 0);
        continue;
      }
      const difference = load<f32>(outputTile + at) - load<f32>(targetTile + at);
      const weight = load<f32>(weightTile + at);
      store<f32>(outputDifference + at, difference * weight * factor);
      error += <f64>(difference * difference * weight);
      weights += <f64>weight;
    }
  }
  batchError += error;
  batchWeight += weights;
}

// Adds the batch's sums to the item's, rounded to f32: sums of such numbers are exact in f64, so that they are the same
// however many steps a call takes, and what is decided by them is too.
function reportBatch(item: usize): void {
  store<f64>(item + ITEM_ERROR, load<f64>(item + ITEM_ERROR) + <f64><f32>batchError);
  store<f64>(item + ITEM_WEIGHT, load<f64>(item + ITEM_WEIGHT) + <f64><f32>batchWeight);
}

/** Sets the patch to all lattice points around a partition. */
function setPartitionPatch(item: usize): void {
  for (let axis = 0; axis < inputs; axis++) {
    const begin = load<i32>(item + ITEM_BOX + (<usize>axis << 2));
    const end = begin + load<i32>(item + ITEM_BOX + BOX_SHAPE + (<usize>axis << 2));
    const first = <i32>Math.floor(<f64>begin / <f64>latticeStride);
    const last = <i32>Math.ceil(<f64>end / <f64>latticeStride);
    setPatchAxis(axis, first, last - first + 1);
  }
}

// Lattice projections of the partition, unless those it has are of the present global weights.
function preparePatch(item: usize, patch: usize, trainsGlobal: bool): void {
  setPartitionPatch(item);
  const version = load<i32>(job + JOB_VERSION);
  if (trainsGlobal || load<i32>(item + ITEM_VERSION) != version) latticeForward(patch, trainsGlobal);
  store<i32>(item + ITEM_VERSION, version);
  if (trainsGlobal) clearPatchDifference();
}

// Gradients of one batch, the `step`-th of the call.
function trainItem(item: usize, globalGradient: usize, step: i32): void {
  const local = <usize>load<u32>(item + ITEM_WEIGHTS);
  const gradient = <usize>load<u32>(item + ITEM_GRADIENT);
  const patch = <usize>load<u32>(item + ITEM_PATCH);
  const lattice = usesLattice();
  memory.fill(gradient, 0, <usize>localFloats() << 2);
  transposeLocal(local);
  if (lattice) preparePatch(item, patch, globalGradient != 0);
  // 64-bit: batch numbers times samples exceed 32.
  const count = <i64>load<i32>(item + ITEM_COUNT), batches = <i64>load<i32>(job + JOB_BATCHES);
  const slice = (<i64>load<i32>(job + JOB_BATCH) + <i64>step + <i64>load<i32>(item + ITEM_PARTITION)) % batches;
  const begin = slice * count / batches, length = (slice + 1) * count / batches - begin;
  let lossScale = load<f32>(job + JOB_LOSS_SCALE);
  if (lossScale == 0) lossScale = <f32>2 / <f32>(max(length, 1) * outputs);
  const shares = <i64>load<i32>(job + JOB_SHARES), share = <i64>load<i32>(item + ITEM_SHARE);
  const end = <i32>(begin + (share + 1) * length / shares);
  batchError = batchWeight = 0;
  for (let from = <i32>(begin + share * length / shares); from < end; from += TILE) {
    const lanes = min(end - from, TILE);
    fillTile(item, from, lanes);
    if (lattice) findCorners(patch);
    forward(local, true);
    tileLoss(lanes, lossScale);
    backward(gradient, globalGradient);
    if (lattice && globalGradient) scatterDifferences(patch, lanes);
  }
  if (lattice && globalGradient) latticeBackward(globalGradient);
  reportBatch(item);
}

// When bases follow their factors (optimiser.ts has the same rule).
function refreshesBases(update: i32): bool {
  const steps = load<i32>(job + JOB_REFRESH_STEPS);
  return update % steps == 0 || (update <= steps && (update & (update - 1)) == 0);
}

// SOAP on one layer of a network whose weights, moments, gradient and state are given.
function soapLayer(
  offset: usize, stateOffset: usize, layerInputs: i32, layerOutputs: i32,
  weights: usize, first: usize, second: usize, gradient: usize, state: usize,
  rate: f32, rootFactor: f32, isFirst: bool, refreshes: bool,
): void {
  soap(
    weights + offset, first + offset, second + offset, gradient + offset, state + stateOffset, layerInputs, layerOutputs,
    load<f32>(job + JOB_BETA1), load<f32>(job + JOB_BETA2), load<f32>(job + JOB_EPSILON),
    rate, rootFactor, load<f32>(job + JOB_FACTOR_DECAY), isFirst, refreshes,
  );
}

/** Floats of SOAP's state for one local network. */
export function localStateFloats(): i32 {
  let floats = 0;
  for (let level = 1; level <= levels + 1; level++) floats += soapFloats(levelInputs(level, H), level > levels ? outputs : H);
  return floats;
}

/** Floats of SOAP's state for the global network and the merge. */
export function globalStateFloats(): i32 {
  if (G == 0) return 0;
  let floats = 0;
  for (let layer = 1; layer <= globalLayers(); layer++) floats += soapFloats(globalLayerInputs(layer), globalLayerOutputs(layer));
  return floats;
}

// Adam on `count` floats of a local network from a byte offset on.
function adamRange(item: usize, offset: usize, count: i32, rate: f32, rootFactor: f32): void {
  adam(
    <usize>load<u32>(item + ITEM_WEIGHTS) + offset, <usize>load<u32>(item + ITEM_FIRST) + offset,
    <usize>load<u32>(item + ITEM_SECOND) + offset, <usize>load<u32>(item + ITEM_GRADIENT) + offset, count,
    load<f32>(job + JOB_BETA1), load<f32>(job + JOB_BETA2), load<f32>(job + JOB_EPSILON), rate, rootFactor,
  );
}

// Sets what has left its bounds to them.
function boundLocal(item: usize): void {
  const bounds = <usize>load<u32>(job + JOB_LOCAL_BOUNDS);
  if (bounds == 0) return;
  const weights = <usize>load<u32>(item + ITEM_WEIGHTS);
  const end = <usize>localFloats() << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const bound = v128.load(bounds + at);
    v128.store(weights + at, f32x4.max(f32x4.neg(bound), f32x4.min(bound, v128.load(weights + at))));
  }
}

// Partitions count their own updates: not every step is theirs.
function updateLocal(item: usize, step: i32): void {
  moveLocal(item, step);
  boundLocal(item);
}

function moveLocal(item: usize, step: i32): void {
  const update = load<i32>(item + ITEM_UPDATES) + 1;
  store<i32>(item + ITEM_UPDATES, update);
  const beta1 = load<f32>(job + JOB_BETA1), beta2 = load<f32>(job + JOB_BETA2);
  const power1 = load<f64>(item + ITEM_POWER1) * <f64>beta1, power2 = load<f64>(item + ITEM_POWER2) * <f64>beta2;
  store<f64>(item + ITEM_POWER1, power1);
  store<f64>(item + ITEM_POWER2, power2);
  const rates = <usize>load<u32>(job + JOB_LOCAL_RATES);
  const rate = <f32>(
    <f64>load<f32>(rates + (<usize>step << 2)) * <f64>load<f32>(item + ITEM_RATE_FACTOR) / (1 - power1)
  );
  const rootFactor = <f32>(1 / Math.sqrt(1 - power2));
  const outputRate = rate * load<f32>(job + JOB_OUTPUT_RATE_FACTOR);
  if (load<i32>(job + JOB_IS_SOAP)) {
    let stateOffset: usize = 0;
    for (let level = 1; level <= levels + 1; level++) {
      const layerInputs = levelInputs(level, H), layerOutputs = level > levels ? outputs : H;
      soapLayer(
        levelOffset(level, H), stateOffset, layerInputs, layerOutputs, load<u32>(item + ITEM_WEIGHTS), load<u32>(item + ITEM_FIRST),
        load<u32>(item + ITEM_SECOND), load<u32>(item + ITEM_GRADIENT), load<u32>(item + ITEM_STATE),
        level > levels ? outputRate : rate, rootFactor, update == 1,
        refreshesBases(update),
      );
      stateOffset += <usize>soapFloats(layerInputs, layerOutputs) << 2;
    }
    return;
  }
  const output = levelOffset(levels + 1, H);
  adamRange(item, 0, <i32>(output >> 2), rate, rootFactor);
  adamRange(item, output, layerFloats(H, outputs), outputRate, rootFactor);
}

// Parameters of one claim in phase two: 8 KB a buffer, small enough to share out, large enough to be worth a claim.
// @ts-ignore: decorator
@inline const RANGE: i32 = 2048;

function updateGlobalRange(range: i32): void {
  const start = range * RANGE;
  const count = min(RANGE, globalFloats() - start);
  const offset = <usize>start << 2;
  const gradient = <usize>load<u32>(job + JOB_GLOBAL_GRADIENT) + offset;
  sumParts(gradient, load<i32>(job + JOB_BLOCK_COUNT), <usize>load<u32>(job + JOB_GLOBAL_STRIDE), count);
  adam(
    globalWeights + offset, <usize>load<u32>(job + JOB_GLOBAL_FIRST) + offset, <usize>load<u32>(job + JOB_GLOBAL_SECOND) + offset,
    gradient, count, load<f32>(job + JOB_BETA1), load<f32>(job + JOB_BETA2), load<f32>(job + JOB_EPSILON),
    load<f32>(job + JOB_GLOBAL_RATE), load<f32>(job + JOB_GLOBAL_ROOT),
  );
}

function updateGlobalLayer(layer: i32): void {
  const offset = globalLayerOffset(layer);
  const layerInputs = globalLayerInputs(layer), layerOutputs = globalLayerOutputs(layer);
  let stateOffset: usize = 0;
  for (let before = 1; before < layer; before++) {
    stateOffset += <usize>soapFloats(globalLayerInputs(before), globalLayerOutputs(before)) << 2;
  }
  const gradient = <usize>load<u32>(job + JOB_GLOBAL_GRADIENT);
  sumParts(
    gradient + offset, load<i32>(job + JOB_BLOCK_COUNT), <usize>load<u32>(job + JOB_GLOBAL_STRIDE),
    layerFloats(layerInputs, layerOutputs),
  );
  soapLayer(
    offset, stateOffset, layerInputs, layerOutputs, globalWeights, load<u32>(job + JOB_GLOBAL_FIRST),
    load<u32>(job + JOB_GLOBAL_SECOND), gradient, load<u32>(job + JOB_GLOBAL_STATE), load<f32>(job + JOB_GLOBAL_RATE),
    load<f32>(job + JOB_GLOBAL_ROOT), load<i32>(job + JOB_GLOBAL_STARTS) != 0, load<i32>(job + JOB_GLOBAL_REFRESHES) != 0,
  );
}

/** Waits until every thread has come here. */
function barrier(): void {
  const threads = load<i32>(job + JOB_THREADS);
  if (threads <= 1) return;
  const turn = atomic.load<i32>(job + JOB_TURN);
  if (atomic.add<i32>(job + JOB_ARRIVED, 1) == threads - 1) {
    atomic.store<i32>(job + JOB_ARRIVED, 0);
    atomic.add<i32>(job + JOB_TURN, 1);
    atomic.notify(job + JOB_TURN, -1);
    return;
  }
  while (atomic.load<i32>(job + JOB_TURN) == turn) atomic.wait<i32>(job + JOB_TURN, turn, -1);
}

/** This thread's part of a call; every thread of the job calls it. */
export function trainStep(): void {
  const items = <usize>load<u32>(job + JOB_ITEMS);
  const itemCount = load<i32>(job + JOB_ITEM_COUNT), blocks = load<i32>(job + JOB_BLOCK_COUNT);
  const shares = load<i32>(job + JOB_SHARES), steps = load<i32>(job + JOB_STEPS);
  const trainGlobal = load<i32>(job + JOB_TRAIN_GLOBAL) != 0;
  transposeGlobal();
  for (;;) {
    const block = atomic.add<i32>(job + JOB_NEXT_BLOCK, 1);
    if (block >= blocks) break;
    let globalGradient: usize = 0;
    if (trainGlobal) {
      const stride = <usize>load<u32>(job + JOB_GLOBAL_STRIDE);
      globalGradient = <usize>load<u32>(job + JOB_GLOBAL_GRADIENT) + <usize>block * stride;
      memory.fill(globalGradient, 0, stride);
    }
    const end = (block + 1) * itemCount / blocks;
    for (let index = block * itemCount / blocks; index < end; index++) {
      const item = items + <usize>index * ITEM_BYTES;
      store<f64>(item + ITEM_ERROR, 0);
      store<f64>(item + ITEM_WEIGHT, 0);
      if (load<f32>(item + ITEM_RATE_FACTOR) == 0) continue;
      for (let step = 0; step < steps; step++) {
        trainItem(item, globalGradient, step);
        if (shares == 1) updateLocal(item, step);
      }
    }
  }
  barrier();
  const isSoap = load<i32>(job + JOB_IS_SOAP) == 1;
  const globalRanges = trainGlobal ? (isSoap ? globalLayers() : (globalFloats() + RANGE - 1) / RANGE) : 0;
  const ranges = globalRanges + (shares > 1 ? load<i32>(job + JOB_PARTITIONS) : 0);
  for (;;) {
    const range = atomic.add<i32>(job + JOB_NEXT_RANGE, 1);
    if (range >= ranges) break;
    if (range < globalRanges) {
      if (isSoap) updateGlobalLayer(range + 1);
      else updateGlobalRange(range);
      continue;
    }
    const item = items + <usize>((range - globalRanges) * shares) * ITEM_BYTES;
    if (load<f32>(item + ITEM_RATE_FACTOR) == 0) continue;
    const next = <usize>load<u32>(item + ITEM_BYTES + ITEM_GRADIENT);
    const gradient = <usize>load<u32>(item + ITEM_GRADIENT);
    sumParts(gradient, shares, next - gradient, localFloats());
    updateLocal(item, 0);
  }
}
