import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LgiError } from '../../dist/codec/errors.js';
import { readMedia } from '../../dist/src/media/read-media.js';

// What these tests expect is what np.load gives.

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-npy-'));
});
afterAll(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

type Store = (view: DataView, byteOffset: number, value: number, little: boolean) => void;

/** Bytes, the range of whole numbers that are exact here, the type they become, and how one is stored. */
const TYPES: Readonly<
  Record<string, readonly [bytes: number, low: number, high: number, becomes: string, Store]>
> = {
  b1: [1, 0, 1, 'float32', (view, o, v) => view.setUint8(o, v)],
  i1: [1, -128, 127, 'float32', (view, o, v) => view.setInt8(o, v)],
  u1: [1, 0, 255, 'uint8', (view, o, v) => view.setUint8(o, v)],
  i2: [2, -(2 ** 15), 2 ** 15 - 1, 'float32', (view, o, v, le) => view.setInt16(o, v, le)],
  u2: [2, 0, 65535, 'uint16', (view, o, v, le) => view.setUint16(o, v, le)],
  i4: [4, -(2 ** 24), 2 ** 24, 'float32', (view, o, v, le) => view.setInt32(o, v, le)],
  u4: [4, 0, 2 ** 24, 'float32', (view, o, v, le) => view.setUint32(o, v, le)],
  i8: [8, -(2 ** 24), 2 ** 24, 'float32', (view, o, v, le) => view.setBigInt64(o, BigInt(v), le)],
  u8: [8, 0, 2 ** 24, 'float32', (view, o, v, le) => view.setBigUint64(o, BigInt(v), le)],
  f2: [2, -2048, 2048, 'float32', (view, o, v, le) => view.setUint16(o, half(v), le)],
  f4: [4, -(2 ** 24), 2 ** 24, 'float32', (view, o, v, le) => view.setFloat32(o, v, le)],
  f8: [8, -(2 ** 24), 2 ** 24, 'float32', (view, o, v, le) => view.setFloat64(o, v, le)],
};

/** The bits of a whole number in half precision. */
function half(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

/** A file of these samples, given in C order. */
function npy(
  type: string,
  axes: readonly number[],
  values: readonly number[],
  { big = false, fortran = false, version = 1, padding = 0 } = {},
): Buffer {
  const [bytes, , , , store] = TYPES[type];
  const mark = bytes === 1 ? '|' : big ? '>' : '<';
  const tuple = axes.length === 1 ? `${axes[0]},` : axes.join(', ');
  const text =
    `{'descr': '${mark}${type}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${tuple}), }` +
    `${' '.repeat(padding)}\n`;
  const head = Buffer.concat([
    Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1'),
    Buffer.alloc(version === 1 ? 2 : 4),
    Buffer.from(text, 'latin1'),
  ]);
  if (version === 1) head.writeUInt16LE(text.length, 8);
  else head.writeUInt32LE(text.length, 8);
  const samples = Buffer.alloc(bytes * values.length);
  const view = new DataView(samples.buffer, samples.byteOffset, samples.byteLength);
  values.forEach((value, index) => {
    let place = index;
    if (fortran) {
      const indices = [...axes].reverse().map((length) => {
        const along = place % length;
        place = Math.floor(place / length);
        return along;
      });
      // The first axis runs fastest in the file.
      place = indices.reduce((sum, along, i) => sum * axes[axes.length - 1 - i] + along, 0);
    }
    store(view, place * bytes, value, !big);
  });
  return Buffer.concat([head, samples]);
}

interface Packing {
  readonly isDeflated?: boolean;
  /** Numbers in 64-bit fields, as NumPy streams them. */
  readonly isZip64?: boolean;
  /** Lengths and checksum after the data, as a pipe is written. */
  readonly hasDescriptor?: boolean;
}

/** A ZIP archive. */
function zip(files: readonly (readonly [name: string, bytes: Buffer])[], packing: Packing = {}): Buffer {
  const { isDeflated = false, isZip64 = false, hasDescriptor = false } = packing;
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of files) {
    const packed = isDeflated ? deflateRawSync(bytes) : bytes;
    const numbers = [bytes.length, packed.length, offset];
    const field = Buffer.alloc(isZip64 ? 28 : 0);
    if (isZip64) {
      field.writeUInt16LE(1, 0);
      field.writeUInt16LE(24, 2);
      numbers.forEach((number, i) => field.writeBigUInt64LE(BigInt(number), 4 + 8 * i));
    }
    const said = isZip64 ? [0xffffffff, 0xffffffff, 0xffffffff] : numbers;
    const local = Buffer.alloc(30);
    local.write('PK\x03\x04', 0, 'latin1');
    local.writeUInt16LE(hasDescriptor ? 8 : 0, 6);
    local.writeUInt16LE(isDeflated ? 8 : 0, 8);
    if (!hasDescriptor) {
      local.writeUInt32LE(crc32(bytes), 14);
      local.writeUInt32LE(packed.length, 18);
      local.writeUInt32LE(bytes.length, 22);
    }
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 0, 'latin1');
    entry.writeUInt16LE(isDeflated ? 8 : 0, 10);
    entry.writeUInt32LE(crc32(bytes), 16);
    entry.writeUInt32LE(said[1], 20);
    entry.writeUInt32LE(said[0], 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(field.length, 30);
    entry.writeUInt32LE(said[2], 42);
    const descriptor = Buffer.alloc(hasDescriptor ? 16 : 0, 'PK');
    parts.push(local, Buffer.from(name), packed, descriptor);
    directory.push(entry, Buffer.from(name), field);
    offset += 30 + name.length + packed.length + descriptor.length;
  }
  const entries = Buffer.concat(directory);
  const end64 = Buffer.alloc(isZip64 ? 76 : 0);
  if (isZip64) {
    end64.write('PK\x06\x06', 0, 'latin1');
    end64.writeBigUInt64LE(BigInt(entries.length), 40);
    end64.writeBigUInt64LE(BigInt(offset), 48);
    end64.write('PK\x06\x07', 56, 'latin1');
    end64.writeBigUInt64LE(BigInt(offset + entries.length), 64);
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(isZip64 ? 0xffffffff : entries.length, 12);
  end.writeUInt32LE(isZip64 ? 0xffffffff : offset, 16);
  return Buffer.concat([...parts, entries, end64, end]);
}

async function read(name: string, bytes: Buffer, box?: { begin: number[]; end: number[] }) {
  await writeFile(at(name), bytes);
  const [media] = await readMedia(at(name));
  try {
    const samples = [...(await media.read(box ?? { begin: [0, 0, 0], end: media.shape }))];
    return { shape: media.shape, sampleType: media.format.sampleType, notices: media.notices ?? [], samples };
  } finally {
    media.close?.();
  }
}

async function failure(name: string, bytes: Buffer): Promise<LgiError> {
  const error = await read(name, bytes).then(
    () => expect.fail('it did not fail'),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(LgiError);
  return error as LgiError;
}

/** A plan of an array of any type, with its samples and a box in it. */
const arrays = fc
  .record({
    type: fc.constantFrom(...Object.keys(TYPES)),
    axes: fc.tuple(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 3 }), fc.nat(2)), fc.nat(4), fc.nat(4)),
    big: fc.boolean(),
    fortran: fc.boolean(),
    version: fc.integer({ min: 1, max: 3 }),
    padding: fc.nat(200),
  })
  .map(({ axes: [[before, inside, after], rows, columns], ...plan }) => ({
    ...plan,
    shape: [before + inside + after, rows + 1, columns + 1],
    box: { begin: [before, Math.floor(rows / 2), 0], end: [before + inside, rows + 1, columns + 1] },
  }))
  .chain((plan) => {
    const [, low, high] = TYPES[plan.type];
    const count = plan.shape.reduce((a, b) => a * b);
    return fc.record({
      plan: fc.constant(plan),
      values: fc.array(fc.integer({ min: low, max: high }), { minLength: count, maxLength: count }),
    });
  });

describe('an array of NumPy', () => {
  it('of any type, byte order, axis order and version gives any box of its numbers', async () => {
    await fc.assert(
      fc.asyncProperty(arrays, async ({ plan, values }) => {
        const bytes = npy(plan.type, plan.shape, values, plan);
        const whole = await read('a.npy', bytes);
        expect(whole).toEqual({
          shape: plan.shape,
          sampleType: TYPES[plan.type][3],
          notices: [],
          samples: values,
        });
        const { begin, end } = plan.box;
        const [, height, width] = plan.shape;
        const inside = values.filter((_, i) => {
          const place = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
          return place.every((along, axis) => along >= begin[axis] && along < end[axis]);
        });
        expect((await read('a.npy', bytes, plan.box)).samples).toEqual(inside);
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    [
      [4, 6],
      [1, 4, 6],
    ],
    [
      [1, 2, 3, 4],
      [2, 3, 4],
    ],
    [
      [2, 3, 4, 1],
      [2, 3, 4],
    ],
    [
      [2, 1, 3, 4],
      [2, 3, 4],
    ],
    [
      [1, 1, 2, 3, 4, 1],
      [2, 3, 4],
    ],
    [
      [1, 1, 4, 6],
      [1, 4, 6],
    ],
  ])('of the axes %j is a volume of %j, with a notice', async (axes, shape) => {
    const values = Array.from({ length: 24 }, (_, i) => i);
    for (const fortran of [false, true]) {
      const media = await read('axes.npy', npy('u1', axes, values, { fortran }));
      expect(media.shape).toEqual(shape);
      expect(media.samples).toEqual(values);
      expect(media.notices).toEqual([
        `${at('axes.npy')}: the array is ${axes.join('x')}, it is read as a volume of ${shape.join('x')}`,
      ]);
    }
  });

  it('of half precision keeps its smallest and largest numbers', async () => {
    const bits = [0x0001, 0x03ff, 0x0400, 0x7bff, 0xfbff, 0x3555];
    const expected = [2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, -65504, (1 + 341 / 1024) / 4];
    const bytes = npy('f2', [1, 1, 6], [0, 0, 0, 0, 0, 0]);
    bits.forEach((value, i) => bytes.writeUInt16LE(value, bytes.length - 12 + 2 * i));
    expect((await read('half.npy', bytes)).samples).toEqual(expected);
    bytes.writeUInt16LE(0x7c00, bytes.length - 2);
    expect((await failure('half.npy', bytes)).message).toContain('z, y, x = 0, 0, 5 is Infinity; replace');
  });

  it('of a number that float32 cannot hold is refused with value, place and limit, or rounded with a notice', async () => {
    for (const fortran of [false, true]) {
      const values = Array.from({ length: 24 }, (_, i) => i);
      values[17] = -1e300;
      const { message } = await failure('far.npy', npy('f8', [2, 3, 4], values, { fortran }));
      expect(message).toContain(
        'z, y, x = 1, 1, 1 is -1e+300, beyond the limit of float32, 3.4028234663852886e+38;',
      );
    }
    const media = await read('round.npy', npy('i4', [1, 1, 2], [2 ** 24 + 1, 5]));
    expect(media.samples).toEqual([2 ** 24, 5]);
    expect(media.notices).toEqual([
      `${at('round.npy')}: 1 of 2 samples of int32 were rounded to the 24 bits of float32`,
    ]);
  });
});

describe('a .npz archive', () => {
  const values = Array.from({ length: 24 }, (_, i) => 5 * i - 40);
  const array = npy('i2', [2, 3, 4], values);

  it('of one array gives it, however it is packed', async () => {
    for (const isDeflated of [false, true]) {
      for (const isZip64 of [false, true]) {
        for (const hasDescriptor of [false, true]) {
          const bytes = zip([['volume.npy', array]], { isDeflated, isZip64, hasDescriptor });
          for (const tail of [0, 5]) {
            const media = await read('a.npz', Buffer.concat([bytes, Buffer.alloc(tail)]));
            expect(media).toMatchObject({ shape: [2, 3, 4], samples: values, notices: [] });
          }
        }
      }
    }
  });

  it('of several arrays or none is refused with their names and the next step', async () => {
    const two = await failure('two.npz', zip([['mask.npy', array], ['image.npy', array]])); // prettier-ignore
    expect(two.message).toContain('the archive has 2 arrays: "mask", "image"; save one of them');
    for (const files of [[], [['a.txt', array] as const]]) {
      expect((await failure('none.npz', zip(files))).message).toContain('ZIP archive');
    }
  });

  it('cut off, or with any byte changed, is the same array or a typed error', async () => {
    for (const packing of [{}, { isDeflated: true }, { isZip64: true }]) {
      const whole = zip([['v.npy', array]], packing);
      for (let length = 0; length < whole.length; length += 2) {
        await failure('cut.npz', whole.subarray(0, length));
      }
      for (let place = 0; place < whole.length; place++) {
        const changed = Buffer.from(whole);
        changed[place] ^= 1 << (place % 8);
        const result = await read('bad.npz', changed).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(LgiError);
        else expect(result).toMatchObject({ samples: values });
      }
    }
  });

  it('that claims more than its bytes can hold is refused before it is unpacked', async () => {
    const whole = zip([['v.npy', array]], { isDeflated: true });
    const entry = whole.indexOf('PK\x01\x02');
    whole.writeUInt32LE(2 ** 30, entry + 24);
    expect((await failure('claim.npz', whole)).message).toContain('cannot be the 1073741824 of');
    const bomb = zip([['v.npy', Buffer.alloc(2 ** 22)]], { isDeflated: true });
    bomb.writeUInt32LE(1000, bomb.indexOf('PK\x01\x02') + 24);
    expect((await failure('bomb.npz', bomb)).message).toContain('cannot be unpacked');
  });

  it('of an encrypted file or of another method is refused by it', async () => {
    for (const [place, value, message] of [
      [8, 1, '"v.npy" is encrypted'],
      [10, 14, "packed by ZIP's method 14"],
    ] as const) {
      const whole = zip([['v.npy', array]]);
      whole.writeUInt16LE(value, whole.indexOf('PK\x01\x02') + place);
      expect((await failure('odd.npz', whole)).message).toContain(message);
    }
  });
});
