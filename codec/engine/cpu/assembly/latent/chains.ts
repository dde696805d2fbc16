// Where the planes between a grid and its feature stand: what every doubling was given, and room for one on the way.
import { SLACK } from './doubling';
import { grids, levelLength, levels, mostHeight, mostWidth, pad4 } from './plan';

let inputs: usize = 0, gridBytes: usize = 0, tall: usize = 0, tallGradient: usize = 0, spare: usize = 0;
/** Per level, where its plane stands among those of a grid. */
let levelOffsets: usize = 0;

function bytesOf(level: i32): usize {
  return <usize>(levelLength(mostHeight, level) * pad4(levelLength(mostWidth, level)) + SLACK) << 2;
}

export function setChains(base: usize, training: bool, isRehearsal: bool): usize {
  let at = base;
  levelOffsets = at;
  at += 128;
  gridBytes = 0;
  for (let level = 1; level < levels; level++) {
    if (!isRehearsal) store<u32>(levelOffsets + (<usize>level << 2), <u32>gridBytes);
    gridBytes += bytesOf(level);
  }
  inputs = at;
  // To decode, a grid's planes are of no use once its feature is there.
  at += training ? gridBytes * <usize>grids : gridBytes;
  if (!training) gridBytes = 0;
  tall = at;
  at += bytesOf(0);
  if (!training) return at - base;
  tallGradient = at;
  at += bytesOf(0);
  spare = at;
  at += 2 * bytesOf(0);
  return at - base;
}

/** What the doubling of a grid from this level was given. */
export function inputPlane(grid: i32, level: i32): usize {
  return inputs + <usize>grid * gridBytes + <usize>load<u32>(levelOffsets + (<usize>level << 2));
}
export function tallPlane(): usize { return tall; }
export function tallGradientPlane(): usize { return tallGradient; }
export function spareGradient(which: i32): usize { return spare + <usize>which * bytesOf(0); }
