/** A loss, and its gradient with respect to every output. */
export interface LossAndGradient {
  readonly loss: number;
  /** f32, as long as the outputs. */
  readonly gradient: Float32Array;
}

/**
 * A loss of all outputs at once, for objectives that are no sum over samples, such as the distance between sinograms.
 *
 * @param outputs f32, partition-major as an objective's samples are: partitions one after the other, inside a partition row-major
 *   `[...box, channels]`, in the network's units.
 */
export type OutputLoss = (outputs: Float32Array) => LossAndGradient;

/**
 * A loss of outputs, as it has to be.
 *
 * @throws RangeError for a gradient that is not as long as the outputs.
 */
export function lossOf(outputLoss: OutputLoss, outputs: Float32Array): LossAndGradient {
  const found = outputLoss(outputs);
  if (found.gradient.length === outputs.length) return found;
  throw new RangeError(`the gradient of ${found.gradient.length} numbers is of ${outputs.length} outputs`);
}
