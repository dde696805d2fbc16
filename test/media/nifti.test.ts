import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LgiError } from '../../dist/codec/errors.js';
import { readMedia } from '../../dist/src/media/read-media.js';
import { readVolume } from '../../dist/src/media/read-volume.js';

// What these tests expect is what nibabel reads, but for an offset of 0, for which it takes the header's bytes as samples.

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-nifti-'));
});
afterAll(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

type Store = (view: DataView, byteOffset: number, value: number, little: boolean) => void;

/** Code, bytes, the range of values that are exact in float32, and how one is stored. */
const TYPES: Readonly<
  Record<string, readonly [code: number, bytes: number, low: number, high: number, Store]>
> = {
  uint8: [2, 1, 0, 255, (view, o, v) => view.setUint8(o, v)],
  int16: [4, 2, -(2 ** 15), 2 ** 15 - 1, (view, o, v, le) => view.setInt16(o, v, le)],
  int32: [8, 4, -(2 ** 24), 2 ** 24, (view, o, v, le) => view.setInt32(o, v, le)],
  float32: [16, 4, -(2 ** 24), 2 ** 24, (view, o, v, le) => view.setFloat32(o, v, le)],
  float64: [64, 8, -(2 ** 24), 2 ** 24, (view, o, v, le) => view.setFloat64(o, v, le)],
  int8: [256, 1, -128, 127, (view, o, v) => view.setInt8(o, v)],
  uint16: [512, 2, 0, 65535, (view, o, v, le) => view.setUint16(o, v, le)],
  uint32: [768, 4, 0, 2 ** 24, (view, o, v, le) => view.setUint32(o, v, le)],
  int64: [1024, 8, -(2 ** 24), 2 ** 24, (view, o, v, le) => view.setBigInt64(o, BigInt(v), le)],
  uint64: [1280, 8, 0, 2 ** 24, (view, o, v, le) => view.setBigUint64(o, BigInt(v), le)],
};

interface Plan {
  readonly values: readonly number[];
  /** x first. */
  readonly lengths: readonly number[];
  readonly type?: string;
  readonly version?: 1 | 2 | 'analyze';
  readonly big?: boolean;
  readonly slope?: number;
  readonly intercept?: number;
  readonly steps?: readonly number[];
  /** Bytes of the contents of extensions. */
  readonly extensions?: readonly number[];
  /** What the header says of where samples begin; default the truth. */
  readonly offset?: number;
  readonly isPair?: boolean;
}

/** Header, with what follows it, and samples. */
function nifti(plan: Plan): { header: Buffer; samples: Buffer } {
  const { values, lengths, type = 'int16', version = 1, big = false } = plan;
  const { slope = 0, intercept = 0, steps = [1, 1, 1], extensions = [] } = plan;
  const isPair = plan.isPair ?? version === 'analyze';
  const [code, bytes, , , store] = TYPES[type];
  const is2 = version === 2;
  const headerBytes = is2 ? 540 : 348;
  const blocks = extensions.map((length) => {
    const block = Buffer.alloc(Math.ceil((8 + length) / 16) * 16, 'x');
    if (big) block.writeInt32BE(block.length, 0);
    else block.writeInt32LE(block.length, 0);
    block.fill(0, 4, 8);
    return block;
  });
  const flag = Buffer.from([blocks.length > 0 ? 1 : 0, 0, 0, 0]);
  const header = Buffer.concat([Buffer.alloc(headerBytes), ...(isPair ? [] : [flag, ...blocks])]);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const little = !big;
  view.setInt32(0, headerBytes, little);
  const offset = plan.offset ?? (isPair ? 0 : header.length);
  [lengths.length, ...lengths].forEach((length, i) =>
    is2 ? view.setBigInt64(16 + 8 * i, BigInt(length), little) : view.setInt16(40 + 2 * i, length, little),
  );
  const real = (place1: number, place2: number, value: number) =>
    is2 ? view.setFloat64(place2, value, little) : view.setFloat32(place1, value, little);
  view.setInt16(is2 ? 12 : 70, code, little);
  [1, ...steps].forEach((step, i) => real(76 + 4 * i, 104 + 8 * i, step));
  real(112, 176, slope);
  real(116, 184, intercept);
  if (is2) view.setBigInt64(168, BigInt(offset), little);
  else view.setFloat32(108, offset, little);
  const magic = isPair ? 'ni' : 'n+';
  if (is2) header.write(`${magic}2\0\r\n\x1a\n`, 4, 'latin1');
  else if (version === 1) header.write(`${magic}1\0`, 344, 'latin1');
  const samples = Buffer.alloc(bytes * values.length);
  const sampleView = new DataView(samples.buffer, samples.byteOffset, samples.byteLength);
  values.forEach((value, i) => store(sampleView, i * bytes, value, little));
  return { header, samples };
}

async function read(path: string) {
  const [media] = await readMedia(path);
  const { shape, format, placement, notices = [], channels } = media;
  const samples = [...(await media.read({ begin: [0, 0, 0], end: shape }))];
  media.close?.();
  return { shape, sampleType: format.sampleType, placement, notices, channels, samples };
}

async function failure(path: string): Promise<LgiError> {
  const error = await readMedia(path).then(
    () => expect.fail('it did not fail'),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(LgiError);
  return error as LgiError;
}

const values = Array.from({ length: 24 }, (_, i) => 7 * i + 1);
const lengths = [4, 3, 2];

describe('NIfTI and ANALYZE', () => {
  it('of any type, order, version, form and extensions give the samples that were stored', async () => {
    const plans = fc
      .record({
        type: fc.constantFrom(...Object.keys(TYPES)),
        version: fc.constantFrom<1 | 2 | 'analyze'>(1, 2, 'analyze'),
        big: fc.boolean(),
        form: fc.constantFrom<'single' | 'pair'>('single', 'pair'),
        isPacked: fc.boolean(),
        isMisnamed: fc.boolean(),
        extensions: fc.array(fc.nat(100), { maxLength: 3 }),
        further: fc.nat(4),
        saysOffset: fc.boolean(),
        lengths: fc.tuple(
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 1, max: 3 }),
        ),
      })
      .chain((plan) => {
        const [, , low, high] = TYPES[plan.type];
        const count = plan.lengths.reduce((a, b) => a * b);
        return fc.record({
          plan: fc.constant(plan),
          stored: fc.array(fc.integer({ min: low, max: high }), { minLength: count, maxLength: count }),
        });
      });
    await fc.assert(
      fc.asyncProperty(plans, async ({ plan, stored }) => {
        const isPair = plan.form === 'pair' || plan.version === 'analyze';
        const { header, samples } = nifti({
          ...plan,
          values: stored,
          lengths: [...plan.lengths, ...Array.from({ length: plan.further }, () => 1)],
          isPair,
          ...(!plan.saysOffset && { offset: 0 }),
        });
        const pack = (bytes: Buffer) => (plan.isPacked ? gzipSync(bytes) : bytes);
        const end = plan.isPacked !== plan.isMisnamed ? '.gz' : '';
        const paths = isPair ? [at(`p.hdr${end}`), at(`p.img${end}`)] : [at(`s.nii${end}`)];
        if (isPair) {
          await writeFile(paths[0], pack(header));
          await writeFile(paths[1], pack(samples));
        } else {
          await writeFile(paths[0], pack(Buffer.concat([header, samples])));
        }
        for (const path of paths) {
          const media = await read(path);
          expect(media.shape).toEqual([...plan.lengths].reverse());
          expect(media.samples).toEqual(stored);
          expect(media.notices).toEqual([]);
        }
        await Promise.all(paths.map((path) => rm(path)));
      }),
      { numRuns: 150 },
    );
  });

  it('begin after their extensions where the header says 0, though samples look like another extension', async () => {
    const stored = [16, 0, 0, 0, ...values.slice(4)];
    const { header, samples } = nifti({
      values: stored,
      lengths,
      type: 'int32',
      extensions: [20],
      offset: 0,
    });
    await writeFile(at('after.nii'), Buffer.concat([header, samples]));
    expect((await read(at('after.nii'))).samples).toEqual(stored);
  });

  it('in an unpacked .img.gz are read beside their header, whatever they begin like', async () => {
    const stored = [-1, ...values.slice(1)];
    const { header, samples } = nifti({ values: stored, lengths, isPair: true });
    await writeFile(at('like.hdr.gz'), header);
    await writeFile(at('like.img.gz'), samples);
    expect((await read(at('like.img.gz'))).samples).toEqual(stored);
  });

  it('scale as nibabel does', async () => {
    const limit = [Infinity, -Infinity, NaN];
    for (const version of [1, 2] as const) {
      for (const slope of [0, ...limit]) {
        const { header, samples } = nifti({ values, lengths, version, slope, intercept: NaN });
        await writeFile(at('scale.nii'), Buffer.concat([header, samples]));
        expect((await read(at('scale.nii'))).samples).toEqual(values);
      }
      for (const intercept of limit) {
        const { header, samples } = nifti({ values, lengths, version, slope: 2, intercept });
        await writeFile(at('scale.nii'), Buffer.concat([header, samples]));
        expect((await failure(at('scale.nii'))).message).toContain(`scales by 2 and adds ${intercept}`);
      }
      const { header, samples } = nifti({ values, lengths, version, slope: -0.5, intercept: 3 });
      await writeFile(at('scale.nii'), Buffer.concat([header, samples]));
      expect((await read(at('scale.nii'))).samples).toEqual(values.map((value) => value * -0.5 + 3));
    }
  });

  it('have steps that are positive and finite, whatever the header says', async () => {
    const { header, samples } = nifti({ values, lengths, steps: [0.5, -2, 4] });
    await writeFile(at('steps.nii'), Buffer.concat([header, samples]));
    expect((await read(at('steps.nii'))).placement?.spacing).toEqual([4, 2, 0.5]);
    const odd = nifti({ values, lengths, steps: [NaN, 0, Infinity] });
    await writeFile(at('steps.nii'), Buffer.concat([odd.header, odd.samples]));
    expect((await read(at('steps.nii'))).placement?.spacing).toEqual([1, 1, 1]);
  });

  it('of colours are volumes of three and four channels', async () => {
    for (const [code, channels] of [
      [128, 3],
      [2304, 4],
    ]) {
      const stored = Array.from({ length: 24 * channels }, (_, i) => (i * 37) % 256);
      const { header, samples } = nifti({ values: stored, lengths, type: 'uint8' });
      header.writeInt16LE(code, 70);
      await writeFile(at('colour.nii'), Buffer.concat([header, samples]));
      const media = await read(at('colour.nii'));
      expect(media).toMatchObject({ channels, sampleType: 'uint8', shape: [2, 3, 4], samples: stored });
    }
  });

  it('of values beyond float32 are refused with the value, its place and the limit, scaled or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(23),
        fc.double({ min: 3.5e38, noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.boolean(),
        async (index, size, isNegative, isScaled) => {
          const value = isNegative ? -size : size;
          const stored = values.map((each, i) => (i === index ? value / (isScaled ? 2 : 1) : each));
          const plan = { values: stored, lengths, type: 'float64', ...(isScaled && { slope: 2 }) };
          const { header, samples } = nifti(plan);
          await writeFile(at('far.nii'), Buffer.concat([header, samples]));
          const place = [Math.floor(index / 12), Math.floor(index / 4) % 3, index % 4].join(', ');
          expect((await failure(at('far.nii'))).message).toContain(
            `far.nii: the sample at z, y, x = ${place} is ${value}, beyond the limit of float32, 3.4028234663852886e+38; `,
          );
        },
      ),
      { numRuns: 30 },
    );
  });

  it('of values that float32 rounds are read, with a notice', async () => {
    const stored = values.map((value) => value + 2 ** 30);
    const { header, samples } = nifti({ values: stored, lengths, type: 'int32' });
    await writeFile(at('round.nii'), Buffer.concat([header, samples]));
    const media = await read(at('round.nii'));
    expect(media.samples).toEqual(stored.map(Math.fround));
    const rounded = stored.filter((value) => Math.fround(value) !== value).length;
    expect(media.notices).toEqual([
      `${at('round.nii')}: ${rounded} of 24 samples of int32 were rounded to the 24 bits of float32`,
    ]);
  });

  it('cut short anywhere are refused, with bytes after their end read', async () => {
    const { header, samples } = nifti({ values, lengths, extensions: [20, 3] });
    const whole = Buffer.concat([header, samples]);
    for (let length = 0; length < whole.length; length += 3) {
      await writeFile(at('cut.nii'), whole.subarray(0, length));
      await failure(at('cut.nii'));
    }
    const packed = gzipSync(whole);
    for (let length = 3; length < packed.length; length++) {
      await writeFile(at('cut.nii.gz'), packed.subarray(0, length));
      await failure(at('cut.nii.gz'));
    }
    await writeFile(at('longer.nii'), Buffer.concat([whole, Buffer.alloc(77)]));
    expect((await read(at('longer.nii'))).samples).toEqual(values);
  });

  it.each([
    ['axes beyond seven', { lengths: [2, 2, 2, 1, 1, 1, 1, 3] }, 'has 8 axes, 1 to 7'],
    ['one axis', { lengths: [24] }, 'it has 1 axis: 24; save one volume'],
    ['four axes', { lengths: [4, 3, 1, 2] }, '4 axes: 4x3x1x2; save one volume'],
    ['a negative length', { lengths: [4, -3, 2] }, '4x-3x2, and no length can be below 1'],
    ['a length that is too large', { lengths: [32767, 32767, 32767] }, 'do not lie in its'],
    ['samples in the header', { offset: 100 }, 'begin at byte 100, they cannot before 352'],
    [
      'samples in the header of NIfTI-2',
      { offset: 400, version: 2 },
      'begin at byte 400, they cannot before 544',
    ],
    ['samples at no place', { offset: NaN }, 'begin at byte NaN'],
    ['samples before the file', { offset: -352 }, 'begin at byte -352'],
  ] as const)('with %s are refused', async (_, plan: Partial<Plan>, message) => {
    const { header, samples } = nifti({ values, lengths, ...plan });
    await writeFile(at('bad.nii'), Buffer.concat([header, samples]));
    expect((await failure(at('bad.nii'))).message).toContain(message);
  });

  it.each([
    [32, 'complex64', 'save the magnitude'],
    [1536, 'float128', 'convert it to a type such as'],
    [1792, 'complex128', 'save the magnitude'],
    [1, 'single bits', 'convert it to a type such as'],
  ])('of type %i are refused by its name', async (code, name, nextStep) => {
    const { header, samples } = nifti({ values, lengths });
    header.writeInt16LE(code, 70);
    await writeFile(at('type.nii'), Buffer.concat([header, samples]));
    const { message } = await failure(at('type.nii'));
    expect(message).toContain(`type ${code} (${name})`);
    expect(message).toContain(nextStep);
  });

  it('of a pair without its other file name the file that is missing', async () => {
    const { header, samples } = nifti({ values, lengths, isPair: true });
    await writeFile(at('alone.hdr'), header);
    expect((await failure(at('alone.hdr'))).message).toContain('no .img lies beside it');
    await writeFile(at('other.img'), samples);
    const error = await readVolume(at('other.img')).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(LgiError);
    await writeFile(at('radiance.hdr'), '#?RADIANCE\n');
    expect((await failure(at('radiance.hdr'))).message).not.toContain('NIfTI');
  });

  it('with any bytes of the header changed are a volume or a typed error', async () => {
    const files = ([1, 2] as const).flatMap((version) =>
      [true, false].map((big) => {
        const { header, samples } = nifti({ values, lengths, version, big, extensions: [9], slope: 2 });
        return Buffer.concat([header, samples]);
      }),
    );
    const change = fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        async (file, changes) => {
          const changed = Buffer.from(file);
          for (const [place, value] of changes) changed[place % (file.length - 48)] = value;
          await writeFile(at('hostile.nii'), changed);
          const result = await readMedia(at('hostile.nii')).catch((error: unknown) => error);
          if (result instanceof Error) expect(result).toBeInstanceOf(LgiError);
        },
      ),
      { numRuns: 600 },
    );
  });
});
