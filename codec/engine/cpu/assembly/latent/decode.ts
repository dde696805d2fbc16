// Outputs of partitions out of their bytes; every thread of the pool takes tasks until there are none.
import {
  DECODE_NEXT, DECODE_TABLES, DECODE_TASK_BYTES, DECODE_TASK_COUNT, DECODE_TASK_HEIGHT, DECODE_TASK_LENGTH, DECODE_TASK_OUTPUTS,
  DECODE_TASK_PAYLOAD, DECODE_TASK_STATUS, DECODE_TASK_WIDTH, DECODE_TASKS, DECODED,
} from '../../latent-records';
import { ROW, TILE } from '../product';
import { decodeLatents, setTables } from './decode-latents';
import { featureOf } from './features';
import { placeGrids } from './padded-grids';
import { grids, mostHeight, mostWidth, outputs, pad4, partitionFloats } from './plan';
import { tileOutputs } from './synthesis';

let latents: usize = 0;

export function setDecoding(base: usize): usize {
  latents = base;
  return ((<usize>partitionFloats(mostHeight, mostWidth) << 2) + 127) & ~63;
}

function decodeTask(task: usize): void {
  const height = load<i32>(task + DECODE_TASK_HEIGHT), width = load<i32>(task + DECODE_TASK_WIDTH);
  const floats = partitionFloats(height, width);
  placeGrids(height, width);
  memory.fill(latents, 0, <usize>floats << 2);
  const status = decodeLatents(
    load<u32>(task + DECODE_TASK_PAYLOAD), load<i32>(task + DECODE_TASK_LENGTH), latents, height, width,
  );
  store<i32>(task + DECODE_TASK_STATUS, status);
  if (status != DECODED) return;
  const bytes = <usize>floats << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(latents + at, f32x4.convert_i32x4_s(v128.load(latents + at)));
  }
  for (let grid = 0; grid < grids; grid++) featureOf(grid, latents, height, width);
  const target = <usize>load<u32>(task + DECODE_TASK_OUTPUTS);
  const stride = pad4(width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += TILE) {
      const tile = tileOutputs(<usize>(y * stride + x) << 2);
      const count = <usize>min(TILE, width - x) << 2;
      for (let channel = 0; channel < outputs; channel++) {
        const to = target + (<usize>((channel * height + y) * width + x) << 2);
        memory.copy(to, tile + <usize>channel * ROW, count);
      }
    }
  }
}

/** As in ../kernels.ts; `rows` is of no meaning here. */
export function evaluateTasks(job: usize, _rows: i32): void {
  const tasks = <usize>load<u32>(job + DECODE_TASKS), count = load<i32>(job + DECODE_TASK_COUNT);
  setTables(load<u32>(job + DECODE_TABLES));
  for (;;) {
    const next = atomic.add<i32>(job + DECODE_NEXT, 1);
    if (next >= count) return;
    decodeTask(tasks + <usize>next * DECODE_TASK_BYTES);
  }
}
