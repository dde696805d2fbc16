// Scratch memory of one instance: the tile's features, slopes and differences, transposed weights, lattice tiles.
// A pointer per level lives in a small table, so that loops over levels need no case analysis.
import { G, Gp, H, Hp, Mp, addsMerge, inputs, latticeStride, levels, outputs, pad4 } from './plan';
import { ROW, TILE } from './product';
import { SINE_TABLE_BYTES, prepareSine } from './sine';
import { setSoapWorkspace, soapWorkspaceBytes } from './soap';

/** Signal and cell coordinates [inputs, 32], a row of ones behind each. */
export let signalCoordinates: usize = 0, localCoordinates: usize = 0;
/** Network outputs [outputs, 32]; targets and their weights; loss differences dY. */
export let outputTile: usize = 0, targetTile: usize = 0, weightTile: usize = 0, outputDifference: usize = 0;
/** dZ of the three roles; the global one of a level is made of that of the next level, hence a second place for it. */
export let localDz: usize = 0, globalDz: usize = 0, globalDzSpare: usize = 0, mergeDz: usize = 0;
/** The same, and features, coordinate-major, for gradient products. */
export let transposedFeatures: usize = 0, transposedDz: usize = 0;
/** Interpolated projections [32, levels, Hp] and their differences. */
export let interpolated: usize = 0;
/** Lattice corner pointers [32, 2^n] and weights. */
export let cornerPoints: usize = 0, cornerWeights: usize = 0;
/** Lattice projections of a tile of lattice points, coordinate-major [32, Hp]. */
export let projection: usize = 0;
/** Positions of the tile's coordinates, f64 [inputs, 32]. */
export let tilePositions: usize = 0;
/** Gradient of a patch, f32 [points, levels, Hp]. */
export let patchDifference: usize = 0;
/** Stored features and slopes of the patch's lattice tiles, for the way back. */
export let latticeTiles: usize = 0;
/** Bytes of one stored lattice tile. */
export let latticeTileBytes: usize = 0;

/** The patch's first lattice index and number of points, i32 [4] each. */
export let patchOrigin: usize = 0, patchShape: usize = 0;

let table: usize = 0;
// @ts-ignore: decorator
@inline const MERGE_INPUT: i32 = 0, FEATURES: i32 = 1, LOCAL_SLOPE: i32 = 2, GLOBAL_SLOPE: i32 = 3, MERGE_SLOPE: i32 = 4;
// @ts-ignore: decorator
@inline const LOCAL_TRANSPOSED: i32 = 5, GLOBAL_TRANSPOSED: i32 = 6, PROJECTION_TRANSPOSED: i32 = 7, KINDS: i32 = 8;

// @ts-ignore: decorator
@inline
function entry(kind: i32, level: i32): usize { return table + (<usize>(level * KINDS + kind) << 2); }

/** [u_i ; g_i] of a level: H local rows, then G global ones. */
export function mergeInput(level: i32): usize { return load<u32>(entry(MERGE_INPUT, level)); }
/** l_i of a level; level 0 is the local network's coordinates. */
export function features(level: i32): usize { return level == 0 ? localCoordinates : load<u32>(entry(FEATURES, level)); }
export function localSlope(level: i32): usize { return load<u32>(entry(LOCAL_SLOPE, level)); }
export function globalSlope(level: i32): usize { return load<u32>(entry(GLOBAL_SLOPE, level)); }
export function mergeSlope(level: i32): usize { return load<u32>(entry(MERGE_SLOPE, level)); }
/** Transposed weights of a local level, [out, pad4(in)]; level L + 1 is the output layer. */
export function localTransposed(level: i32): usize { return load<u32>(entry(LOCAL_TRANSPOSED, level)); }
/** Transposed weights of a global level; level 0 is the merge where it is a layer of both. */
export function globalTransposed(level: i32): usize { return load<u32>(entry(GLOBAL_TRANSPOSED, level)); }
/** Of the transposed merge the columns of a level's global features, [out, {@link mergeStride} bytes]. */
export function projectionTransposed(level: i32): usize { return load<u32>(entry(PROJECTION_TRANSPOSED, level)); }
/** Bytes between the rows of the transposed merge. */
export function mergeStride(): usize { return <usize>(addsMerge ? Gp : pad4(H + G) + 4) << 2; }

let cursor: usize = 0;

function take(bytes: usize): usize {
  const at = cursor;
  cursor += (bytes + 63) & ~63;
  return at;
}

function rows(count: i32): usize { return take(<usize>count * ROW); }

/** Rows of a level's global features as a lattice tile stores them: features, ones, padding. */
// @ts-ignore: decorator
@inline
export function latticeFeatureRows(): i32 { return pad4(G + 1) + 4; }

/**
 * Lays the scratch out from `base`; with `base` 0 it is a rehearsal that tells the size.
 *
 * @param training whether slopes, differences and transposed weights are needed
 * @param points lattice points of the largest patch
 * @returns bytes needed
 */
export function layOut(base: usize, training: bool, points: i32): usize {
  cursor = base;
  table = take(<usize>((levels + 2) * KINDS) << 2);
  const sines = take(SINE_TABLE_BYTES);
  if (base) prepareSine(sines);
  patchOrigin = take(16);
  patchShape = take(16);
  signalCoordinates = rows(pad4(inputs + 1));
  localCoordinates = rows(pad4(inputs + 1));
  tilePositions = take(<usize>inputs * TILE * 8);
  outputTile = rows(Mp);
  targetTile = rows(Mp);
  weightTile = rows(Mp);
  const withGlobal = G > 0;
  const lattice = withGlobal && latticeStride > 0;
  for (let level = 1; level <= levels + 1; level++) {
    // The padded rows of u spill into g and are overwritten; those of g need room behind.
    const input = rows(withGlobal && !lattice ? pad4(H + Gp + 1) + 4 : pad4(H + 1));
    const out = rows(pad4(H + 1));
    if (base) {
      store<u32>(entry(MERGE_INPUT, level), <u32>input);
      store<u32>(entry(FEATURES, level), <u32>out);
    }
  }
  if (lattice) {
    interpolated = take(<usize>(TILE * levels * Hp) << 2);
    const corners = 1 << inputs;
    cornerPoints = take(<usize>(TILE * corners) << 2);
    cornerWeights = take(<usize>(TILE * corners) << 2);
    projection = take(<usize>(Hp * TILE) << 2);
    latticeTileBytes = <usize>(levels * (latticeFeatureRows() + Gp) + pad4(inputs + 1)) * ROW;
    const tiles = training ? (points + TILE - 1) / TILE : 1;
    latticeTiles = take(<usize>tiles * latticeTileBytes);
    patchDifference = take(training ? <usize>(tiles * TILE * levels * Hp) << 2 : 0);
  }
  if (!training) return cursor - base;
  outputDifference = rows(Mp);
  localDz = rows(Hp);
  globalDz = rows(Gp);
  globalDzSpare = rows(Gp);
  mergeDz = rows(Hp);
  const widest = max(max(H + G, G), max(H, inputs));
  transposedFeatures = take(<usize>(TILE * (pad4(widest + 1) + 4)) << 2);
  transposedDz = take(<usize>(TILE * max(max(Hp, Gp), Mp)) << 2);
  for (let level = 1; level <= levels + 1; level++) {
    const local = take(<usize>((level > levels ? Mp : Hp) * Hp) << 2);
    const slopeL = rows(Hp), slopeM = rows(Hp), slopeG = rows(Gp);
    const global = take(<usize>(Gp * Gp) << 2);
    if (base) {
      store<u32>(entry(LOCAL_TRANSPOSED, level), <u32>local);
      store<u32>(entry(GLOBAL_TRANSPOSED, level), <u32>global);
      store<u32>(entry(LOCAL_SLOPE, level), <u32>slopeL);
      store<u32>(entry(MERGE_SLOPE, level), <u32>slopeM);
      store<u32>(entry(GLOBAL_SLOPE, level), <u32>slopeG);
    }
  }
  const largest = max(max(H + G, inputs), outputs);
  setSoapWorkspace(take(soapWorkspaceBytes(largest)), largest);
  const mergeBytes = <usize>Hp * mergeStride();
  let merge = take(mergeBytes);
  if (base) store<u32>(entry(GLOBAL_TRANSPOSED, 0), <u32>merge);
  for (let level = 1; level <= levels; level++) {
    if (base) store<u32>(entry(PROJECTION_TRANSPOSED, level), <u32>(addsMerge ? merge : merge + (<usize>H << 2)));
    if (addsMerge && level < levels) merge = take(mergeBytes);
  }
  return cursor - base;
}
