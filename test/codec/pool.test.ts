import { expect, test } from 'vitest';
import { siren } from '../../dist/codec/architecture.js';
import { compileKernels } from '../../dist/codec/engine/cpu/module.js';
import { ThreadPool } from '../../dist/codec/engine/cpu/pool.js';
import { TrainingMemory } from '../../dist/codec/engine/cpu/training-memory.js';
import { Grid, cutsByCell, spreadMap } from '../../dist/codec/grid.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';

test('a thread that fails while the others wait for it ends in an error, and so does what comes after', async () => {
  const plain = siren(30, 30);
  const architecture = {
    inputs: 2,
    outputs: 1,
    levels: 2,
    localWidth: 4,
    globalWidth: 4,
    localCoordinates: 'cell',
    latticeStride: 4,
    merge: 'concat',
    activations: { local: plain, global: plain, merge: plain },
  } as const;
  const grid = new Grid([cutsByCell(8, 4), cutsByCell(8, 4)]);
  const setup = {
    model: { architecture, maps: [spreadMap(8), spreadMap(8)], nominalCell: [4, 4] },
    boxes: Array.from({ length: grid.count }, (_, p) => grid.boxOf(p)),
    format: { sampleType: 'uint8', channels: 1, layout: 'grey', mapping: fullRangeMapping('uint8') },
    samples: new Uint8Array(64),
    weights: initialWeights(architecture, grid.count, { seed: 1 }),
    optimiser: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  } as const;
  const { module } = await compileKernels();
  const pool = new ThreadPool(2);
  const memory = new TrainingMemory(setup, module, pool.size);
  await pool.run((thread) => ({
    kind: 'open',
    instance: 1,
    module,
    memory: memory.memory,
    plan: memory.plan,
    scratch: memory.scratch(thread),
    job: memory.job,
    points: memory.points,
  }));
  // Thread 0 has no such instance; thread 1 goes into the barrier, where nobody comes.
  const step = pool.run((thread) => ({ kind: 'train', instance: thread === 0 ? 2 : 1 }));
  await expect(step).rejects.toMatchObject({ code: 'unavailable' });
  await expect(pool.run(() => ({ kind: 'close', instance: 1 }))).rejects.toMatchObject({
    code: 'unavailable',
  });
  await pool.dispose();
});
