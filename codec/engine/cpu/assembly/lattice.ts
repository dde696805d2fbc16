// Lattice global features: the global network runs at lattice points only, its projection by the merge's global half
// is kept per point (a "patch" of points around one partition) and interpolated at each coordinate.
//
// Patches of neighbours repeat their common border (27 % more points at 32x32 cells, stride 4); in return a partition
// needs nothing from its neighbours, forward or backward, and all of it stays in the cache.
//
// Patch layout: f32 [points rounded up to 32, levels, Hp], points row-major.
import {
  G, GLOBAL, Gp, H, Hp, MERGE, amplitude, appendOnes, frequency, globalWeights, inputs,
  latticeStride, levelInputs, levelOffset, levels, pad4, phase, projectionOffset, shift, signalCoordinate,
} from './plan';
import {
  ROW, TILE, accumulateGradient, layer, layerFromZero, layerTimesSlope, multiplyAdd, targetTimesSlope, transpose,
} from './product';
import { activate, activateWithSlope } from './sine';
import {
  cornerPoints, cornerWeights, features, globalDz, globalDzSpare, globalTransposed, interpolated, latticeFeatureRows,
  latticeTileBytes, latticeTiles, mergeDz, mergeStride, patchDifference, patchOrigin, patchShape, projection,
  projectionTransposed, transposedDz, transposedFeatures,
} from './scratch';
import { positionOf } from './coordinates';

// @ts-ignore: decorator
@inline
function pointBytes(): usize { return <usize>(levels * Hp) << 2; }

/** Sets one axis of the patch: `count` lattice points from index `first`. */
export function setPatchAxis(axis: i32, first: i32, count: i32): void {
  store<i32>(patchOrigin + (<usize>axis << 2), first);
  store<i32>(patchShape + (<usize>axis << 2), count);
}

/** Points of the present patch. */
export function patchPoints(): i32 {
  let points = 1;
  for (let axis = 0; axis < inputs; axis++) points *= load<i32>(patchShape + (<usize>axis << 2));
  return points;
}

// The coordinates of a tile of lattice points; lanes beyond the patch repeat its last point.
function fillLatticeCoordinates(coordinates: usize, firstPoint: i32, points: i32): void {
  for (let lane = 0; lane < TILE; lane++) {
    let rest = min(firstPoint + lane, points - 1);
    for (let axis = inputs - 1; axis >= 0; axis--) {
      const count = load<i32>(patchShape + (<usize>axis << 2));
      const index = rest % count + load<i32>(patchOrigin + (<usize>axis << 2));
      rest /= count;
      const position = <f64>index * <f64>latticeStride;
      store<f32>(
        coordinates + (<usize>(axis * TILE + lane) << 2),
        signalCoordinate(axis, position),
      );
    }
  }
  appendOnes(coordinates, inputs);
}

// Rows of a stored lattice tile.
// @ts-ignore: decorator
@inline
function storedFeatures(tile: usize, level: i32): usize {
  if (level == 0) return tile;
  return tile + <usize>(pad4(inputs + 1) + (level - 1) * (latticeFeatureRows() + Gp)) * ROW;
}
// @ts-ignore: decorator
@inline
function storedSlope(tile: usize, level: i32): usize {
  return storedFeatures(tile, level) + <usize>latticeFeatureRows() * ROW;
}

/**
 * Evaluates the global network on the present patch and writes its projections.
 *
 * @param patch f32 [points rounded up to 32, levels, Hp]
 * @param keep whether features and slopes are stored for {@link latticeBackward}
 */
export function latticeForward(patch: usize, keep: bool): void {
  const points = patchPoints();
  for (let first = 0; first < points; first += TILE) {
    const tile = keep ? latticeTiles + <usize>(first / TILE) * latticeTileBytes : latticeTiles;
    fillLatticeCoordinates(tile, first, points);
    for (let level = 1; level <= levels; level++) {
      const from = storedFeatures(tile, level - 1), to = storedFeatures(tile, level);
      const weights = globalWeights + levelOffset(level, G);
      const depth = levelInputs(level, G);
      layer(weights, Gp << 2, weights + (<usize>(depth * Gp) << 2), from, to, G, depth);
      const w = frequency(GLOBAL, level);
      if (keep) {
        activateWithSlope(to, storedSlope(tile, level), G, w, phase(GLOBAL), amplitude(GLOBAL), shift(GLOBAL));
        appendOnes(to, G);
      } else {
        activate(to, G, w, phase(GLOBAL), amplitude(GLOBAL), shift(GLOBAL));
      }
      const merge = globalWeights + projectionOffset(level);
      layer(merge, Hp << 2, merge + (<usize>(G * Hp) << 2), to, projection, H, G);
      const target = patch + <usize>first * pointBytes() + (<usize>((level - 1) * Hp) << 2);
      transpose(projection, ROW, target, pointBytes(), Hp, TILE);
    }
  }
}

/** Finds the corners of the lattice cell around each of the tile's positions, and their weights. */
export function findCorners(patch: usize): void {
  const corners = 1 << inputs;
  for (let lane = 0; lane < TILE; lane++) {
    const entry = <usize>(lane * corners) << 2;
    const points = cornerPoints + entry, weights = cornerWeights + entry;
    store<i32>(points, 0);
    store<f32>(weights, 1);
    // Axis by axis, every corner so far becomes two: below and above.
    for (let axis = 0; axis < inputs; axis++) {
      const at = positionOf(axis, lane) / <f64>latticeStride;
      const below = Math.floor(at);
      const fraction = <f32>(at - below);
      const index = <i32>below - load<i32>(patchOrigin + (<usize>axis << 2));
      const count = load<i32>(patchShape + (<usize>axis << 2));
      for (let corner = (1 << axis) - 1; corner >= 0; corner--) {
        const from = <usize>corner << 2, to = <usize>corner << 3;
        const point = load<i32>(points + from) * count + index;
        const weight = load<f32>(weights + from);
        store<i32>(points + to, point);
        store<f32>(weights + to, weight * (<f32>1 - fraction));
        store<i32>(points + to, point + 1, 4);
        store<f32>(weights + to, weight * fraction, 4);
      }
    }
    for (let corner = 0; corner < corners; corner++) {
      const at = points + (<usize>corner << 2);
      store<u32>(at, <u32>(patch + <usize>load<i32>(at) * pointBytes()));
    }
  }
}

// Two axes are the common case; its four corners stay in registers.
// @ts-ignore: decorator
@inline
function interpolateFour(entry: usize, target: usize, bytes: usize): void {
  const p0 = <usize>load<u32>(cornerPoints + entry), p1 = <usize>load<u32>(cornerPoints + entry, 4);
  const p2 = <usize>load<u32>(cornerPoints + entry, 8), p3 = <usize>load<u32>(cornerPoints + entry, 12);
  const w0 = v128.load32_splat(cornerWeights + entry), w1 = v128.load32_splat(cornerWeights + entry, 4);
  const w2 = v128.load32_splat(cornerWeights + entry, 8), w3 = v128.load32_splat(cornerWeights + entry, 12);
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = f32x4.mul(w0, v128.load(p0 + at));
    sum = multiplyAdd(w1, v128.load(p1 + at), sum);
    sum = multiplyAdd(w2, v128.load(p2 + at), sum);
    sum = multiplyAdd(w3, v128.load(p3 + at), sum);
    v128.store(target + at, sum);
  }
}

/** Writes the interpolated projections of every level into `features(level)`, where the merge's local half is added. */
export function interpolate(): void {
  const corners = 1 << inputs;
  const bytes = pointBytes();
  for (let lane = 0; lane < TILE; lane++) {
    const entry = <usize>(lane * corners) << 2;
    const target = interpolated + <usize>lane * bytes;
    if (corners == 4) {
      interpolateFour(entry, target, bytes);
      continue;
    }
    for (let at: usize = 0; at < bytes; at += 16) {
      let sum = f32x4.splat(0);
      for (let corner: usize = 0; corner < <usize>corners; corner++) {
        const point = <usize>load<u32>(cornerPoints + entry + (corner << 2));
        sum = multiplyAdd(v128.load32_splat(cornerWeights + entry + (corner << 2)), v128.load(point + at), sum);
      }
      v128.store(target + at, sum);
    }
  }
  for (let level = 1; level <= levels; level++) {
    transpose(interpolated + (<usize>((level - 1) * Hp) << 2), bytes, features(level), ROW, TILE, Hp);
  }
}

/** Starts a new patch gradient. */
export function clearPatchDifference(): void {
  const tiles = (patchPoints() + TILE - 1) / TILE;
  memory.fill(patchDifference, 0, <usize>(tiles * TILE) * pointBytes());
}

/** Keeps a level's merge dZ [Hp, 32] for {@link scatterDifferences}. */
export function keepMergeDifference(level: i32): void {
  transpose(mergeDz, ROW, interpolated + (<usize>((level - 1) * Hp) << 2), pointBytes(), Hp, TILE);
}

/** Adds the tile's merge differences to the corners they were interpolated from. */
export function scatterDifferences(patch: usize, lanes: i32): void {
  const corners = 1 << inputs;
  const bytes = pointBytes();
  for (let lane = 0; lane < lanes; lane++) {
    const source = interpolated + <usize>lane * bytes;
    for (let corner = 0; corner < corners; corner++) {
      const entry = <usize>(lane * corners + corner) << 2;
      const target = patchDifference + (<usize>load<u32>(cornerPoints + entry) - patch);
      const weight = v128.load32_splat(cornerWeights + entry);
      for (let at: usize = 0; at < bytes; at += 16) {
        v128.store(target + at, multiplyAdd(weight, v128.load(source + at), v128.load(target + at)));
      }
    }
  }
}

/** Takes the patch's gradient back through the global network; needs the tiles that `latticeForward(keep)` stored. */
export function latticeBackward(gradient: usize): void {
  const points = patchPoints();
  const featureColumns = pad4(G + 1);
  for (let first = 0; first < points; first += TILE) {
    const tile = latticeTiles + <usize>(first / TILE) * latticeTileBytes;
    let dz = globalDz, spare = globalDzSpare;
    for (let level = levels; level >= 1; level--) {
      const stored = storedFeatures(tile, level);
      const difference = patchDifference + <usize>first * pointBytes() + (<usize>((level - 1) * Hp) << 2);
      transpose(stored, ROW, transposedFeatures, featureColumns << 2, featureColumns, TILE);
      // The merge's rows of global features, and its bias row behind them.
      accumulateGradient(
        transposedFeatures, difference, pointBytes(), gradient + projectionOffset(level), featureColumns, Hp,
      );
      transpose(difference, pointBytes(), mergeDz, ROW, TILE, Hp);
      const slope = storedSlope(tile, level);
      if (level == levels) {
        layerTimesSlope(projectionTransposed(level), mergeStride(), mergeDz, slope, spare, G, H);
      } else {
        layerFromZero(projectionTransposed(level), mergeStride(), mergeDz, spare, G, H);
        targetTimesSlope(globalTransposed(level + 1), Gp << 2, dz, slope, spare, G, G);
      }
      const swap = dz;
      dz = spare;
      spare = swap;
      const depth = levelInputs(level, G);
      const rows = pad4(depth + 1);
      transpose(storedFeatures(tile, level - 1), ROW, transposedFeatures, rows << 2, rows, TILE);
      transpose(dz, ROW, transposedDz, Gp << 2, Gp, TILE);
      accumulateGradient(transposedFeatures, transposedDz, Gp << 2, gradient + levelOffset(level, G), rows, Gp);
    }
  }
}
