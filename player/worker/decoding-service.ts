import type { Engine } from '../../codec/engine/engine.js';
import { createEngine } from '../../codec/engine/choose.js';
import { LgiError } from '../../codec/errors.js';
import { boxShape, type Box } from '../../codec/grid.js';
import { setKernelsFolder } from '../../codec/engine/cpu/kernels-fetched.js';
import { BlobSource } from '../../src/io/blob.js';
import { MemorySink, MemorySource } from '../../src/io/memory.js';
import { RemoteSource } from '../../src/io/remote-source.js';
import type { Source } from '../../src/io/source.js';
import { open, type LgiFile } from '../../src/open.js';
import type { MissingPartition } from '../../src/signal.js';
import { changeBetween, describeFile } from './describe-file.js';
import { OpenedFile } from './opened-file.js';
import { pixelsOf } from './pixels.js';
import { peaksOf } from './peaks.js';
import { planeSampling } from './plane-sampling.js';
import { readAhead } from './read-ahead.js';
import type { DamagedPartition, FilePlace, Methods } from './methods.js';
import type { Service } from './serve-methods.js';

/** The worker's side of a player: one file at a time, read and decoded here so that the page stays free. */
export class DecodingService {
  #engine: Engine | undefined;
  #threads: number | undefined;
  #cacheBytes: number | undefined;
  #opened: OpenedFile | undefined;
  #partitionsDecoded = 0;
  #decodeMs = 0;
  #underWay = 0;
  #sinceMs = 0;

  /** Its methods, as the page calls them. */
  readonly methods: Service = {
    start: async ({ wasmFolder, threads, cacheBytes }) => {
      if (wasmFolder !== undefined) setKernelsFolder(wasmFolder);
      this.#threads = threads;
      this.#cacheBytes = cacheBytes;
      return null;
    },
    open: async (place, { signal }) => {
      const source = this.#sourceOf(place);
      const file = await open(source, { engine: this.#theEngine(), signal });
      return this.#take(new OpenedFile(file, source));
    },
    plane: (request, { signal, transfer }) =>
      this.#timed(async ({ signals }) => {
        const startMs = performance.now();
        const found = signals[request.signalIndex];
        const sampling = planeSampling(found.shape, request);
        const { data, missing, partitionsDecoded } = await found.view({
          ...sampling,
          allowDamaged: true,
          signal,
        });
        this.#partitionsDecoded += partitionsDecoded;
        const [height, width] = boxShape(request.outputs);
        const bitmaps = await Promise.all(
          Array.from({ length: request.count }, async (_, i) => {
            const plane = data.subarray(
              (i * data.length) / request.count,
              ((i + 1) * data.length) / request.count,
            );
            const pixels = pixelsOf(found.kind, found.format, plane);
            // Planes of one request go through the same partitions, but for those that end between them.
            for (const { box } of missing) {
              if (isOnPlane(box, request.axes, i)) clearPixels(pixels, width, boxOnPlane(box, request.axes));
            }
            return createImageBitmap(new ImageData(pixels, width, height), { colorSpaceConversion: 'none' });
          }),
        );
        bitmaps.forEach(transfer);
        const { absent, damaged } = sortMissing(missing);
        return { bitmaps, partitionsDecoded, absent, damaged, ms: performance.now() - startMs };
      }),
    sound: ({ signalIndex, begin, end }, { signal, transfer }) =>
      this.#timed(async ({ signals }) => {
        const startMs = performance.now();
        const found = signals[signalIndex];
        const region = { begin: [begin], end: [end] };
        const { data, missing, partitionsDecoded } = await found.decode({
          region,
          allowDamaged: true,
          signal,
        });
        this.#partitionsDecoded += partitionsDecoded;
        const { channels: count, mapping } = found.format;
        const { scale, offset } = mapping;
        const channels = Array.from({ length: count }, (_, channel) =>
          Float32Array.from({ length: end - begin }, (__, i) => (data[i * count + channel] - offset) / scale),
        );
        for (const { buffer } of channels) transfer(buffer);
        return { channels, damaged: sortMissing(missing).damaged, ms: performance.now() - startMs };
      }),
    peaks: (request, { signal, transfer }) =>
      this.#timed(async ({ signals }) => {
        const peaks = await peaksOf(signals[request.signalIndex], request, signal, (partitions) => {
          this.#partitionsDecoded += partitions;
        });
        transfer(peaks.buffer);
        return { peaks };
      }),
    surface: ({ signalIndex, mostSide }, { signal, transfer }) =>
      this.#timed(async ({ signals }) => {
        const { surfaceMesh } = await import('./surface-mesh.js');
        const mesh = await surfaceMesh(signals[signalIndex], mostSide, signal);
        this.#partitionsDecoded += mesh.partitionsDecoded;
        transfer(mesh.positions.buffer);
        transfer(mesh.indices.buffer);
        return mesh;
      }),
    prefetch: async ({ signalIndex, region }, { signal }) =>
      this.#theOpened().use(async ({ container }) => {
        await readAhead(container, signalIndex, region, signal);
        return null;
      }),
    crop: async ({ signalIndex, region, time }, { signal, transfer }) =>
      this.#theOpened().use(async (file) => {
        const { crop } = await import('../../src/crop.js');
        const sink = new MemorySink();
        const { kept, hiddenSamples } = await crop(file, sink, {
          signalIndex,
          ...(region && { region }),
          ...(time && { time }),
          signal,
        });
        const bytes = sink.bytes().slice();
        transfer(bytes.buffer);
        return { bytes, kept, hiddenSamples };
      }),
    join: async (blob, { signal }) =>
      this.#theOpened().use(async (before) => {
        const { join } = await import('../../src/join.js');
        const sink = new MemorySink();
        await join([before, blob], sink, { names: ['the file shown', 'the file dropped'], signal });
        const source = new MemorySource(sink.bytes());
        const file = await open(source, { engine: this.#theEngine(), signal });
        const change = changeBetween(before.container, file, this.#theEngine().threads);
        await this.#take(new OpenedFile(file, source));
        return change;
      }),
    refresh: async (_, { signal }) =>
      this.#theOpened().use(async (file) => {
        const before = file.container;
        const changed = await file.refresh(signal);
        return changed.length === 0 ? null : changeBetween(before, file, this.#theEngine().threads);
      }),
    statistics: async () => {
      const { source } = this.#opened ?? {};
      const read =
        source instanceof RemoteSource ? source.statistics : { requests: 0, bytesFetched: 0, bytesUsed: 0 };
      const running = this.#underWay > 0 ? performance.now() - this.#sinceMs : 0;
      return { ...read, partitionsDecoded: this.#partitionsDecoded, decodeMs: this.#decodeMs + running };
    },
    encode: async ({ rgba, shape, options }, { signal, onProgress, transfer }) => {
      const { encodePicture } = await import('./encode-picture.js');
      const reply = await encodePicture(rgba, shape, options, this.#theEngine(), onProgress, signal);
      transfer(reply.bytes.buffer);
      return reply;
    },
  };

  #sourceOf(place: FilePlace): Source {
    if (place instanceof Blob) return new BlobSource(place);
    return new RemoteSource(place.url, {
      ...(place.headers && { headers: place.headers }),
      ...(this.#cacheBytes !== undefined && { cache: { maxBytes: this.#cacheBytes } }),
    });
  }

  #theEngine(): Engine {
    this.#engine ??= createEngine('auto', this.#threads);
    return this.#engine;
  }

  #theOpened(): OpenedFile {
    if (this.#opened === undefined) throw new LgiError('io', 'no file is open; open one');
    return this.#opened;
  }

  async #take(opened: OpenedFile): Promise<Methods['open']['reply']> {
    const before = this.#opened;
    this.#opened = opened;
    await before?.leave();
    return describeFile(opened.file, this.#theEngine().threads);
  }

  /** Does something with the file; the time in which at least one of these works is counted. */
  async #timed<T>(work: (file: LgiFile) => Promise<T>): Promise<T> {
    if (this.#underWay++ === 0) this.#sinceMs = performance.now();
    try {
      return await this.#theOpened().use(work);
    } finally {
      if (--this.#underWay === 0) this.#decodeMs += performance.now() - this.#sinceMs;
    }
  }
}

function sortMissing(missing: readonly MissingPartition[]): { absent: number; damaged: DamagedPartition[] } {
  const damaged = missing.flatMap(({ reason }) =>
    reason === 'absent' ? [] : [{ section: reason.section ?? 'chunk', message: reason.message }],
  );
  return { absent: missing.length - damaged.length, damaged };
}

/** Whether a box of outputs has anything of the plane that is the `i`-th on the first axis off the planes. */
function isOnPlane({ begin, end }: Box, axes: readonly [number, number], i: number): boolean {
  const through = begin.findIndex((_, axis) => !axes.includes(axis));
  return through < 0 || (begin[through] <= i && i < end[through]);
}

function boxOnPlane({ begin, end }: Box, axes: readonly [number, number]): Box {
  return { begin: axes.map((axis) => begin[axis]), end: axes.map((axis) => end[axis]) };
}

/** Makes what is not there transparent. */
function clearPixels(pixels: Uint8ClampedArray, width: number, { begin, end }: Box): void {
  for (let y = begin[0]; y < end[0]; y++) {
    pixels.fill(0, 4 * (y * width + begin[1]), 4 * (y * width + end[1]));
  }
}
