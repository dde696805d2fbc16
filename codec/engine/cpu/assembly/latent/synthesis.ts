// Samples of features, and the way back, a tile of 32 samples of one row at a time.
//
// A tile's rows: hidden features, features, a row of ones, zeros up to a multiple of four; so that the output layer, which
// sees hidden features and, past them, the features themselves, is one product.
import { ROW, TILE, accumulatePart, layer, layerFromZero, layerOntoTarget, multiplyAdd, transpose } from '../product';
import { LATENT_ITEM_ALPHA, LATENT_ITEM_TARGET } from '../../latent-records';
import { SLACK, lanes } from './doubling';
import {
  grids, hidden, hiddenRows, mostHeight, mostWidth, outputOffset, outputRows, outputs, pad4, weights,
} from './plan';

let tile: usize = 0, slopes: usize = 0, outputTile: usize = 0, difference: usize = 0, tileGradient: usize = 0;
let transposedTile: usize = 0, transposedHidden: usize = 0, transposedOutput: usize = 0;
/** Weights with rows and columns exchanged: hidden [hidden, pad4(F)], output [m, pad4(hidden + F)]. */
let hiddenBack: usize = 0, outputBack: usize = 0;
/** Planes of features and of their gradients, [grids]. */
export let featurePlanes: usize = 0, gradientPlanes: usize = 0;

/** Bytes of a plane of level 0. */
export function planeBytes(): usize { return <usize>(mostHeight * pad4(mostWidth) + SLACK) << 2; }

/** Lays out the scratch memory of synthesis; returns its bytes. */
export function setSynthesis(base: usize, training: bool): usize {
  let at = base;
  const rows = outputRows();
  tile = at; at += <usize>(rows + 4) * ROW;
  slopes = at; at += <usize>hidden * ROW;
  outputTile = at; at += 8 * ROW;
  featurePlanes = at; at += <usize>grids * planeBytes();
  if (!training) return at - base;
  difference = at; at += 8 * ROW;
  tileGradient = at; at += <usize>(rows + 4) * ROW;
  transposedTile = at; at += <usize>(TILE * rows) << 2;
  transposedHidden = at; at += <usize>(TILE * hidden) << 2;
  transposedOutput = at; at += <usize>(TILE * 4) << 2;
  hiddenBack = at; at += <usize>(hidden * pad4(grids)) << 2;
  outputBack = at; at += <usize>(4 * pad4(hidden + grids)) << 2;
  gradientPlanes = at; at += <usize>grids * planeBytes();
  return at - base;
}

/** Rows that stay the same: ones, and zeros behind them. */
export function fillTile(): void {
  const ones = tile + <usize>(hidden + grids) * ROW;
  memory.fill(ones, 0, <usize>(outputRows() + 4 - hidden - grids) * ROW);
  for (let at: usize = 0; at < ROW; at += 16) v128.store(ones + at, f32x4.splat(1));
}

/** Exchanges rows and columns of the present weights, for the way back. */
export function transposeWeights(): void {
  const stride = pad4(grids);
  for (let f = 0; f < grids; f++) {
    for (let unit = 0; unit < hidden; unit++) {
      store<f32>(
        hiddenBack + (<usize>(unit * stride + f) << 2),
        load<f32>(weights + (<usize>(f * hidden + unit) << 2)),
      );
    }
  }
  const rows = hidden + grids, outputStride = pad4(rows);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < outputs; channel++) {
      store<f32>(
        outputBack + (<usize>(channel * outputStride + row) << 2),
        load<f32>(weights + outputOffset() + (<usize>(row * 4 + channel) << 2)),
      );
    }
  }
}

// Features of a tile to its rows, hidden features, outputs.
// @ts-ignore: decorator
@inline
function forward(plane: usize, training: bool): void {
  const bytes = planeBytes();
  for (let f = 0; f < grids; f++) {
    const from = featurePlanes + <usize>f * bytes + plane;
    const to = tile + <usize>(hidden + f) * ROW;
    for (let at: usize = 0; at < ROW; at += 16) v128.store(to + at, v128.load(from + at));
  }
  const bias = weights + (<usize>(grids * hidden) << 2);
  layer(weights, <usize>hidden << 2, bias, tile + <usize>hidden * ROW, tile, hidden, grids);
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  const end = <usize>hidden * ROW;
  for (let at: usize = 0; at < end; at += 16) {
    const sum = v128.load(tile + at);
    if (training) v128.store(slopes + at, v128.and(f32x4.gt(sum, zero), one));
    v128.store(tile + at, f32x4.max(sum, zero));
  }
  const head = weights + outputOffset();
  layer(head, 16, head + (<usize>(hidden + grids) << 4), tile, outputTile, outputs, hidden + grids);
}

/** Outputs of a tile, [outputs, 32], of the features at `plane` bytes in their planes. */
export function tileOutputs(plane: usize): usize {
  forward(plane, false);
  return outputTile;
}

/**
 * Errors of one partition, and their gradients in {@link gradientPlanes} and `gradient`, which is added to.
 *
 * @returns the weighted sum of squared errors
 */
export function learnSamples(item: usize, height: i32, width: i32, errorFactor: f32, gradient: usize): f64 {
  const stride = pad4(width);
  const target = <usize>load<u32>(item + LATENT_ITEM_TARGET), alpha = <usize>load<u32>(item + LATENT_ITEM_ALPHA);
  const samples = <usize>(height * width) << 2;
  const bytes = planeBytes();
  const rows = hidden + grids;
  let total: f64 = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += TILE) {
      const count = min(TILE, width - x);
      const plane = <usize>(y * stride + x) << 2;
      forward(plane, true);
      const sample = <usize>(y * width + x) << 2;
      const twice = f32x4.splat(2 * errorFactor);
      let sum = f32x4.splat(0);
      for (let channel = 0; channel < outputs; channel++) {
        const from = target + <usize>channel * samples + sample;
        const isWeighted = alpha != 0 && channel < outputs - 1;
        const out = outputTile + <usize>channel * ROW, to = difference + <usize>channel * ROW;
        for (let lane = 0; lane < TILE; lane += 4) {
          const at = <usize>lane << 2;
          let error = f32x4.sub(v128.load(out + at), v128.load(from + at));
          let weighted = isWeighted ? f32x4.mul(error, v128.load(alpha + sample + at)) : error;
          if (lane + 4 > count) {
            const inside = i32x4.lt_s(i32x4.add(i32x4.splat(lane), i32x4(0, 1, 2, 3)), i32x4.splat(count));
            error = v128.and(error, inside);
            weighted = v128.and(weighted, inside);
          }
          sum = multiplyAdd(error, weighted, sum);
          v128.store(to + at, f32x4.mul(weighted, twice));
        }
      }
      total += lanes(sum);
      // Of tile rows: hidden features first, through the rectifier, then features.
      const back = <usize>pad4(rows) << 2;
      layerFromZero(outputBack, back, difference, tileGradient, rows, outputs);
      const end = <usize>hidden * ROW;
      for (let at: usize = 0; at < end; at += 16) {
        v128.store(tileGradient + at, f32x4.mul(v128.load(tileGradient + at), v128.load(slopes + at)));
      }
      layerOntoTarget(hiddenBack, <usize>pad4(grids) << 2, tileGradient, tileGradient + end, grids, hidden);
      for (let f = 0; f < grids; f++) {
        const to = gradientPlanes + <usize>f * bytes + plane, from = tileGradient + <usize>(hidden + f) * ROW;
        for (let at: usize = 0; at < ROW; at += 16) v128.store(to + at, v128.load(from + at));
      }
      const tileStride = outputRows();
      transpose(tile, ROW, transposedTile, <usize>tileStride << 2, tileStride, TILE);
      transpose(tileGradient, ROW, transposedHidden, <usize>hidden << 2, hidden, TILE);
      transpose(difference, ROW, transposedOutput, 16, 4, TILE);
      accumulatePart(
        transposedTile + (<usize>hidden << 2), <usize>tileStride << 2, transposedHidden, <usize>hidden << 2, gradient,
        hiddenRows(), hidden,
      );
      accumulatePart(
        transposedTile, <usize>tileStride << 2, transposedOutput, 16, gradient + outputOffset(), tileStride, 4,
      );
    }
  }
  return total;
}
