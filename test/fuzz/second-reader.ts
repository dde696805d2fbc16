// The project's reader against the one that was written from the specification alone.
import { countParameters, elementCount, globalTensors } from '../../codec/architecture.js';
import { decodeWeights } from '../../codec/coder/decode-weights.js';
import { localWeightsOf } from '../../src/container/local-weights.js';
import { LgiError } from '../../codec/errors.js';
import type { Box } from '../../codec/grid.js';
import { ReferenceEngine } from '../../codec/engine/reference/reference-engine.js';
import { sineSignal } from '../../src/container/sine-signal.js';
import { open, type LgiFile } from '../../src/open.js';
import type { Signal } from '../../src/signal.js';
import { readFile, type Sampling } from '../spec/independent-reader.js';
import type { Choices } from './choices.js';
import { Finding } from './judge.js';

/** Weights, partitions and values that the second reader is asked for; it is slow, and plain. */
const MOST_PARAMETERS = 20_000;
const MOST_PARTITIONS = 200;
const MOST_VALUES = 40;

/** How far apart two sums of the same f64 numbers may come out, before sines make more of it. */
const ROUNDING = 1e-14;

/** Largest output, and largest difference, at which readers that compute in f32 and in f64 still see the same. */
const MOST_OUTPUT = 1e30;

const largestOf = (list: Float32Array): number =>
  list.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);

/**
 * How far apart the samples of two readers may come out: what the layers' largest gains make of a rounding. Infinity
 * where they may differ by anything, as with sines of huge arguments.
 */
function toleranceOf(
  { header, format }: Signal,
  locals: readonly Float32Array[],
  global: Float32Array,
): number {
  const { model } = sineSignal(header);
  const { activations, levels, localWidth, globalWidth } = model.architecture;
  const local = Math.max(0, ...locals.map(largestOf));
  const shared = largestOf(global);
  let gain = Math.max(1, ...model.maps.map(({ scale, offset }) => Math.abs(offset) + Math.abs(scale)));
  let largest = 0;
  for (const role of ['local', 'global', 'merge'] as const) {
    const { omegaFirst, omegaHidden, a, b, c, d } = activations[role];
    const omega = Math.max(Math.abs(omegaFirst), Math.abs(omegaHidden));
    const [weight, width] = role === 'local' ? [local, localWidth] : [shared, localWidth + globalWidth];
    const amplitude = Math.exp(a) + Math.abs(d);
    largest = Math.max(largest, amplitude);
    gain *= Math.max(1, Math.exp(b) * omega * weight * (width + 3) * Math.max(1, amplitude)) ** levels;
    gain *= 1 + Math.abs(c);
  }
  if (largest * local * (localWidth + 1) > MOST_OUTPUT) return Infinity;
  const { scale, offset } = format.mapping;
  const spread = Math.abs(scale) * gain * Math.max(1, local) * localWidth * ROUNDING;
  // Outputs are rounded to f32 before they are mapped.
  const rounded = 1e-6 * (Math.abs(offset) + Math.abs(scale) * largest * local * (localWidth + 1));
  const tolerance = spread + rounded + (format.sampleType === 'float32' ? 0 : 1);
  return tolerance < MOST_OUTPUT ? tolerance : Infinity;
}

/** All weights of a signal, which only a sound file gives; null where some chunk is not sound. */
async function allWeights(file: LgiFile, i: number): Promise<Float32Array[] | null> {
  const header = sineSignal(file.container.header.signals[i]);
  const { chunks } = file.container.index.signals[i];
  const all = Array.from({ length: chunks.count }, (_, chunk) => chunk);
  const weights: Float32Array[] = [];
  try {
    for await (const { payload } of file.container.readChunks(i, all)) {
      weights.push(localWeightsOf(header, payload, 'chunk'));
    }
  } catch (error) {
    if (error instanceof LgiError) return null;
    throw error;
  }
  return weights;
}

function isSmall(signal: Signal): boolean {
  // The second reader knows the sine family.
  if (signal.header.latents !== undefined) return false;
  const { present, absent } = signal.partitions;
  const { total } = countParameters(signal.header.model.architecture, present);
  return total <= MOST_PARAMETERS && present + absent <= MOST_PARTITIONS;
}

/** A few samples of the window, the same at a scale, or a size of the whole. */
function randomSampling({ window }: Signal, choices: Choices): Sampling {
  if (choices.chance(0.3)) return { size: window.begin.map(() => choices.between(1, 3)) };
  const begin = window.begin.map((at, axis) => choices.between(at, window.end[axis] - 1));
  const end = begin.map((at, axis) => Math.min(window.end[axis], at + (axis === 0 ? 3 : 1)));
  const region = { begin, end };
  return choices.chance(0.5) ? { region } : { region, scale: choices.pick([0.1, 0.7, 1, 1.3]) };
}

function fromWindow({ begin, end }: Box, window: Box): Box {
  const moved = (corner: readonly number[]): number[] => corner.map((at, axis) => at - window.begin[axis]);
  return { begin: moved(begin), end: moved(end) };
}

/** Outputs without a value, as the second reader gives them. */
function clearBox(data: (number | null)[], box: Box, shape: readonly number[], channels: number): void {
  const places = shape.reduce<number[]>(
    (list, length, axis) =>
      list.flatMap((place) =>
        Array.from(
          { length: box.end[axis] - box.begin[axis] },
          (_, j) => place * length + box.begin[axis] + j,
        ),
      ),
    [0],
  );
  for (const place of places) data.fill(null, place * channels, (place + 1) * channels);
}

/** @throws Finding where both read a file and do not see the same, or the second one cannot read what the first does. */
export async function compareReaders(bytes: Uint8Array, choices: Choices): Promise<void> {
  const file = await open(bytes, { engine: new ReferenceEngine() });
  if (!file.signals.every(isSmall)) return;
  const expected: { data: readonly (number | null)[]; tolerance: number }[] = [];
  const samplings: Sampling[] = [];
  for (const [i, signal] of file.signals.entries()) {
    const weights = await allWeights(file, i);
    if (weights === null) return;
    const { model, quantiser, coder, globalPayload } = sineSignal(signal.header);
    const { architecture } = model;
    const tensors = globalTensors(architecture);
    const global =
      elementCount(tensors) === 0
        ? new Float32Array(0)
        : decodeWeights(globalPayload, tensors, quantiser.global, quantiser.format, coder);
    const sampling = randomSampling(signal, choices);
    samplings.push(sampling);
    const outputs = (sampling.size ?? [3]).reduce(
      (product, count) => product * count,
      signal.format.channels,
    );
    if (outputs > MOST_VALUES) return;
    const decoded = await signal.decode({
      ...(sampling.region && { region: fromWindow(sampling.region, signal.window) }),
      ...(sampling.scale !== undefined && { scale: sampling.scale }),
      ...(sampling.size && { size: sampling.size }),
    });
    const data: (number | null)[] = Array.from(decoded.data);
    for (const { box } of decoded.missing) clearBox(data, box, decoded.shape, decoded.channels);
    expected.push({ data, tolerance: toleranceOf(signal, weights, global) });
  }
  let seen;
  try {
    seen = readFile(bytes, samplings);
  } catch (error) {
    // The text leaves it to readers whether they look at it.
    if (/invalid stored block lengths/.test(String(error))) return;
    throw new Finding(`the second reader refuses what the first takes: ${String(error)}`);
  }
  seen.forEach(({ samples }, i) => {
    const { data, tolerance } = expected[i];
    samples.forEach((sample, at) => {
      const other = data[at];
      if ((sample === null) !== (other === null))
        throw new Finding(`signal ${i}, sample ${at}: ${sample} and ${other}`);
      if (sample === null || other === null || tolerance === Infinity) return;
      if (!(Math.abs(sample - other) <= tolerance)) {
        throw new Finding(
          `signal ${i}, sample ${at}: ${sample} by the second reader, ${other} by the first; ${tolerance} allowed`,
        );
      }
    });
  });
}
