import { TAPS } from '../latent-architecture.js';

/** Rows and columns. */
export type Shape = readonly [height: number, width: number];

/** Which of `length` inputs the tap `tap` of output `output` takes; beyond the ends those at the ends. */
function inputOf(output: number, tap: number, length: number): number {
  const middle = output >> 1;
  const at = (output & 1) === 0 ? middle - 2 + tap : middle + 2 - tap;
  return Math.max(0, Math.min(length - 1, at));
}

/** Doubles one axis of `[outer, length, inner]` to `[outer, target, inner]`. */
function doubledAxis(
  input: Float64Array,
  [outer, length, inner]: readonly [number, number, number],
  target: number,
  taps: Float64Array,
): Float64Array {
  const output = new Float64Array(outer * target * inner);
  for (let block = 0; block < outer; block++) {
    for (let at = 0; at < target; at++) {
      for (let tap = 0; tap < TAPS; tap++) {
        const from = (block * length + inputOf(at, tap, length)) * inner;
        const to = (block * target + at) * inner;
        for (let i = 0; i < inner; i++) output[to + i] += taps[tap] * input[from + i];
      }
    }
  }
  return output;
}

/** Adds to the gradients of taps, and gives those of the input, for gradients of what {@link doubledAxis} gave. */
function doubledAxisGradients(
  input: Float64Array,
  gradients: Float64Array,
  [outer, length, inner]: readonly [number, number, number],
  target: number,
  taps: Float64Array,
  tapGradients: Float64Array,
): Float64Array {
  const result = new Float64Array(input.length);
  for (let block = 0; block < outer; block++) {
    for (let at = 0; at < target; at++) {
      for (let tap = 0; tap < TAPS; tap++) {
        const from = (block * length + inputOf(at, tap, length)) * inner;
        const to = (block * target + at) * inner;
        for (let i = 0; i < inner; i++) {
          result[from + i] += taps[tap] * gradients[to + i];
          tapGradients[tap] += input[from + i] * gradients[to + i];
        }
      }
    }
  }
  return result;
}

/** What leads from one level to the next finer one, kept for the way back. */
export interface Doubling {
  readonly input: Float64Array;
  readonly inputShape: Shape;
  /** Doubled in rows, not yet in columns. */
  readonly tall: Float64Array;
  readonly output: Float64Array;
  readonly outputShape: Shape;
}

/**
 * Twice as many rows, then twice as many columns, of which a ragged partition may need one less.
 *
 * @param taps f64 [{@link TAPS}]: output `2 i` takes inputs `i - 2` to `i + 1`, output `2 i + 1` inputs `i + 2` to `i - 1`.
 */
export function double(
  input: Float64Array,
  inputShape: Shape,
  outputShape: Shape,
  taps: Float64Array,
): Doubling {
  const [height, width] = inputShape;
  const tall = doubledAxis(input, [1, height, width], outputShape[0], taps);
  const output = doubledAxis(tall, [outputShape[0], width, 1], outputShape[1], taps);
  return { input, inputShape, tall, output, outputShape };
}

/** Gradients of the input, for those of the output; those of the taps are added to. */
export function doubleGradients(
  { input, inputShape, tall, outputShape }: Doubling,
  gradients: Float64Array,
  taps: Float64Array,
  tapGradients: Float64Array,
): Float64Array {
  const [height, width] = inputShape;
  const ofTall = doubledAxisGradients(
    tall,
    gradients,
    [outputShape[0], width, 1],
    outputShape[1],
    taps,
    tapGradients,
  );
  return doubledAxisGradients(input, ofTall, [1, height, width], outputShape[0], taps, tapGradients);
}
