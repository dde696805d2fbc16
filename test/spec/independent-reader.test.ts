import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  globalTensors,
  elementCount,
  localTensors,
  siren,
  type Architecture,
} from '../../dist/codec/architecture.js';
import { encodeWeights } from '../../dist/codec/coder/encode-weights.js';
import { type Coder } from '../../dist/codec/coder/payload.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { cutsByCell, Grid, linspaceMap, spreadMap } from '../../dist/codec/grid.js';
import { fitQuantiser, quantisedWeights } from '../../dist/codec/quantise.js';
import { type WeightFormat } from '../../dist/codec/quantiser.js';
import {
  allocateSamples,
  fullRangeMapping,
  outputsToSamples,
  type SampleType,
} from '../../dist/codec/signal.js';
import type { Header } from '../../dist/src/container/header.js';
import { writeContainer } from '../../dist/src/container/writer.js';
import { crop } from '../../dist/src/crop.js';
import { encodeNetwork, quantiserFor } from '../../dist/src/container/encode-local-weights.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { readFile } from './independent-reader.js';

interface Case {
  readonly format: WeightFormat;
  readonly bits: number;
  readonly coder: Coder;
  readonly sampleType: SampleType;
  readonly channels: 1 | 3;
  readonly architecture: Partial<Architecture>;
}

const CASES: Record<string, Case> = {
  'the defaults': {
    format: 'integer',
    bits: 12,
    coder: 'none',
    sampleType: 'uint8',
    channels: 3,
    architecture: {},
  },
  'small integers, compressed': {
    format: 'integer',
    bits: 6,
    coder: 'deflate',
    sampleType: 'uint16',
    channels: 1,
    architecture: { latticeStride: 0 },
  },
  'integers, by the range coder': {
    format: 'integer',
    bits: 11,
    coder: 'range',
    sampleType: 'uint8',
    channels: 3,
    architecture: { latticeStride: 0 },
  },
  'large integers, compressed': {
    format: 'integer',
    bits: 14,
    coder: 'deflate',
    sampleType: 'uint8',
    channels: 1,
    architecture: { latticeStride: 3, localCoordinates: 'signal' },
  },
  'half precision, modulated': {
    format: 'float16',
    bits: 0,
    coder: 'none',
    sampleType: 'float32',
    channels: 1,
    architecture: {
      activations: {
        local: { ...siren(20, 12), a: 0.1, b: -0.2, c: 0.3, d: 0.05 },
        global: { ...siren(15, 10), a: -0.1, b: 0.2 },
        merge: { ...siren(1, 8), c: 0.5, d: -0.1 },
      },
    },
  },
  'no global network': {
    format: 'float32',
    bits: 0,
    coder: 'deflate',
    sampleType: 'uint8',
    channels: 1,
    architecture: { globalWidth: 0, latticeStride: 0 },
  },
};

function pseudoRandom(seed: number) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1;
}

/** A file of random networks, and the samples that the project's own reference makes of it. */
async function makeFile({ format, bits, coder, sampleType, channels, architecture: changes }: Case) {
  const shape = [11, 14];
  const cell = 5;
  const architecture: Architecture = {
    inputs: 2,
    outputs: channels,
    levels: 3,
    localWidth: 5,
    globalWidth: 7,
    localCoordinates: 'cell',
    latticeStride: 4,
    merge: 'concat',
    activations: { local: siren(3, 2), global: siren(3, 2), merge: siren(3, 2) },
    ...changes,
  };
  const grid = new Grid(shape.map((length) => cutsByCell(length, cell)));
  const maps = [spreadMap(shape[0]), linspaceMap(shape[1])];
  const model = { architecture, maps, nominalCell: [cell, cell] };
  const random = pseudoRandom(7);
  const flat = (count: number) => Float32Array.from({ length: count }, () => random() * 0.6);
  const weights = {
    global: flat(elementCount(globalTensors(architecture))),
    local: Array.from({ length: grid.count }, () => flat(elementCount(localTensors(architecture)))),
  };
  const fitted = fitQuantiser(format, bits, architecture, weights);
  const quantiser = quantiserFor(coder, fitted, architecture, weights.local);
  const mapping = fullRangeMapping(sampleType);
  const sampleFormat = { sampleType, channels, layout: channels === 1 ? 'grey' : 'rgb', mapping } as const;
  const header: Header = {
    signals: [
      {
        kind: 'image',
        role: 'primary',
        format: sampleFormat,
        firstShape: shape,
        model,
        quantiser,
        coder,
        globalPayload:
          architecture.globalWidth === 0
            ? new Uint8Array(0)
            : encodeWeights(weights.global, globalTensors(architecture), quantiser.global, format, coder),
      },
    ],
  };
  const chunks = weights.local.map((local, ordinal) => ({
    coordinates: grid.coordinatesOf(ordinal),
    payload: encodeNetwork(local, { model, quantiser, coder, format: sampleFormat }),
  }));
  const sink = new MemorySink();
  await writeContainer(sink, { header, signals: [{ grid, chunks }] });

  const stored = quantisedWeights(architecture, weights, quantiser);
  const evaluator = await new ReferenceEngine().createEvaluator(model, stored.global);
  const samples = allocateSamples(sampleType, shape[0] * shape[1] * channels);
  for (let ordinal = 0; ordinal < grid.count; ordinal++) {
    const box = grid.boxOf(ordinal);
    const positions = box.begin.map((begin, axis) =>
      Float64Array.from({ length: box.end[axis] - begin }, (_, i) => begin + i + 0.5),
    );
    const [outputs] = await evaluator.evaluate([{ box, weights: stored.local[ordinal], positions }]);
    const tile = allocateSamples(sampleType, outputs.length);
    outputsToSamples(outputs, mapping, tile);
    const width = box.end[1] - box.begin[1];
    for (let i = 0; i < tile.length; i++) {
      const [cellOf, channel] = [Math.floor(i / channels), i % channels];
      const [y, x] = [box.begin[0] + Math.floor(cellOf / width), box.begin[1] + (cellOf % width)];
      samples[(y * shape[1] + x) * channels + channel] = tile[i];
    }
  }
  return { file: sink.bytes(), samples, shape, channels };
}

describe('a reader written from the specification alone', () => {
  it.each(Object.keys(CASES))('sees the samples that this project sees: %s', async (name) => {
    const { file, samples, shape, channels } = await makeFile(CASES[name]);
    const [signal] = readFile(file);
    expect(signal.shape).toEqual(shape);
    expect(signal.channels).toBe(channels);
    expect(signal.absent).toEqual([]);
    // Both work in f64 but for one rounding of the outputs to f32, which may move a sample over the edge of a rounding.
    const tolerance = CASES[name].sampleType === 'float32' ? 1e-6 : 1;
    let different = 0;
    signal.samples.forEach((value, i) => {
      const error = Math.abs((value ?? NaN) - samples[i]);
      if (!(error <= tolerance)) expect(`sample ${i}: ${value}`).toBe(`sample ${i}: ${samples[i]}`);
      if (error > 0 && tolerance === 1) different++;
    });
    expect(different).toBeLessThanOrEqual(samples.length / 100);
    expect(new Set(signal.samples).size).toBeGreaterThan(20);
  });

  it('sees in a crop the same samples, and its holes', async () => {
    const { file } = await makeFile(CASES['the defaults']);
    const [whole] = readFile(file);
    const sink = new MemorySink();
    await crop(new MemorySource(file), sink, { region: { begin: [3, 2], end: [9, 12] }, drop: [[1, 1]] });
    const [part] = readFile(sink.bytes());
    expect(part.window).toEqual({ begin: [3, 2], end: [9, 12] });
    expect(part.absent).toEqual([[1, 1]]);
    part.samples.forEach((value, i) => {
      const [y, x] = [3 + Math.floor(i / 30), 2 + Math.floor((i % 30) / 3)];
      const isHole = y >= 5 && y < 10 && x >= 5 && x < 10;
      const expected = isHole ? null : whole.samples[(y * 14 + x) * 3 + (i % 3)];
      if (value !== expected) expect(`${y},${x}: ${value}`).toBe(`${y},${x}: ${expected}`);
    });
  });

  const vectors = 'spec/vectors';
  const names = readdirSync(vectors).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []));
  const expected = (name: string) => JSON.parse(readFileSync(`${vectors}/${name}.json`, 'utf8'));
  it.each(names.filter((name) => 'signals' in expected(name)))('agrees with the vector %s', (name) => {
    const file = Uint8Array.from(readFileSync(`${vectors}/${name}.lgi`));
    const signals = readFile(file, expected(name).signals);
    expect(signals.length).toBe(expected(name).signals.length);
    signals.forEach((signal, i) => {
      const { shape, channels, window, absent, samples, tolerance } = expected(name).signals[i];
      expect(signal).toMatchObject({ shape, channels, window, absent });
      expect(signal.samples.length).toBe(samples.length);
      const worst = signal.samples.reduce<number>((most, value, at) => {
        if ((value === null) !== (samples[at] === null)) return Infinity;
        return value === null ? most : Math.max(most, Math.abs(value - samples[at]));
      }, 0);
      expect(worst).toBeLessThanOrEqual(tolerance);
    });
  });
});
