// One tile of one partition through the network, forward and backward.
import {
  G, GLOBAL, Gp, H, Hp, LOCAL, MERGE, Mp, addsMerge, amplitude, appendOnes, fillRows, frequency, globalWeights, inputs,
  latticeStride, levelInputs, levelOffset, levels, outputs, pad4, phase, projectionOffset, shift,
} from './plan';
import {
  ROW, TILE, accumulateGradient, layer, layerFromZero, layerOntoTarget, layerTimesSlope, targetTimesSlope, transpose,
} from './product';
import { activate, activateWithSlope } from './sine';
import {
  features, globalDz, globalDzSpare, globalSlope, globalTransposed, localCoordinates, localDz, localSlope,
  localTransposed, mergeDz, mergeInput, mergeSlope, mergeStride, outputDifference, outputTile, projectionTransposed,
  signalCoordinates, transposedDz, transposedFeatures,
} from './scratch';
import { interpolate, keepMergeDifference } from './lattice';

/** Whether the global network is there, and whether it is seen through a lattice. */
// @ts-ignore: decorator
@inline export function usesLattice(): bool { return G > 0 && latticeStride > 0; }

// @ts-ignore: decorator
@inline
function applySine(role: i32, level: i32, tile: usize, slope: usize, rows: i32, training: bool): void {
  const w = frequency(role, level);
  if (training) activateWithSlope(tile, slope, rows, w, phase(role), amplitude(role), shift(role));
  else activate(tile, rows, w, phase(role), amplitude(role), shift(role));
}

/** Pads what a gradient product reads behind `count` features. */
// @ts-ignore: decorator
@inline
function padFeatures(tile: usize, count: i32, training: bool): void {
  if (training) appendOnes(tile, count);
}

// Adds the first rows of another tile to those of one.
function addRows(tile: usize, other: usize, rows: i32): void {
  const end = <usize>rows * ROW;
  for (let at: usize = 0; at < end; at += 16) {
    v128.store(tile + at, f32x4.add(v128.load(tile + at), v128.load(other + at)));
  }
}

// Multiplies the first rows of a tile by slopes into another, which may be the same.
function timesSlope(tile: usize, slope: usize, target: usize, rows: i32): void {
  const end = <usize>rows * ROW;
  for (let at: usize = 0; at < end; at += 16) {
    v128.store(target + at, f32x4.mul(v128.load(tile + at), v128.load(slope + at)));
  }
}

/**
 * Outputs [outputs, 32] of the tile's coordinates. With a lattice, for training the corners must have been found, and for
 * evaluation the projections interpolated.
 *
 * @param local the partition's weights
 */
export function forward(local: usize, training: bool): void {
  const exact = G > 0 && latticeStride == 0;
  const lattice = usesLattice();
  const merge = globalWeights + levelOffset(levels + 1, G);
  if (lattice && training) interpolate();
  for (let level = 1; level <= levels; level++) {
    const weights = local + levelOffset(level, H);
    const depth = levelInputs(level, H);
    const bias = weights + (<usize>(depth * Hp) << 2);
    const out = features(level);
    if (G == 0) {
      layer(weights, Hp << 2, bias, features(level - 1), out, H, depth);
      applySine(LOCAL, level, out, localSlope(level), H, training);
      padFeatures(out, H, training);
      continue;
    }
    const input = mergeInput(level);
    layer(weights, Hp << 2, bias, features(level - 1), input, H, depth);
    applySine(LOCAL, level, input, localSlope(level), H, training);
    if (exact) {
      const globalDepth = levelInputs(level, G);
      const globalLayer = globalWeights + levelOffset(level, G);
      const globalIn = level == 1 ? signalCoordinates : mergeInput(level - 1) + <usize>H * ROW;
      const globalOut = input + <usize>H * ROW;
      layer(globalLayer, Gp << 2, globalLayer + (<usize>(globalDepth * Gp) << 2), globalIn, globalOut, G, globalDepth);
      applySine(GLOBAL, level, globalOut, globalSlope(level), G, training);
      padFeatures(input, H + G, training);
      const projection = globalWeights + projectionOffset(level), mergeBias = projection + (<usize>(G * Hp) << 2);
      if (addsMerge) layer(projection, Hp << 2, mergeBias, globalOut, out, H, G);
      else layer(merge, Hp << 2, mergeBias, input, out, H, H + G);
    } else if (!addsMerge) {
      layerOntoTarget(merge, Hp << 2, input, out, H, H);
    }
    applySine(MERGE, level, out, mergeSlope(level), H, training);
    if (addsMerge) addRows(out, input, H);
    padFeatures(out, H, training);
  }
  const last = local + levelOffset(levels + 1, H);
  layer(last, Mp << 2, last + (<usize>(H * Mp) << 2), features(levels), outputTile, outputs, H);
}

// dW of a layer from feature-major features [depth + 1, 32] and dZ [columns, 32].
function layerGradient(from: usize, depth: i32, dz: usize, columns: i32, gradient: usize): void {
  const rows = pad4(depth + 1);
  transpose(from, ROW, transposedFeatures, rows << 2, rows, TILE);
  transpose(dz, ROW, transposedDz, columns << 2, columns, TILE);
  accumulateGradient(transposedFeatures, transposedDz, columns << 2, gradient, rows, columns);
}

// Slopes of features(level): the merge's, or the local network's where there is no merge.
// @ts-ignore: decorator
@inline
function featureSlope(level: i32): usize { return G > 0 ? mergeSlope(level) : localSlope(level); }

// dZ of what made features(level), from dZ of the layer that takes them; where the merge adds, the difference of the features themselves.
// @ts-ignore: decorator
@inline
function featureDifference(transposed: usize, dz: usize, level: i32, target: usize, depth: i32): void {
  if (addsMerge && G > 0) layerFromZero(transposed, Hp << 2, dz, target, H, depth);
  else layerTimesSlope(transposed, Hp << 2, dz, featureSlope(level), target, H, depth);
}

/**
 * Adds the tile's gradients, given `outputDifference` = dLoss/dOutput [outputs, 32] with its padding zero.
 *
 * @param localGradient laid out as the local weights
 * @param globalGradient laid out as the global weights; 0 where they are frozen
 */
export function backward(localGradient: usize, globalGradient: usize): void {
  const exact = G > 0 && latticeStride == 0;
  const mergeAt = levelOffset(levels + 1, G);
  const stride = mergeStride();
  // dZ of what made features(level), and of the local layer of that level; the same where there is no merge.
  let upper = mergeDz, lower = localDz;
  let ofGlobal = globalDz, spare = globalDzSpare;
  layerGradient(features(levels), H, outputDifference, Mp, localGradient + levelOffset(levels + 1, H));
  featureDifference(localTransposed(levels + 1), outputDifference, levels, upper, outputs);
  for (let level = levels; level >= 1; level--) {
    if (G == 0) {
      const swap = upper;
      upper = lower;
      lower = swap;
    } else {
      if (addsMerge) {
        // Padding too, where slopes are zero: the product may have written a row more, which would be a column of the gradient.
        timesSlope(upper, localSlope(level), lower, Hp);
        timesSlope(upper, mergeSlope(level), upper, Hp);
      }
      if (globalGradient) {
        const input = mergeInput(level);
        if (exact) {
          if (addsMerge) layerGradient(input + <usize>H * ROW, G, upper, Hp, globalGradient + projectionOffset(level));
          else layerGradient(input, H + G, upper, Hp, globalGradient + mergeAt);
          const half = projectionTransposed(level);
          if (level == levels) {
            layerTimesSlope(half, stride, upper, globalSlope(level), spare, G, H);
          } else {
            layerFromZero(half, stride, upper, spare, G, H);
            targetTimesSlope(globalTransposed(level + 1), Gp << 2, ofGlobal, globalSlope(level), spare, G, G);
          }
          const swap = ofGlobal;
          ofGlobal = spare;
          spare = swap;
          const from = level == 1 ? signalCoordinates : mergeInput(level - 1) + <usize>H * ROW;
          // Behind g of the level before stand its ones, made for the merge; at level 1 those of the coordinates.
          layerGradient(from, levelInputs(level, G), ofGlobal, Gp, globalGradient + levelOffset(level, G));
        } else {
          if (!addsMerge) {
            transpose(input, ROW, transposedFeatures, Hp << 2, Hp, TILE);
            transpose(upper, ROW, transposedDz, Hp << 2, Hp, TILE);
            accumulateGradient(transposedFeatures, transposedDz, Hp << 2, globalGradient + mergeAt, Hp, Hp);
          }
          keepMergeDifference(level);
        }
      }
      if (!addsMerge) layerTimesSlope(globalTransposed(0), stride, upper, localSlope(level), lower, H, H);
    }
    layerGradient(features(level - 1), levelInputs(level, H), lower, Hp, localGradient + levelOffset(level, H));
    if (level > 1) featureDifference(localTransposed(level), lower, level - 1, upper, H);
  }
}

/** Transposes a partition's weights for `backward`. */
export function transposeLocal(local: usize): void {
  for (let level = 2; level <= levels; level++) {
    transpose(local + levelOffset(level, H), Hp << 2, localTransposed(level), Hp << 2, Hp, Hp);
  }
  transpose(local + levelOffset(levels + 1, H), Mp << 2, localTransposed(levels + 1), Hp << 2, Hp, Mp);
}

/** Transposes the global weights for `backward`; once per step and thread. */
export function transposeGlobal(): void {
  if (G == 0) return;
  for (let level = 2; level <= levels; level++) {
    transpose(globalWeights + levelOffset(level, G), Gp << 2, globalTransposed(level), Gp << 2, Gp, Gp);
  }
  if (!addsMerge) {
    transpose(globalWeights + levelOffset(levels + 1, G), Hp << 2, globalTransposed(0), mergeStride(), pad4(H + G), Hp);
    return;
  }
  for (let level = 1; level <= levels; level++) {
    transpose(globalWeights + projectionOffset(level), Hp << 2, projectionTransposed(level), mergeStride(), Gp, Hp);
  }
}

/** Zeroes what must stay zero: padding of every dZ. Once per instance. */
export function clearPadding(): void {
  fillRows(outputDifference, 0, Mp, 0);
  fillRows(localDz, 0, Hp, 0);
  fillRows(mergeDz, 0, Hp, 0);
  fillRows(globalDz, 0, Gp, 0);
  fillRows(globalDzSpare, 0, Gp, 0);
}
