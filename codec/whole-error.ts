import type { Engine } from './engine/engine.js';
import { boxSize, sampleCentres } from './grid.js';
import type { Model, Weights } from './model.js';
import type { Objective } from './objective.js';
import { alphaChannel, peakOf } from './signal.js';

/** Outputs that are held at once: 16 MiB of f32, enough partitions to keep threads busy. */
const BATCH_OUTPUTS = 1 << 22;

/** Mean squared error of weights over all samples, in output units, colour weighted by alpha: what training lowers. */
export async function wholeError(
  engine: Engine,
  model: Model,
  weights: Weights,
  { boxes, format, samples }: Omit<Objective, 'peak'>,
  signal?: AbortSignal,
): Promise<number> {
  const { channels, mapping } = format;
  const alpha = alphaChannel(format);
  const opaque = peakOf(format.sampleType);
  const evaluator = await engine.createEvaluator(model, Float32Array.from(weights.global));
  try {
    let [errors, sumOfWeights, at] = [0, 0, 0];
    for (let first = 0; first < boxes.length;) {
      let last = first;
      for (let outputs = 0; last < boxes.length && outputs < BATCH_OUTPUTS; last++) {
        outputs += boxSize(boxes[last]) * channels;
      }
      const tasks = boxes.slice(first, last).map((box, i) => ({
        box,
        weights: Float32Array.from(weights.local[first + i]),
        positions: sampleCentres(box),
      }));
      for (const outputs of await evaluator.evaluate(tasks, signal)) {
        for (let i = 0; i < outputs.length; i += channels, at += channels) {
          const colourWeight = alpha < 0 ? 1 : samples[at + alpha] / opaque;
          for (let channel = 0; channel < channels; channel++) {
            const weight = channel === alpha ? 1 : colourWeight;
            const difference =
              outputs[i + channel] - (samples[at + channel] - mapping.offset) / mapping.scale;
            errors += weight * difference * difference;
            sumOfWeights += weight;
          }
        }
      }
      first = last;
    }
    return errors / sumOfWeights;
  } finally {
    await evaluator.dispose();
  }
}
