// The project's reader against the one that was written from the specification alone.
import { countParameters, elementCount, globalTensors, localTensors } from '../../codec/architecture.js';
import { decodeWeights } from '../../codec/coder/payload.js';
import { LgiError } from '../../codec/errors.js';
import { ReferenceEngine } from '../../codec/engine/reference/reference-engine.js';
import { open, type LgiFile } from '../../src/open.js';
import type { Signal } from '../../src/signal.js';
import { readFile } from '../spec/independent-reader.js';
import type { Choices } from './choices.js';
import { Finding } from './judge.js';

/** Weights, partitions and outputs that the second reader is asked for; it is slow, and plain. */
const MOST_PARAMETERS = 20_000;
const MOST_PARTITIONS = 200;
const MOST_OUTPUTS = 12;

/** How far apart two sums of the same f64 numbers may come out, before sines make more of it. */
const ROUNDING = 1e-14;

/**
 * How much the networks may make of a difference in their input: products of the layers' largest gains. Beyond 10^9 two
 * readers may differ by anything, and nothing is compared.
 */
function gain(file: LgiFile, i: number, weights: readonly Float32Array[], global: Float32Array): number {
  const { architecture, maps } = file.container.header.signals[i].model;
  const { activations, levels, localWidth, globalWidth } = architecture;
  const most = (list: Float32Array): number =>
    list.reduce((worst, weight) => Math.max(worst, Math.abs(weight)), 0);
  const local = weights.reduce((worst, list) => Math.max(worst, most(list)), 0);
  let product = 1;
  for (let level = 1; level <= levels; level++) {
    for (const role of ['local', 'global', 'merge'] as const) {
      const { omegaFirst, omegaHidden, a, b, c, d } = activations[role];
      const omega = Math.max(Math.abs(omegaFirst), Math.abs(omegaHidden));
      const width = role === 'local' ? localWidth + 3 : localWidth + globalWidth + 3;
      const amplitude = Math.exp(a) + Math.abs(d);
      product *= Math.max(
        1,
        Math.exp(b) * omega * width * Math.max(1, amplitude) * (role === 'local' ? local : most(global)),
      );
      product *= 1 + Math.abs(c);
    }
  }
  const coordinates = maps.reduce(
    (worst, { scale, offset }) => Math.max(worst, Math.abs(offset) + Math.abs(scale)),
    1,
  );
  return product * coordinates * Math.max(1, local) * localWidth;
}

/** All weights of a signal, which only a sound file gives; null where some chunk is not sound. */
async function allWeights(file: LgiFile, i: number): Promise<Float32Array[] | null> {
  const { quantiser, coder, model } = file.container.header.signals[i];
  const { chunks } = file.container.index.signals[i];
  const all = Array.from({ length: chunks.count }, (_, chunk) => chunk);
  const weights: Float32Array[] = [];
  try {
    for await (const { payload } of file.container.readChunks(i, all)) {
      weights.push(
        decodeWeights(payload, localTensors(model.architecture), quantiser.local, quantiser.format, coder),
      );
    }
  } catch (error) {
    if (error instanceof LgiError) return null;
    throw error;
  }
  return weights;
}

function isSmall(signal: Signal): boolean {
  const { present, absent } = signal.partitions;
  const { total } = countParameters(signal.header.model.architecture, present);
  return total <= MOST_PARAMETERS && present + absent <= MOST_PARTITIONS;
}

/** @throws Finding where both read a file and do not see the same, or the second one cannot read what the first does. */
export async function compareReaders(bytes: Uint8Array, choices: Choices): Promise<void> {
  const file = await open(bytes, { engine: new ReferenceEngine() });
  if (!file.signals.every(isSmall)) return;
  const expected: { data: readonly (number | null)[]; tolerance: number }[] = [];
  const samplings: { region: Signal['window'] }[] = [];
  for (const [i, signal] of file.signals.entries()) {
    const weights = await allWeights(file, i);
    if (weights === null) return;
    const { architecture } = signal.header.model;
    const { quantiser, coder, globalPayload } = signal.header;
    const tensors = globalTensors(architecture);
    const global =
      elementCount(tensors) === 0
        ? new Float32Array(0)
        : decodeWeights(globalPayload, tensors, quantiser.global, quantiser.format, coder);
    const begin = signal.window.begin.map((at, axis) => choices.between(at, signal.window.end[axis] - 1));
    const end = begin.map((at, axis) => Math.min(signal.window.end[axis], at + (axis === 0 ? 3 : 1)));
    samplings.push({ region: { begin, end } });
    if ((end[0] - begin[0]) * signal.format.channels > MOST_OUTPUTS * 3) return;
    const fromWindow = (corner: readonly number[]) =>
      corner.map((at, axis) => at - signal.window.begin[axis]);
    const decoded = await signal.decode({ region: { begin: fromWindow(begin), end: fromWindow(end) } });
    const { channels, sampleType, mapping } = signal.format;
    const data: (number | null)[] = Array.from(decoded.data);
    for (const { box } of decoded.missing) data.fill(null, box.begin[0] * channels, box.end[0] * channels);
    const spread = Math.abs(mapping.scale) * gain(file, i, weights, global) * ROUNDING;
    const tolerance = sampleType === 'float32' ? spread : 1 + spread;
    expected.push({ data, tolerance });
  }
  let seen;
  try {
    seen = readFile(bytes, samplings);
  } catch (error) {
    throw new Finding(`the second reader refuses what the first takes: ${String(error)}`);
  }
  seen.forEach(({ samples }, i) => {
    const { data, tolerance } = expected[i];
    samples.forEach((sample, at) => {
      const other = data[at];
      if ((sample === null) !== (other === null))
        throw new Finding(`signal ${i}, sample ${at}: ${sample} and ${other}`);
      if (sample === null || other === null || !(tolerance < 1e9)) return;
      const difference = Math.abs(sample - other);
      if (difference > tolerance + 1e-6 * Math.abs(sample)) {
        throw new Finding(
          `signal ${i}, sample ${at}: ${sample} by the second reader, ${other} by the first; ${tolerance} allowed`,
        );
      }
    });
  });
}
