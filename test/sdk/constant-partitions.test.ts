import { beforeAll, describe, expect, it } from 'vitest';
import {
  appendAnew,
  crop,
  encode,
  join,
  MemorySink,
  memoryMedia,
  open,
  type EncodeReport,
  type Media,
} from '../../dist/src/index.js';

const SIDE = 24;
const CELL = [8, 8, 8];

/** A ball in a corner of the space: 255 inside, 0 outside. */
function ball(depth = SIDE): Media {
  const data = new Uint8Array(depth * SIDE * SIDE);
  for (let i = 0; i < data.length; i++) {
    const [z, y, x] = [Math.floor(i / SIDE / SIDE), Math.floor(i / SIDE) % SIDE, i % SIDE];
    data[i] = (z - 6) ** 2 + (y - 6) ** 2 + (x - 6) ** 2 < 64 ? 255 : 0;
  }
  return memoryMedia({ kind: 'shape', data, shape: [depth, SIDE, SIDE], channels: 1 });
}

async function sinkOf(work: (sink: MemorySink) => Promise<unknown>): Promise<Uint8Array> {
  const sink = new MemorySink();
  await work(sink);
  return sink.bytes();
}

describe.each(['deflate', 'range'] as const)('partitions without anything in them, by coder %s,', (coder) => {
  let report: EncodeReport;
  let bytes: Uint8Array;
  beforeAll(async () => {
    bytes = await sinkOf(async (sink) => {
      report = await encode(ball(), sink, { cell: CELL, iterations: 300, coder, params: 5000 });
    });
  });

  it('get no networks, and parameters go to those that have some', async () => {
    const file = await open(bytes);
    const [shape] = file.signals;
    const { present, constant, absent } = shape.partitions;
    expect([present + constant, absent]).toEqual([27, 0]);
    expect(constant).toBeGreaterThan(15);
    expect(report.parameters).toEqual(shape.parameters);
    expect(Math.abs(report.parameters.total - 5000)).toBeLessThan(500);
    await file.dispose();
  });

  it('decode to exactly what they were, at any scale, and are not missing', async () => {
    const file = await open(bytes);
    const region = { begin: [16, 16, 0], end: [24, 24, 24] };
    for (const scale of [1, 0.5, 3]) {
      const { data, missing, partitionsDecoded } = await file.signals[0].decode({ region, scale });
      expect([...new Set(data)]).toEqual([0]);
      expect([missing.length, partitionsDecoded]).toEqual([0, 3]);
    }
    for await (const { data } of file.signals[0].stream({ region })) expect([...new Set(data)]).toEqual([0]);
    await file.dispose();
  });

  it('go along when a file is cropped, joined, and grows', async () => {
    const halves = await Promise.all(
      [
        [0, 16],
        [16, 24],
      ].map(([begin, end]) =>
        sinkOf((sink) => crop(bytes, sink, { region: { begin: [begin, 0, 0], end: [end, SIDE, SIDE] } })),
      ),
    );
    const [first, second] = await Promise.all(halves.map((half) => open(half)));
    expect(second.signals[0].partitions).toEqual({ present: 0, constant: 9, absent: 0 });
    expect(second.signals[0].parameters.local).toBe(0);
    const joined = await open(await sinkOf((sink) => join(halves, sink)));
    const whole = await open(bytes);
    expect((await joined.signals[0].decode()).data).toEqual((await whole.signals[0].decode()).data);
    for (const finetune of [false, true]) {
      const grown = await open(
        await sinkOf((sink) => appendAnew(bytes, ball(8), sink, { side: 'after', iterations: 30, finetune })),
      );
      const { present, constant } = grown.signals[0].partitions;
      expect(present + constant).toBe(36);
      const before = whole.signals[0].partitions;
      expect(constant).toBeGreaterThan(finetune ? before.constant - 1 : before.constant);
      await grown.dispose();
    }
    for (const file of [first, second, joined, whole]) await file.dispose();
  });

  it('may be all of a medium', async () => {
    const empty = memoryMedia({
      kind: 'shape',
      data: new Uint8Array(16 ** 3),
      shape: [16, 16, 16],
      channels: 1,
    });
    const file = await open(
      await sinkOf((sink) => encode(empty, sink, { cell: CELL, iterations: 5, coder })),
    );
    expect(file.signals[0].partitions).toEqual({ present: 0, constant: 8, absent: 0 });
    expect([...new Set((await file.signals[0].decode()).data)]).toEqual([0]);
    await file.dispose();
  });
});
