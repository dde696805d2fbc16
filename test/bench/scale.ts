import { createCpuEngine } from '../../codec/engine/cpu/cpu-engine.js';
import { boxSize } from '../../codec/grid.js';
import { memoryMedia } from '../../src/media/media.js';
import { scene } from '../media/scene.js';
import type { Measurement } from './measure.js';
import { callMs, localEpoch, setupOf } from './training.js';

const SHAPES = [
  [512, 512],
  [64, 64],
  [1356, 2040],
] as const;

/** Time per sample of a local epoch of `fast`, cells of 32x32, for pictures of three sizes; it should not depend on size. */
export async function measureScale(): Promise<Measurement[]> {
  const engine = createCpuEngine(2);
  const lines: Measurement[] = [];
  let first = 0;
  for (const [height, width] of SHAPES) {
    const { data } = scene(height, width, 'grey');
    const setup = await setupOf(memoryMedia({ data, shape: [height, width] }), { preset: 'fast' });
    const ms = await callMs(engine, setup, localEpoch(setup));
    const value = (ms * 1e6) / setup.boxes.reduce((sum, box) => sum + boxSize(box), 0);
    first ||= value;
    lines.push({
      name: `local epoch, ${height}x${width}, two threads`,
      value,
      unit: 'ns a sample',
      ratio: value / first,
      ratioOf: 'the time at 512x512',
      ratioAsked: 'about 1',
    });
  }
  await engine.dispose();
  return lines;
}
