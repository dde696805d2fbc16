import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localTensors } from '../../dist/codec/architecture.js';
import { fitForecast } from '../../dist/codec/coder/fit-forecast.js';
import { encodeRangeWeights } from '../../dist/codec/coder/range-weights.js';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { quantise } from '../../dist/codec/quantise.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import { append } from '../../dist/src/append.js';
import { localWeightsOf, originWeightsOf } from '../../dist/src/container/local-weights.js';
import { openContainer, type Container } from '../../dist/src/container/reader.js';
import { sineSignal } from '../../dist/src/container/sine-signal.js';
import { verifyContainer } from '../../dist/src/container/verify.js';
import { crop } from '../../dist/src/crop.js';
import { encode } from '../../dist/src/encode.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { MemoryTarget } from '../../dist/src/io/memory-target.js';
import { memoryMedia, type Media } from '../../dist/src/media/media.js';

const engine = createCpuEngine(2);
afterAll(() => engine.dispose());

const SEED = 5;
const CELL = 256;

/** A chord that swells, from a time on; another one for another pitch. */
function sound(samples: number, pitch: number, from = 0): Media {
  const data = Float32Array.from({ length: samples }, (_, i) => {
    const t = (i + from) / 8000;
    const partials = [1, 1.5, 2, 3.01].map((each) => Math.sin(2 * Math.PI * pitch * each * t));
    return (0.15 + 0.1 * Math.sin(t)) * partials.reduce((sum, partial) => sum + partial, 0);
  });
  return memoryMedia({ kind: 'audio', data, shape: [samples], rate: { numerator: 8000, denominator: 1 } });
}

async function encoded(media: Media): Promise<Uint8Array> {
  const sink = new MemorySink();
  await encode(media, sink, { preset: 'small', cell: [CELL], iterations: 300, seed: SEED, engine });
  return sink.bytes().slice();
}

function signalOf(container: Container) {
  return sineSignal(container.header.signals[0], 'this test');
}

async function weightsOf(container: Container): Promise<Float32Array[]> {
  const all = Array.from({ length: container.index.signals[0].chunks.count }, (_, chunk) => chunk);
  const weights: Float32Array[] = [];
  for await (const { payload } of container.readChunks(0, all, {}))
    weights.push(localWeightsOf(signalOf(container), payload, 'chunk'));
  return weights;
}

describe('networks that begin alike', () => {
  let bytes: Uint8Array;
  let container: Container;
  beforeAll(async () => {
    bytes = await encoded(sound(40 * CELL, 220));
    container = await openContainer(new MemorySource(bytes));
  });

  it('are stored as differences from there, in a tenth fewer bytes', async () => {
    const { model, quantiser } = signalOf(container);
    const tensors = localTensors(model.architecture);
    const weights = await weightsOf(container);
    const plain = fitForecast(weights, tensors, quantiser.local);
    const byteLength = (forecast: typeof plain): number =>
      weights.reduce(
        (sum, each) => sum + encodeRangeWeights(each, tensors, quantiser.local, forecast).length,
        0,
      );
    expect(quantiser.forecast?.origin).toBeDefined();
    expect(byteLength(quantiser.forecast ?? plain)).toBeLessThan(0.9 * byteLength(plain));
  });

  it('say in the header where they began, and nothing of what they became', async () => {
    const other = await openContainer(new MemorySource(await encoded(sound(40 * CELL, 333))));
    for (const { model, quantiser, coder } of [container, other].map(signalOf)) {
      const [drawn] = initialWeights(model.architecture, 1, { seed: SEED, partitions: 'alike' }).local;
      const origin = originWeightsOf({ model, quantiser, coder });
      localTensors(model.architecture).forEach(({ rows, columns, offset }, tensor) => {
        const each = quantiser.local[tensor];
        for (let i = offset; i < offset + rows * columns; i++)
          expect((origin?.[i] ?? NaN) + 0).toBe(Math.fround(quantise(drawn[i], each) * each.step) + 0);
      });
    }
  });

  it('of an origin that its bits do not have are refused where the file is opened', async () => {
    const file = readFileSync('spec/vectors/invalid-range-origin-large.lgi');
    await expect(openContainer(new MemorySource(file))).rejects.toMatchObject({
      code: 'damaged',
      section: 'header',
    });
  });

  it('of an origin with fewer bits than elements are refused where the file is opened', async () => {
    const file = readFileSync('spec/vectors/invalid-range-origin-short.lgi');
    await expect(openContainer(new MemorySource(file))).rejects.toMatchObject({
      code: 'damaged',
      section: 'header',
    });
  });

  it('are cropped by copying, header and all', async () => {
    const sink = new MemorySink();
    await crop(new MemorySource(bytes), sink, { region: { begin: [4 * CELL], end: [9 * CELL] } });
    const part = await openContainer(new MemorySource(sink.bytes()));
    expect(part.headerBytes).toEqual(container.headerBytes);
    expect(await weightsOf(part)).toEqual((await weightsOf(container)).slice(4, 9));
  });

  it('are what appended ones begin as, and take no more bytes', async () => {
    const target = new MemoryTarget(bytes.slice());
    const more = sound(10 * CELL, 220, 40 * CELL);
    const { psnr } = await append(target, more, { side: 'after', iterations: 300, engine });
    const grown = await openContainer(target);
    const problems = [];
    for await (const problem of verifyContainer(target)) problems.push(problem);
    expect(problems).toEqual([]);
    const { payloadLengths } = grown.index.signals[0].chunks;
    const mean = (lengths: Uint32Array): number =>
      lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    expect(mean(payloadLengths.slice(40))).toBeLessThan(1.1 * mean(payloadLengths.slice(0, 40)));
    expect(psnr).toBeGreaterThan(30);
  });
});
