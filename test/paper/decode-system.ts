import { placeTile, planPositions } from '../../codec/decode.js';
import type { Engine } from '../../codec/engine/engine.js';
import { sampleCentres, type Grid } from '../../codec/grid.js';
import type { Model, Weights } from '../../codec/model.js';
import { allocateSamples, type SampleArray, type SampleFormat } from '../../codec/signal.js';

/** Outputs of a network at the product of positions of each axis, f32 row-major `[...positions, channels]`. */
export async function decodePositions(
  engine: Engine,
  model: Model,
  grid: Grid,
  weights: Weights,
  positions: readonly Float64Array[],
): Promise<Float32Array> {
  const { outputs } = model.architecture;
  const shape = positions.map(({ length }) => length);
  const data = new Float32Array(shape.reduce((product, length) => product * length, outputs));
  const evaluator = await engine.createEvaluator(model, weights.global);
  try {
    const { tiles } = planPositions(grid, positions);
    const results = await evaluator.evaluate(
      tiles.map((tile) => ({
        box: grid.boxOf(tile.ordinal),
        weights: weights.local[tile.ordinal],
        positions: tile.positions,
      })),
    );
    tiles.forEach(({ box }, i) => placeTile(results[i], box, outputs, data, shape));
    return data;
  } finally {
    await evaluator.dispose();
  }
}

/** The samples that a network has for all positions of its grid, row-major `[...shape, channels]`. */
export async function decodeSystem(
  engine: Engine,
  model: Model,
  grid: Grid,
  weights: Weights,
  format: SampleFormat,
): Promise<SampleArray> {
  const { begin, end } = grid.extent;
  const shape = end.map((to, axis) => to - begin[axis]);
  const data = allocateSamples(
    format.sampleType,
    shape.reduce((product, length) => product * length, format.channels),
  );
  const evaluator = await engine.createEvaluator(model, weights.global);
  try {
    const tasks = weights.local.map((local, ordinal) => {
      const box = grid.boxOf(ordinal);
      return {
        box,
        weights: local,
        positions: sampleCentres(box),
        target: { data, shape },
        at: box.begin.map((from, axis) => from - begin[axis]),
      };
    });
    await evaluator.decode(tasks, format);
    return data;
  } finally {
    await evaluator.dispose();
  }
}

/** Outputs of a network at all positions of its grid, f32 row-major `[...shape, outputs]`. */
export async function decodeOutputs(
  engine: Engine,
  model: Model,
  grid: Grid,
  weights: Weights,
): Promise<Float32Array> {
  const { outputs: channels } = model.architecture;
  const mapping = { scale: 1, offset: 0 };
  const format = { sampleType: 'float32', layout: 'plain', channels, mapping } as const;
  return (await decodeSystem(engine, model, grid, weights, format)) as Float32Array;
}
