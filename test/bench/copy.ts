import { randomFillSync } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtemp, open as openFile, readFile, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cutsByCell, Grid, spreadMap } from '../../codec/grid.js';
import type { Header } from '../../src/container/header.js';
import { crc32c } from '../../src/container/crc32c.js';
import { COPY_BUFFER_BYTES } from '../../src/container/limits.js';
import { MAX_READ_BYTES } from '../../src/io/read-budgets.js';
import { openContainer } from '../../src/container/reader.js';
import { verifyContainer } from '../../src/container/verify.js';
import { writeContainer } from '../../src/container/writer.js';
import { crop, type CropOptions } from '../../src/crop.js';
import { encode } from '../../src/encode.js';
import { FileSink } from '../../src/io/file-sink-node.js';
import { FileSource } from '../../src/io/file-source-node.js';
import { MemorySink } from '../../src/io/memory.js';
import { memoryMedia } from '../../src/media/media.js';
import { sineSignal } from '../../src/container/sine-signal.js';
import { open } from '../../src/open.js';
import { leastMs, median, type Measurement } from './measure.js';

/** Runs of each of two things that are compared, in turn; enough that the first ones, before code is compiled, do not decide. */
const RUNS = 15;

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const REPORT_MEMORY = new URL('report-memory.js', import.meta.url).href;

/** Files of about 100 MB: a picture's default chunks, and such as large networks have. */
const FILES: readonly FileShape[] = [
  { name: '90,000 chunks', cells: 300, least: 1050, most: 1150 },
  { name: '6,400 chunks', cells: 80, least: 16_000, most: 16_400 },
];

const CELL = 32;

/** Cells a side, and the range of payload lengths in bytes. */
interface FileShape {
  readonly name: string;
  readonly cells: number;
  readonly least: number;
  readonly most: number;
}

/** Header of a picture of these many cells a side, as `encode` makes it. */
async function headerOf(cells: number): Promise<Header> {
  const sink = new MemorySink();
  const media = memoryMedia({ data: new Uint8Array(64 * 64), shape: [64, 64] });
  await encode(media, sink, { iterations: 1, threads: 1 });
  const file = await open(sink.bytes());
  const { header } = file.container;
  await file.dispose();
  const shape = [cells * CELL, cells * CELL];
  const signal = sineSignal(header.signals[0]);
  const model = { ...signal.model, maps: shape.map(spreadMap), nominalCell: [CELL, CELL] };
  return { ...header, signals: [{ ...signal, firstShape: shape, model }] };
}

/** Copying does not look into payloads, so noise will do. */
async function writeFile(path: string, { cells, least, most }: FileShape): Promise<void> {
  const noise = randomFillSync(new Uint8Array(1 << 20));
  const grid = new Grid([cutsByCell(cells * CELL, CELL), cutsByCell(cells * CELL, CELL)]);
  const chunks = Array.from({ length: grid.count }, (_, ordinal) => {
    const byteLength = least + ((ordinal * 7919) % (most - least));
    const at = (ordinal * 104_729) % (noise.length - most);
    return { coordinates: grid.coordinatesOf(ordinal), payload: noise.subarray(at, at + byteLength) };
  });
  await writeContainer(await FileSink.open(path), {
    header: await headerOf(cells),
    signals: [{ grid, chunks }],
  });
}

/** What is kept: everything, half of each axis, every partition but a third of them, which lie everywhere. */
function selections({ cells }: FileShape): { name: string; options: CropOptions }[] {
  const quarter = (cells * CELL) / 4;
  const drop = Array.from({ length: cells * cells }, (_, ordinal) => ordinal)
    .filter((ordinal) => Math.imul(ordinal, 0x9e3779b1) >>> 0 < 2 ** 32 / 3)
    .map((ordinal) => [Math.floor(ordinal / cells), ordinal % cells]);
  return [
    { name: 'everything', options: {} },
    {
      name: 'the middle half of each axis',
      options: { region: { begin: [quarter, quarter], end: [3 * quarter, 3 * quarter] } },
    },
    { name: 'all but a scattered third', options: { drop } },
  ];
}

/** Reads bytes through an open handle and writes them to a new file, flushed and renamed at the end, as crop must. */
async function plainCopy(source: FileHandle, buffer: Buffer, to: string, byteLength: number): Promise<void> {
  const sink = await FileSink.open(to);
  for (let at = 0; at < byteLength;) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, byteLength - at), at);
    await sink.write(at, buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  await sink.close();
}

/** Medians of two things' times in ms, run in turn, so that a slower minute slows both. */
async function compare(
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
): Promise<{ oursMs: number; theirsMs: number }> {
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < RUNS; i++) {
    for (const [which, run] of [ours, theirs].entries()) {
      const start = performance.now();
      await run();
      times[which].push(performance.now() - start);
    }
  }
  return { oursMs: median(times[0]), theirsMs: median(times[1]) };
}

/** Most memory that `lgi crop` of a whole file held, in bytes. */
async function cropMemory(folder: string, path: string): Promise<number> {
  const memory = join(folder, 'memory');
  await promisify(execFile)(
    process.execPath,
    ['--import', REPORT_MEMORY, MAIN, 'crop', path, '-o', join(folder, 'memory.lgi')],
    { env: { ...process.env, LGI_BENCH_MEMORY: memory } },
  );
  return Number(await readFile(memory, 'utf8'));
}

async function measureCrops(folder: string, path: string, file: FileShape): Promise<Measurement[]> {
  const lines: Measurement[] = [];
  const source = await FileSource.open(path);
  const plainSource = await openFile(path, 'r');
  const buffer = Buffer.alloc(COPY_BUFFER_BYTES);
  const openTimes: number[] = [];
  for (const { name, options } of selections(file)) {
    let bytes = 0;
    const cropOnce = async (): Promise<void> => {
      bytes = (await crop(source, await FileSink.open(join(folder, 'crop.lgi')), options)).bytes;
    };
    await cropOnce();
    const copyOnce = (): Promise<void> => plainCopy(plainSource, buffer, join(folder, 'copy.lgi'), bytes);
    const { oursMs, theirsMs } = await compare(cropOnce, copyOnce);
    lines.push({
      name: `${file.name}: ${name}, ${(bytes / 1e6).toFixed(0)} MB`,
      value: oursMs,
      unit: 'ms',
      ratio: oursMs / theirsMs,
      ratioOf: `the ${theirsMs.toFixed(1)} ms of a plain copy`,
      ratioAsked: 'at most 1.5',
    });
  }
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    await openContainer(source);
    openTimes.push(performance.now() - start);
  }
  lines.push({ name: `${file.name}: of which opening`, value: median(openTimes), unit: 'ms' });
  await plainSource.close();
  await source.close();
  return lines;
}

/** Reads a file as verifying does, and does nothing with the bytes. */
async function readAll(source: FileSource, bufferBytes: number): Promise<number> {
  let at = 0;
  for (;;) {
    const { length } = await source.read(at, bufferBytes);
    at += length;
    if (length < bufferBytes) return at;
  }
}

async function measureVerify(path: string, file: FileShape): Promise<Measurement[]> {
  const source = await FileSource.open(path);
  let bytes = 0;
  const { oursMs, theirsMs } = await compare(
    async () => {
      for await (const problem of verifyContainer(source)) throw new Error(problem.message);
    },
    async () => (bytes = await readAll(source, MAX_READ_BYTES)),
  );
  await source.close();
  return [
    {
      name: `${file.name}: verify`,
      value: bytes / 1e6 / oursMs,
      unit: 'GB/s',
      ratio: oursMs / theirsMs,
      ratioOf: `the ${theirsMs.toFixed(1)} ms of reading`,
    },
  ];
}

/** Crop against a loop that reads and writes as many bytes by the same buffer, and verify against one that reads them. */
export async function measureCopy(): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lgi-bench-'));
  const lines: Measurement[] = [];
  try {
    const small = join(folder, 'small.lgi');
    await writeFile(small, { name: 'small', cells: 4, least: 1050, most: 1150 });
    const leastMemory = await cropMemory(folder, small);
    for (const file of FILES) {
      const path = join(folder, 'file.lgi');
      await writeFile(path, file);
      lines.push(...(await measureCrops(folder, path, file)), ...(await measureVerify(path, file)));
      lines.push({
        name: `${file.name}: memory of lgi crop, more than for 18 KB`,
        value: ((await cropMemory(folder, path)) - leastMemory) / 2 ** 20,
        unit: 'MiB',
      });
    }
    const bytes = randomFillSync(new Uint8Array(1 << 24));
    const ms = leastMs(7, () => crc32c(bytes));
    lines.push({ name: 'CRC-32C of 16 MiB', value: bytes.length / 1e6 / ms, unit: 'GB/s' });
    return lines;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
