import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LgiError, OptionError } from '../../dist/codec/errors.js';
import {
  fullRangeMapping,
  outputsToSamples,
  type SampleArray,
  type SampleType,
} from '../../dist/codec/signal.js';
import { memoryMedia } from '../../dist/src/media/media.js';
import { readVolume } from '../../dist/src/media/read-volume.js';
import { writeImage } from '../../dist/src/media/write-image.js';
import { writeVolume } from '../../dist/src/media/write-volume.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-volume-'));
});

afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

/** Samples that are all different as far as the type goes. */
function ramp(sampleType: SampleType, length: number): SampleArray {
  if (sampleType === 'uint8') return Uint8Array.from({ length }, (_, i) => (i * 7) % 256);
  if (sampleType === 'uint16') return Uint16Array.from({ length }, (_, i) => (i * 257) % 65536);
  return Float32Array.from({ length }, (_, i) => i / 3 - 10);
}

function volume(sampleType: SampleType, shape: readonly number[], data?: SampleArray) {
  const count = shape.reduce((a, b) => a * b, 1);
  return { data: data ?? ramp(sampleType, count), shape, channels: 1, format: { sampleType } };
}

/** A file with this text as its header and so many bytes behind it. */
function npy(text: string, dataBytes: number, version = 1): Buffer {
  const preamble = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return Buffer.concat([preamble, length, Buffer.from(text, 'latin1'), Buffer.alloc(dataBytes)]);
}

const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('it did not fail'),
    (error: Error) => error,
  );
}

async function mappingOf(path: string) {
  const media = await readVolume(path);
  media.close?.();
  return media.format.mapping;
}

const whole = (shape: readonly number[]) => ({ begin: shape.map(() => 0), end: [...shape] });

describe('a .npy file', () => {
  it('gives any box of what was written, sample for sample, for every type', async () => {
    const axis = fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 5 }), fc.nat(3));
    const types = fc.constantFrom<SampleType>('uint8', 'uint16', 'float32');
    await fc.assert(
      fc.asyncProperty(types, fc.tuple(axis, axis, axis), async (sampleType, parts) => {
        const shape = parts.map(([before, inside, after]) => before + inside + after);
        const box = {
          begin: parts.map(([before]) => before),
          end: parts.map(([before, inside]) => before + inside),
        };
        const written = volume(sampleType, shape);
        const byteLength = await writeVolume(at('any.npy'), written);
        expect((await readFile(at('any.npy'))).length).toBe(byteLength);
        const media = await readVolume(at('any.npy'));
        expect(media).toMatchObject({ kind: 'volume', shape, channels: 1 });
        expect(media.format).toMatchObject({ sampleType, layout: 'plain' });
        const expected = memoryMedia({ kind: 'volume', data: written.data, shape });
        expect(await media.read(box)).toEqual(await expected.read(box));
        media.close?.();
      }),
      { numRuns: 60 },
    );
  });

  it('is read in spans where rows are many or longer than a block', async () => {
    for (const shape of [
      [2, 700, 2000],
      [1, 3, 600_000],
    ]) {
      const written = volume('uint16', shape);
      await writeVolume(at('large.npy'), written);
      const media = await readVolume(at('large.npy'));
      const box = { begin: [0, 1, 5], end: [shape[0], shape[1] - 1, shape[2] - 7] };
      const expected = await memoryMedia({ kind: 'volume', data: written.data, shape }).read(box);
      expect(Buffer.compare(Buffer.from((await media.read(box)).buffer), Buffer.from(expected.buffer))).toBe(
        0,
      );
      media.close?.();
    }
  });

  it('is what NumPy writes: aligned to 64 bytes, with the header it prints', async () => {
    await writeVolume(at('plain.npy'), volume('float32', [2, 3, 4]));
    const bytes = await readFile(at('plain.npy'));
    expect(bytes.length).toBe(128 + 96);
    expect(bytes.toString('latin1', 10, 127).trimEnd()).toBe(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }",
    );
    expect(bytes[127]).toBe(10);
  });

  it.each([1, 2, 3])('of version %d.0 and of big-endian samples is read', async (version) => {
    const bytes = npy(header("'>u2'", '(1, 1, 3)'), 6, version);
    bytes.writeUInt16BE(513, bytes.length - 4);
    await writeFile(at('big.npy'), bytes);
    const media = await readVolume(at('big.npy'));
    expect([...(await media.read(whole(media.shape)))]).toEqual([0, 513, 0]);
    media.close?.();
  });

  it('of floats maps its content to [-1, 1]; integers keep their full range', async () => {
    await writeVolume(at('f.npy'), volume('float32', [1, 2, 2], Float32Array.of(-3, 5, 0, 1)));
    expect(await mappingOf(at('f.npy'))).toEqual({ scale: 4, offset: 1 });
    await writeVolume(at('u.npy'), volume('uint16', [1, 2, 2]));
    expect(await mappingOf(at('u.npy'))).toEqual(fullRangeMapping('uint16'));
  });

  it.each([2.5, 0, -1e-6, 1e-45, 3.4e38])('of floats all %d decodes to exactly that', async (value) => {
    const data = new Float32Array(8).fill(value);
    await writeVolume(at('c.npy'), volume('float32', [2, 2, 2], data));
    const decoded = new Float32Array(8);
    outputsToSamples(
      Float32Array.of(-1, 1, 0.3, 0, -0.7, 2, -2, 0.001),
      await mappingOf(at('c.npy')),
      decoded,
    );
    expect(decoded.every((sample) => sample === data[0])).toBe(true);
  });

  it('with a float that is not finite is refused with its place', async () => {
    const data = new Float32Array(24);
    data[17] = NaN;
    await writeVolume(at('nan.npy'), volume('float32', [2, 3, 4], data));
    const error = await failure(readVolume(at('nan.npy')));
    expect(error).toMatchObject({ code: 'media' });
    expect(error.message).toContain('z, y, x = 1, 1, 1 is NaN; replace');
  });

  it.each([
    ['complex numbers', header("'<c8'", '(1, 2, 2)'), 32, 'type <c8 (complex numbers)', 'np.abs'],
    ['long doubles', header("'<f16'", '(1, 2, 2)'), 64, 'type <f16', 'astype(np.float32)'],
    ['text', header("'<U3'", '(1, 2, 2)'), 48, 'type <U3 (text)', 'astype'],
    ['records', header("[('a', '<f4')]", '(1, 2, 2)'), 16, 'type structured', 'astype'],
    ['a name of every object', header("'constructor'", '(1, 2, 2)'), 4, 'type constructor', 'astype'],
    ['one axis', header("'|u1'", '(4,)'), 4, 'has 1 axis (4)', 'reshape'],
    ['no axes', header("'|u1'", '()'), 1, 'has 0 axes', 'reshape'],
    ['four axes', header("'|u1'", '(4, 2, 2, 3)'), 48, 'has 4 axes (4x2x2x3)', 'array[0]'],
    ['no samples', header("'|u1'", '(1, 0, 2)'), 0, 'no sample', 'export'],
    ['too few bytes', header("'<u2'", '(1, 2, 2)'), 7, 'uint16 makes a file of', 'fetch'],
    ['too many bytes', header("'<u2'", '(1, 2, 2)'), 9, 'uint16 makes a file of', 'fetch'],
    ['a huge shape', header("'|u1'", '(99999999, 99999999, 99999999)'), 4, 'more bytes than any', 'export'],
    ['a huge number', header("'|u1'", `(1, 1, ${'9'.repeat(400)})`), 4, 'shape', 'fetch'],
    ['a negative length', header("'|u1'", '(1, -1, 2)'), 4, 'shape', 'fetch'],
    ['code', header("'|u1'", "__import__('os')"), 4, 'no plain value', 'fetch'],
    ['code behind it', header("'|u1'", '(1, 2, 2)').replace('}', '} + 1'), 4, 'not expected', 'fetch'],
    ['an unknown key', header("'|u1'", '(1, 2, 2)').replace('}', "'x': 1}"), 4, 'not expected', 'fetch'],
    ['a key twice', header("'|u1'", '(1, 2, 2)').replace('}', "'descr': '<u2'}"), 4, 'twice', 'fetch'],
    ['a key missing', "{'descr': '|u1', 'fortran_order': False}", 4, 'no shape', 'fetch'],
    ['no dictionary', '', 4, 'does not begin', 'fetch'],
  ])('with %s is refused: the fact and the next step', async (_, text, dataBytes, fact, nextStep) => {
    await writeFile(at('bad.npy'), npy(text, dataBytes));
    const error = await failure(readVolume(at('bad.npy')));
    expect(error).toBeInstanceOf(LgiError);
    expect(error.message).toContain(fact);
    expect(error.message.slice(error.message.indexOf(';'))).toContain(nextStep);
  });

  it('cut off or changed anywhere in its header is read or refused, nothing else', async () => {
    const bytes = npy(header("'<f4'", '(1, 2, 2)'), 16);
    const cut = fc.nat(bytes.length).map((length) => bytes.subarray(0, length));
    const changed = fc.tuple(fc.nat(bytes.length - 17), fc.nat(255)).map(([place, value]) => {
      const copy = Buffer.from(bytes);
      copy[place] = value;
      return copy;
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, changed), async (hostile) => {
        await writeFile(at('hostile.npy'), hostile);
        const result = await readVolume(at('hostile.npy')).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(LgiError);
        else (result as { close(): void }).close();
      }),
      { numRuns: 200 },
    );
  });

  it('whose header claims gigabytes is refused before they are looked for', async () => {
    const bytes = npy('', 0, 2);
    bytes.writeUInt32LE(0xffffffff, 8);
    await writeFile(at('claim.npy'), bytes);
    expect((await failure(readVolume(at('claim.npy')))).message).toContain('the header has 4294967295 bytes');
  });

  it('refuses boxes that leave it, and reading after it was closed', async () => {
    await writeVolume(at('box.npy'), volume('uint8', [2, 2, 2]));
    const media = await readVolume(at('box.npy'));
    expect(await failure(media.read({ begin: [0, 0, 0], end: [2, 2, 3] }))).toBeInstanceOf(OptionError);
    expect(await failure(media.read({ begin: [0, 0], end: [2, 2] }))).toBeInstanceOf(OptionError);
    media.close?.();
    expect((await failure(media.read(whole([2, 2, 2])))).message).toContain('is closed');
  });

  it('is left as it was when writing is aborted', async () => {
    await writeVolume(at('kept.npy'), volume('uint8', [1, 1, 2]));
    const before = await readFile(at('kept.npy'));
    const abort = new AbortController();
    const writing = writeVolume(at('kept.npy'), volume('uint8', [2, 2, 2]), abort.signal);
    abort.abort(new Error('stop'));
    expect((await failure(writing)).message).toBe('stop');
    expect(await readFile(at('kept.npy'))).toEqual(before);
  });
});

describe('slices', () => {
  it.each(['uint8', 'uint16'] as const)('of %s come back exactly, by pattern and folder', async (type) => {
    const slices = at(`slices-${type}`);
    await mkdir(slices);
    const written = volume(type, [12, 3, 5]);
    await writeVolume(join(slices, '%d.png'), written);
    expect((await readdir(slices)).length).toBe(12);
    for (const path of [slices, join(slices, '%d.png'), join(slices, '*.png')]) {
      const media = await readVolume(path);
      expect(media.shape).toEqual([12, 3, 5]);
      expect(await media.read(whole(media.shape))).toEqual(written.data);
    }
  });

  it('that are missing, unequal or coloured are refused by name', async () => {
    const slices = at('odd');
    await mkdir(slices);
    const pattern = join(slices, '%04d.png');
    await writeVolume(pattern, volume('uint8', [6, 2, 2]));
    await rm(join(slices, '0002.png'));
    await rm(join(slices, '0003.png'));
    expect((await failure(readVolume(pattern))).message).toContain(
      'slices 2 to 3 are missing of 0 to 5; add',
    );
    const other = { data: new Uint8Array(6), shape: [2, 3], channels: 1, layout: 'grey' as const };
    await writeImage(join(slices, '0004.png'), { ...other, sampleType: 'uint8' });
    expect((await failure(readVolume(slices))).message).toMatch(/0004\.png: this slice is 3x2 .* 2x2 uint8/);
    const colour = { data: new Uint8Array(12), shape: [2, 2], channels: 3, layout: 'rgb' as const };
    await writeImage(join(slices, '0004.png'), { ...colour, sampleType: 'uint8' });
    expect((await failure(readVolume(slices))).message).toContain(
      '0004.png: this slice has 3 channels (rgb)',
    );
  });

  it('are told of when files beside them are left out, and when there are none', async () => {
    const slices = at('mixed');
    await mkdir(slices);
    await writeFile(join(slices, 'notes.txt'), 'x');
    expect((await failure(readVolume(slices))).message).toContain('1 files, none of them .png');
    expect((await failure(readVolume(join(slices, '*.png')))).message).toContain('no file fits');
    await writeVolume(join(slices, 'a%02d.png'), volume('uint8', [2, 2, 2]));
    expect((await readVolume(slices)).notices).toEqual([
      `${slices}: 1 of 3 files do not end in .png and were left out`,
    ]);
  });
});

describe('a volume', () => {
  it.each([
    ['floats as slices', '%d.png', volume('float32', [1, 1, 1]), 'write it as .npy'],
    ['slices without a number', '*.png', volume('uint8', [1, 1, 1]), 'write %04d'],
    ['slices that are no PNG', '%d.jpg', volume('uint8', [1, 1, 1]), 'end it in .png'],
    ['two marks', '%d-%d.png', volume('uint8', [1, 1, 1]), 'has 2 marks'],
    ['another extension', 'a.raw', volume('uint8', [1, 1, 1]), 'write it as .npy'],
  ])('is not written as %s', async (_, name, samples, fact) => {
    const error = await failure(writeVolume(at(name), samples));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toContain(fact);
  });

  it('of more channels becomes an array of four axes', async () => {
    const samples = { ...volume('uint8', [2, 2, 2], new Uint8Array(24)), channels: 3 };
    await writeVolume(at('channels.npy'), samples);
    expect((await failure(readVolume(at('channels.npy')))).message).toContain('has 4 axes (2x2x2x3)');
  });

  it('in a format that is not read gets told how to convert it', async () => {
    await writeFile(at('brain.nii.gz'), 'x');
    expect((await failure(readVolume(at('brain.nii.gz')))).message).toContain('no NIfTI file');
    await writeFile(at('arrays.npz'), 'PK\x03\x04');
    expect((await failure(readVolume(at('arrays.npz')))).message).toContain('ZIP archive');
    await writeFile(at('empty.npy'), '');
    expect((await failure(readVolume(at('empty.npy')))).message).toContain('empty');
    expect(await failure(readVolume(at('absent.npy')))).toMatchObject({ code: 'io' });
  });
});

describe('a NIfTI file', () => {
  /** Of version 1, with int16 samples where nothing else is said. */
  function nifti(
    samples: ArrayLike<number>,
    dims: readonly number[],
    rest: { type?: 2 | 4 | 16 | 512; slope?: number; inter?: number; big?: boolean } = {},
  ): Buffer {
    const { type = 4, slope = 0, inter = 0, big = false } = rest;
    const bytes = { 2: 1, 4: 2, 16: 4, 512: 2 }[type];
    const buffer = Buffer.alloc(352 + bytes * samples.length);
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    view.setInt32(0, 348, !big);
    [dims.length, ...dims].forEach((length, i) => view.setInt16(40 + 2 * i, length, !big));
    view.setInt16(70, type, !big);
    view.setInt16(72, 8 * bytes, !big);
    [1, 0.5, 0.75, 2].forEach((step, i) => view.setFloat32(76 + 4 * i, step, !big));
    view.setFloat32(108, 352, !big);
    view.setFloat32(112, slope, !big);
    view.setFloat32(116, inter, !big);
    buffer.write('n+1\0', 344, 'latin1');
    for (let i = 0; i < samples.length; i++) {
      const place = 352 + bytes * i;
      if (type === 2) view.setUint8(place, samples[i]);
      else if (type === 4) view.setInt16(place, samples[i], !big);
      else if (type === 512) view.setUint16(place, samples[i], !big);
      else view.setFloat32(place, samples[i], !big);
    }
    return buffer;
  }
  const values = Array.from({ length: 2 * 3 * 4 }, (_, i) => 100 * i - 1000);
  const whole = { begin: [0, 0, 0], end: [2, 3, 4] };

  it('is read with its scale and voxel size, packed or not, of either byte order', async () => {
    for (const [name, big, slope, inter] of [
      ['a.nii', false, 0, 0],
      ['b.nii.gz', false, 0.5, -3],
      ['c.nii', true, 1, 0],
    ] as const) {
      const bytes = nifti(values, [4, 3, 2], { big, slope, inter });
      await writeFile(at(name), name.endsWith('gz') ? gzipSync(bytes) : bytes);
      const media = await readVolume(at(name));
      expect(media).toMatchObject({ kind: 'volume', shape: [2, 3, 4], format: { sampleType: 'float32' } });
      expect(media.placement?.spacing).toEqual([2, 0.75, 0.5]);
      const expected = values.map((value) => (slope === 0 ? value : value * slope + inter));
      expect([...(await media.read(whole))]).toEqual(expected);
      const { scale, offset } = media.format.mapping;
      expect([offset - scale, offset + scale]).toEqual([expected[0], expected[expected.length - 1]]);
    }
  });

  it('of unsigned integers keeps them', async () => {
    for (const [type, sampleType] of [
      [2, 'uint8'],
      [512, 'uint16'],
    ] as const) {
      const data = values.map((_, i) => 10 * i);
      await writeFile(at('u.nii'), nifti(data, [4, 3, 2], { type }));
      const media = await readVolume(at('u.nii'));
      expect(media.format.sampleType).toBe(sampleType);
      expect([...(await media.read(whole))]).toEqual(data);
    }
  });

  it.each([
    ['cut off', nifti(values, [4, 3, 2]).subarray(0, 380), /do not lie in its 380 bytes/],
    ['of four axes', nifti(values, [4, 3, 1, 2]), /4 axes: 4x3x1x2/],
    ['of no length', nifti([], [4, 0, 2]), /3 axes: 4x0x2, and no length can be below 1/],
    ['of another type', nifti(values, [4, 3, 2]).fill(32, 70, 71), /type 32/],
    [
      'with a value that is no number',
      nifti([1, NaN, 3, 4], [2, 2, 1], { type: 16 }),
      /z, y, x = 0, 0, 1 is NaN/,
    ],
    ['that is text', Buffer.from('no volume '.repeat(80)), /no NIfTI file/],
    ['packed, and cut off', gzipSync(nifti(values, [4, 3, 2])).subarray(0, 60), /cannot be unpacked/],
  ])('%s is refused', async (_, bytes, message) => {
    await writeFile(at('bad.nii'), bytes);
    expect((await failure(readVolume(at('bad.nii')))).message).toMatch(message);
  });
});
