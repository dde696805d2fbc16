import type { ActivationGradients } from '../../activation-gradients.js';
import { globalTensors, elementCount, localTensors } from '../../architecture.js';
import { localCoordinates } from '../../coordinates.js';
import { boxShape, boxSize, type Box } from '../../grid.js';
import type { Model } from '../../model.js';
import { alphaChannel, peakOf, type SampleArray, type SampleFormat } from '../../signal.js';
import { GlobalField } from './global-field.js';
import { lossOf, type LossAndGradient, type OutputLoss } from '../../output-loss.js';
import { Network, type LocalTrace, type Tap } from './network.js';

/** Weights in f64, in the order of `architecture.ts`. */
export interface DoubleWeights {
  readonly global: Float64Array;
  readonly local: readonly Float64Array[];
}

/** What is fitted: the same fields as an engine's training setup has. */
export interface Fit {
  readonly model: Model;
  readonly boxes: readonly Box[];
  readonly format: SampleFormat;
  /** Partition-major, see `TrainingSetup`. */
  readonly samples: SampleArray;
  /** In place of the squared errors of samples. */
  readonly outputLoss?: OutputLoss;
}

/** A loss and its gradients with respect to everything that could be learned. */
export interface Gradients {
  /** f64 per partition, sum of squared errors, colour weighted by alpha, in the network's output units. */
  readonly squaredErrors: Float64Array;
  /** f64 per partition, values of the batch, each counted with its alpha weight. */
  readonly counts: Float64Array;
  /** What the gradients are of: the sum of all squared errors over (samples of the batch * channels), or the fit's own loss. */
  readonly loss: number;
  readonly weights: DoubleWeights;
  readonly activations: ActivationGradients;
}

/** The centre of the sample with this row-major number in a box. */
export function samplePosition(box: Box, sample: number): number[] {
  const shape = boxShape(box);
  const position = new Array<number>(shape.length);
  let rest = sample;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    position[axis] = box.begin[axis] + (rest % shape[axis]) + 0.5;
    rest = Math.floor(rest / shape[axis]);
  }
  return position;
}

/**
 * Loss and gradients over a batch.
 *
 * @param batch per partition the row-major numbers of its samples that take part; absent: all of them.
 */
export function gradients(fit: Fit, weights: DoubleWeights, batch?: readonly ArrayLike<number>[]): Gradients {
  const { model, boxes, format, samples } = fit;
  const { architecture } = model;
  const { channels, mapping } = format;
  const alpha = alphaChannel(format);
  const peak = peakOf(format.sampleType);
  const network = new Network(architecture);
  const sum = {
    global: new Float64Array(elementCount(globalTensors(architecture))),
    local: boxes.map(() => new Float64Array(elementCount(localTensors(architecture)))),
  };
  const activations: ActivationGradients = {
    local: new Float64Array(4),
    global: new Float64Array(4),
    merge: new Float64Array(4),
  };
  const chosen = boxes.map((box, p) => batch?.[p] ?? Array.from({ length: boxSize(box) }, (_, i) => i));
  const values = chosen.reduce((total, list) => total + list.length * channels, 0);
  const squaredErrors = new Float64Array(boxes.length);
  const counts = new Float64Array(boxes.length);
  const forward = (field: GlobalField, p: number, sample: number): { taps: Tap[]; trace: LocalTrace } => {
    const position = samplePosition(boxes[p], sample);
    const taps = field.taps(position);
    const x = localCoordinates(model, boxes[p], position);
    return { taps, trace: network.localForward(weights.local[p], weights.global, x, taps) };
  };
  let own: LossAndGradient | undefined;
  if (fit.outputLoss !== undefined) {
    const outputs = boxes.flatMap((box, p) => {
      const field = new GlobalField(network, model, weights.global);
      return Array.from({ length: boxSize(box) }, (_, i) => [...forward(field, p, i).trace.output]).flat();
    });
    own = lossOf(fit.outputLoss, Float32Array.from(outputs));
  }
  let firstSample = 0;
  boxes.forEach((box, p) => {
    const field = new GlobalField(network, model, weights.global);
    const shares = { local: sum.local[p], global: sum.global, activations };
    for (let i = 0; i < chosen[p].length; i++) {
      const { taps, trace } = forward(field, p, chosen[p][i]);
      const at = (firstSample + chosen[p][i]) * channels;
      const dOutput = trace.output.map((output, channel) => {
        if (own !== undefined) return own.gradient[at + channel];
        const error = output - (samples[at + channel] - mapping.offset) / mapping.scale;
        const weight = alpha >= 0 && channel !== alpha ? samples[at + alpha] / peak : 1;
        squaredErrors[p] += weight * error * error;
        counts[p] += weight;
        return (2 * weight * error) / values;
      });
      network.localBackward(weights.local[p], weights.global, trace, taps, dOutput, shares);
    }
    for (const point of field.visited()) network.globalBackward(weights.global, point, shares);
    firstSample += boxSize(box);
  });
  const meanError = squaredErrors.reduce((total, error) => total + error, 0) / Math.max(1, values);
  const loss = own?.loss ?? meanError;
  return { squaredErrors, counts, loss, weights: sum, activations };
}
