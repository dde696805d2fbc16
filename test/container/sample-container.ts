// Small containers for the tests of the container; payloads are plain bytes, since the container never looks inside.
import { elementCount, globalTensors, localTensors, siren } from '../../dist/codec/architecture.js';
import { cutsByCell, Grid, spreadMap } from '../../dist/codec/grid.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { writeContainer } from '../../dist/src/container/writer.js';
import { openContainer } from '../../dist/src/container/reader.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';

export const ARCHITECTURE = {
  inputs: 2,
  outputs: 1,
  levels: 2,
  localWidth: 2,
  globalWidth: 3,
  localCoordinates: 'cell',
  latticeStride: 4,
  merge: 'concat',
  activations: {
    local: siren(30, 30),
    global: siren(30, 20),
    merge: { ...siren(30, 30), a: 0.25, d: -0.125 },
  },
} as const;

/** Bytes that differ from place to place and from seed to seed. */
export function patternBytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 37 + seed * 101 + (i >> 3)) & 0xff);
}

export interface SampleOptions {
  readonly shape?: readonly [number, number];
  readonly cell?: number;
  /** Float32 payloads are aligned, others are not. */
  readonly format?: 'float32' | 'integer';
  readonly metadata?: readonly { name: string; bytes: Uint8Array }[];
  /** Bytes of every payload; default 13 to 17. */
  readonly payloadLength?: number;
  /** Whether the partition with this ordinal is there; default all. */
  readonly has?: (ordinal: number) => boolean;
}

export function sampleHeader(shape: readonly number[], cell: number, format: 'float32' | 'integer') {
  const quantisers = (count: number) =>
    format === 'integer'
      ? Array.from({ length: count }, (_, i) => ({ bits: 8 + (i % 3), step: 2 ** -i }))
      : [];
  return {
    signals: [
      {
        kind: 'image',
        role: 'primary',
        format: { sampleType: 'uint8', channels: 1, layout: 'grey', mapping: fullRangeMapping('uint8') },
        colour: { primaries: 1, transfer: 13, matrix: 0, fullRange: true },
        firstShape: shape,
        model: {
          architecture: ARCHITECTURE,
          maps: shape.map((length) => spreadMap(length)),
          nominalCell: shape.map(() => cell),
        },
        quantiser: {
          format,
          local: quantisers(localTensors(ARCHITECTURE).length),
          global: quantisers(globalTensors(ARCHITECTURE).length),
        },
        coder: 'none',
        globalPayload: patternBytes(elementCount(globalTensors(ARCHITECTURE)), 7),
      },
    ],
    digest: patternBytes(32, 3),
    writer: 'test 1.0',
  } as const;
}

/** What {@link sampleFile} writes. */
export function sampleContent(options: SampleOptions = {}) {
  const { shape = [10, 13], cell = 4, format = 'integer', metadata = [], has = () => true } = options;
  const lengthOf = (ordinal: number): number => options.payloadLength ?? 17 - (ordinal % 5);
  const grid = new Grid(shape.map((length) => cutsByCell(length, cell)));
  const chunks = Array.from({ length: grid.count }, (_, ordinal) => ({
    coordinates: grid.coordinatesOf(ordinal),
    payload: patternBytes(lengthOf(ordinal), ordinal),
  })).filter((_, ordinal) => has(ordinal));
  return { header: sampleHeader(shape, cell, format), signals: [{ grid, chunks }], metadata };
}

export async function sampleFile(options: SampleOptions = {}): Promise<Uint8Array> {
  const sink = new MemorySink();
  await writeContainer(sink, sampleContent(options));
  return sink.bytes();
}

export function openBytes(bytes: Uint8Array) {
  return openContainer(new MemorySource(bytes));
}

/** All payloads of the first signal, by partition coordinates. */
export async function payloadsOf(
  container: Awaited<ReturnType<typeof openBytes>>,
): Promise<Map<string, string>> {
  const { grid, chunks } = container.index.signals[0];
  const all = Array.from({ length: chunks.count }, (_, chunk) => chunk);
  const payloads = new Map<string, string>();
  for await (const { chunk, payload } of container.readChunks(0, all)) {
    payloads.set(grid.coordinatesOf(chunks.ordinals[chunk]).join(','), Buffer.from(payload).toString('hex'));
  }
  return payloads;
}
