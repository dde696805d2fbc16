import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LgiError, OptionError } from '../../dist/codec/errors.js';
import { encodeImage } from '../../dist/src/media/encode-image.js';
import type { Media } from '../../dist/src/media/media.js';
import { decodeImage, readImage } from '../../dist/src/media/read-image.js';
import { writeImage } from '../../dist/src/media/write-image.js';
import {
  exifBlock,
  makePng,
  withJpegSegment,
  withPngChunk,
  withWebpChunk,
  type PngPlan,
} from '../../dist/test/media/image-files.js';
import {
  checker,
  disc,
  gradient,
  noise,
  render,
  type RenderedPicture,
} from '../../dist/test/media/patterns.js';
import { scene } from '../../dist/test/media/scene.js';
import { hash } from '../../dist/test/media/value-noise.js';

const LAYOUTS = ['grey', 'grey-alpha', 'rgb', 'rgb-alpha'] as const;

function samplesOf(media: Media) {
  return media.read({ begin: [0, 0], end: media.shape });
}

function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lgi-image-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('PNG', () => {
  it('gives back what was written, bit for bit, in every layout, depth and size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...LAYOUTS),
        fc.constantFrom('uint8' as const, 'uint16' as const),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(1000),
        async (layout, sampleType, width, height, seed) => {
          const picture = render(noise(seed), { width, height, layout, sampleType });
          const media = await decodeImage(await encodeImage('png', picture), 'a.png');
          expect(media.shape).toEqual([height, width]);
          expect(media.format).toMatchObject({ layout, sampleType, channels: picture.channels });
          expect(await samplesOf(media)).toEqual(picture.data);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is written the same twice, and as a whole through a file', async () => {
    const path = join(folder, 'scene.png');
    const picture = scene(96, 64);
    const byteLength = await writeImage(path, picture);
    expect(readFileSync(path)).toEqual(Buffer.from(await encodeImage('png', picture)));
    expect(readFileSync(path).length).toBe(byteLength);
    expect(await samplesOf(await readImage(path))).toEqual(picture.data);
    expect(readdirSync(folder)).toEqual(['scene.png']);
  });

  it('keeps an ICC profile and the colour code points', async () => {
    const iccProfile = Uint8Array.from({ length: 3000 }, (_, i) => hash(i, 0, 1) * 256);
    const colour = { primaries: 9, transfer: 16, matrix: 0, fullRange: true };
    const picture = render(gradient, { width: 9, height: 7, sampleType: 'uint16' });
    const tagged = await decodeImage(await encodeImage('png', { ...picture, iccProfile, colour }), 'a.png');
    expect(tagged.iccProfile).toEqual(iccProfile);
    expect(tagged.colour).toEqual(colour);
    const plain = await decodeImage(await encodeImage('png', picture), 'a.png');
    expect(plain.iccProfile).toBeUndefined();
    expect(plain.colour).toEqual({ primaries: 1, transfer: 13, matrix: 0, fullRange: true });
  });

  const kinds = ([0, 2, 3, 4, 6] as const).flatMap((colourType) =>
    ([1, 2, 4, 8, 16] as const)
      .filter(
        (depth) =>
          (colourType === 0 || depth >= 8 || colourType === 3) && !(colourType === 3 && depth === 16),
      )
      .flatMap((depth) => [false, true].map((interlaced) => ({ colourType, depth, interlaced }))),
  );

  it.each(kinds)(
    'of colour type $colourType, $depth bits, interlaced $interlaced, is read exactly',
    async (kind) => {
      const [width, height] = [13, 11];
      const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[kind.colourType];
      const most = 2 ** kind.depth - 1;
      const values = Array.from({ length: width * height * channels }, (_, i) =>
        Math.floor(hash(i, 5, 9) * (most + 1)),
      );
      const plan: PngPlan = { width, height, values, ...kind };
      const palette = Uint8Array.from({ length: 3 * (most + 1) }, (_, i) => hash(i, 7, 9) * 256);
      const plain = await decodeImage(
        makePng(kind.colourType === 3 ? { ...plan, extra: [['PLTE', palette]] } : plan),
        'a.png',
      );
      const alphas = Uint8Array.from({ length: most }, (_, i) => hash(i, 8, 9) * 256);
      const colourOf = (index: number) => [...palette.subarray(index * 3, index * 3 + 3)];
      if (kind.colourType === 3) {
        expect([...(await samplesOf(plain))]).toEqual(values.flatMap(colourOf));
        const extra = [
          ['PLTE', palette],
          ['tRNS', alphas],
        ] as const;
        const withAlpha = await decodeImage(makePng({ ...plan, extra }), 'a.png');
        expect(withAlpha.format.layout).toBe('rgb-alpha');
        const expected = values.flatMap((index) => [...colourOf(index), alphas[index] ?? 255]);
        expect([...(await samplesOf(withAlpha))]).toEqual(expected);
        return;
      }
      const expected = kind.depth < 8 ? values.map((value) => (value * 255) / most) : values;
      expect(plain.format.sampleType).toBe(kind.depth === 16 ? 'uint16' : 'uint8');
      expect([...(await samplesOf(plain))]).toEqual(expected);
      if (channels % 2 === 0) return;
      // A colour key makes exactly the pixels of that value transparent.
      const key = Buffer.alloc(channels * 2);
      values.slice(0, channels).forEach((value, c) => key.writeUInt16BE(value, 2 * c));
      const keyed = await decodeImage(makePng({ ...plan, extra: [['tRNS', key]] }), 'a.png');
      const samples = [...(await samplesOf(keyed))];
      for (let i = 0; i < width * height; i++) {
        const pixel = expected.slice(i * channels, (i + 1) * channels);
        const matches = pixel.every((value, c) => value === expected[c]);
        const opaque = kind.depth === 16 ? 65535 : 255;
        expect(samples.slice(i * (channels + 1), (i + 1) * (channels + 1))).toEqual([
          ...pixel,
          matches ? 0 : opaque,
        ]);
      }
    },
  );
});

describe('JPEG', () => {
  it('is read as full-range RGB within the losses of its own coding', async () => {
    const picture = render(gradient, { width: 67, height: 41 });
    const media = await decodeImage(await encodeImage('jpeg', picture), 'a.jpg');
    expect(media.format).toMatchObject({ layout: 'rgb', sampleType: 'uint8' });
    expect(worstDifference(await samplesOf(media), picture.data)).toBeLessThanOrEqual(5);
  });

  it('keeps black, white, grey and pure colours where they belong', async () => {
    const colours = [
      [0, 0, 0],
      [255, 255, 255],
      [128, 128, 128],
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
    ];
    for (const [r, g, b] of colours) {
      const picture = render(() => [r / 255, g / 255, b / 255, 1], { width: 16, height: 16 });
      const samples = await samplesOf(await decodeImage(await encodeImage('jpeg', picture), 'a.jpg'));
      expect(worstDifference(samples, picture.data)).toBeLessThanOrEqual(2);
    }
  });

  it('keeps an ICC profile of several segments', async () => {
    const iccProfile = Uint8Array.from({ length: 150_000 }, (_, i) => hash(i, 0, 2) * 256);
    const picture = render(gradient, { width: 9, height: 7 });
    const media = await decodeImage(await encodeImage('jpeg', { ...picture, iccProfile }), 'a.jpg');
    expect(media.iccProfile).toEqual(iccProfile);
    expect(media.colour).toBeUndefined();
  });

  it('ignores what follows its end', async () => {
    const jpeg = await encodeImage('jpeg', render(gradient, { width: 20, height: 20 }));
    const longer = Buffer.concat([jpeg, jpeg, Buffer.from('film')]);
    expect(await samplesOf(await decodeImage(longer, 'a'))).toEqual(
      await samplesOf(await decodeImage(jpeg, 'a')),
    );
  });

  it.each([
    ['CMYK', [8, 0, 9, 0, 9, 4, 1, 17, 0, 2, 17, 0, 3, 17, 0, 4, 17, 0], 0xc0, 'CMYK'],
    ['12 bits', [12, 0, 9, 0, 9, 1, 1, 17, 0], 0xc1, '12 bits'],
    ['lossless coding', [8, 0, 9, 0, 9, 1, 1, 17, 0], 0xc3, 'lossless'],
    ['arithmetic coding', [8, 0, 9, 0, 9, 1, 1, 17, 0], 0xc9, 'arithmetic'],
  ])('of %s is refused by name', async (_, header, marker, message) => {
    const jpeg = withJpegSegment(Buffer.from([0xff, 0xd8, 0xff, 0xd9]), marker, Uint8Array.from(header));
    await expect(decodeImage(jpeg, 'a.jpg')).rejects.toThrow(message);
    await expect(decodeImage(jpeg, 'a.jpg')).rejects.toMatchObject({ code: 'media' });
  });
});

describe('WebP', () => {
  it.each(['rgb', 'rgb-alpha'] as const)('without loss of %s is read bit for bit', async (layout) => {
    // Where nothing shows, the encoder may choose the colour; the disc's alpha is therefore kept above 0.
    const picture = render((...at) => [...disc(...at).slice(0, 3), 0.1 + 0.9 * disc(...at)[3]] as never, {
      width: 33,
      height: 21,
      layout,
    });
    picture.data.forEach((value, i) => {
      if (layout === 'rgb-alpha' && i % 4 === 3 && value === 0) picture.data[i] = 1;
    });
    const iccProfile = Uint8Array.of(1, 2, 3);
    const media = await decodeImage(await encodeImage('webp', { ...picture, iccProfile }), 'a.webp');
    expect(media.format.layout).toBe(layout);
    expect(media.iccProfile).toEqual(iccProfile);
    expect(await samplesOf(media)).toEqual(picture.data);
  });

  it('stores grey as equal colours', async () => {
    const picture = render(checker(3), { width: 10, height: 10, layout: 'grey' });
    const samples = await samplesOf(await decodeImage(await encodeImage('webp', picture), 'a.webp'));
    expect([...samples]).toEqual([...picture.data].flatMap((value) => [value, value, value]));
  });
});

describe('EXIF orientation', () => {
  // The stored corners, in the order in which each orientation shows them: top left, top right, bottom left, bottom right.
  const SHOWN = ['ABCD', 'BADC', 'DCBA', 'CDAB', 'ACBD', 'CADB', 'DBCA', 'BDAC'];
  const corners = (x: number, y: number) => [40, 100, 160, 220][(y < 8 ? 0 : 2) + (x < 16 ? 0 : 1)] / 255;
  const stored = render((x, y) => [corners(x, y), corners(x, y), corners(x, y), 1], {
    width: 32,
    height: 16,
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i is applied to JPEG, PNG and WebP', async (orientation) => {
    const [jpeg, png, webp] = await Promise.all(
      (['jpeg', 'png', 'webp'] as const).map((format) => encodeImage(format, stored)),
    );
    const exif = exifBlock(orientation, orientation % 2 === 0);
    const files = [
      withJpegSegment(jpeg, 0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif])),
      withPngChunk(png, 'eXIf', exif),
      withWebpChunk(webp, 'EXIF', exif),
    ];
    for (const file of files) {
      const media = await decodeImage(file, 'a');
      const [height, width] = media.shape;
      expect([height, width]).toEqual(orientation >= 5 ? [32, 16] : [16, 32]);
      const samples = await samplesOf(media);
      const at = (x: number, y: number) => 'ABCD'[Math.round((samples[(y * width + x) * 3] - 40) / 60)];
      const shown = at(2, 2) + at(width - 3, 2) + at(2, height - 3) + at(width - 3, height - 3);
      expect(shown).toBe(SHOWN[orientation - 1]);
      expect(media.notices?.length ?? 0).toBe(orientation === 1 ? 0 : 1);
    }
  });

  it('of a broken block counts as none', async () => {
    const png = await encodeImage('png', stored);
    for (const block of [
      new Uint8Array(3),
      exifBlock(9),
      exifBlock(6).subarray(0, 24),
      Buffer.alloc(60, 255),
    ]) {
      expect((await decodeImage(withPngChunk(png, 'eXIf', block), 'a')).shape).toEqual([16, 32]);
    }
  });
});

describe('damaged pictures', () => {
  const small = (layout: RenderedPicture['layout']) => render(disc, { width: 12, height: 9, layout });

  it.each(['png', 'jpeg', 'webp'] as const)('%s cut at any byte is a typed error', async (format) => {
    const file = await encodeImage(format, small('rgb'));
    for (let length = 0; length < file.length; length++) {
      const cut = decodeImage(file.subarray(0, length), 'cut');
      await expect(cut, `${length} of ${file.length} bytes`).rejects.toMatchObject({ code: 'media' });
    }
  });

  it('PNG with any byte changed is a typed error or the same picture', async () => {
    const picture = small('rgb-alpha');
    const file = await encodeImage('png', picture);
    for (let at = 0; at < file.length; at++) {
      const changed = Uint8Array.from(file);
      changed[at] ^= 1 << (at % 8);
      const read = await decodeImage(changed, 'changed').then(samplesOf, (error: unknown) => error);
      if (read instanceof Uint8Array) expect(read).toEqual(picture.data);
      else expect(read).toBeInstanceOf(LgiError);
    }
  });

  it.each(['jpeg', 'webp'] as const)('%s with random bytes is a picture or a typed error', async (format) => {
    const file = await encodeImage(format, small('rgb'));
    const changes = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        const changed = Uint8Array.from(file);
        for (const [at, value] of list) changed[at] = value;
        const read = await decodeImage(changed, 'changed').catch((error: unknown) => error);
        if (read instanceof Error) expect(read).toBeInstanceOf(LgiError);
      }),
      { numRuns: 200 },
    );
  });

  it('PNG whose compressed rows stop early is a typed error', async () => {
    const rows = { width: 8, height: 8, depth: 8, colourType: 0, values: new Uint8Array(64) } as const;
    const whole = Buffer.from(makePng(rows));
    const tall = Buffer.from(makePng({ ...rows, height: 9, values: new Uint8Array(72) }));
    // The header of the taller picture, the rows of the shorter one; every checksum is right.
    const mixed = Buffer.concat([tall.subarray(0, 33), whole.subarray(33)]);
    await expect(decodeImage(mixed, 'a.png')).rejects.toThrow('yields 72 of 81 bytes');
  });
});

describe('hostile pictures', () => {
  const tiny = { width: 1, height: 1, depth: 8, colourType: 6, values: [1, 2, 3, 4] } as const;

  async function refusal(bytes: Uint8Array): Promise<LgiError> {
    const begun = performance.now();
    const error = await decodeImage(bytes, 'hostile').catch((caught: unknown) => caught);
    expect(performance.now() - begun).toBeLessThan(500);
    expect(error).toBeInstanceOf(LgiError);
    return error as LgiError;
  }

  it.each([
    [2 ** 31 - 1, 2 ** 31 - 1, 'limit'],
    [2 ** 32 - 1, 1, 'limit'],
    [16000, 16000, 'media'],
    [0, 5, 'media'],
  ])('PNG that claims %i x %i is refused before it is decoded', async (width, height, code) => {
    const honest = Buffer.from(makePng(tiny));
    const header = withPngChunk(honest.subarray(0, 33), 'IHDR', Buffer.alloc(13)).subarray(33);
    const data = Buffer.from(honest.subarray(16, 29));
    data.writeUInt32BE(width, 0);
    data.writeUInt32BE(height, 4);
    const forged = withPngChunk(Buffer.concat([honest.subarray(0, 8), header]), 'IHDR', data).subarray(
      8 + header.length,
    );
    const file = Buffer.concat([honest.subarray(0, 8), forged, honest.subarray(33)]);
    expect((await refusal(file)).code).toBe(code);
  });

  it('JPEG that claims 16000 x 16000 in a few hundred bytes is refused before it is decoded', async () => {
    const jpeg = Buffer.from(await encodeImage('jpeg', render(gradient, { width: 8, height: 8 })));
    const frame = jpeg.indexOf(Uint8Array.of(0xff, 0xc0));
    jpeg.writeUInt16BE(16000, frame + 5);
    jpeg.writeUInt16BE(16000, frame + 7);
    expect((await refusal(jpeg)).message).toContain('needs at least');
  });

  it('PNG whose rows or profile inflate without end costs no more than its header says', async () => {
    const { deflateSync } = await import('node:zlib');
    const bomb = Buffer.concat([Buffer.from('bomb\0\0', 'latin1'), deflateSync(Buffer.alloc(2 ** 26))]);
    const media = await decodeImage(makePng({ ...tiny, extra: [['iCCP', bomb]] }), 'a.png');
    expect([...(await samplesOf(media))]).toEqual([1, 2, 3, 4]);
    expect(media.iccProfile).toBeUndefined();
  });

  it('animation is refused by its number of frames', async () => {
    const control = Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 0);
    expect((await refusal(makePng({ ...tiny, extra: [['acTL', control]] }))).message).toContain(
      'animation of 7 frames',
    );
  });
});

describe('files', () => {
  it('that cannot be read are typed errors with the path and the next step', async () => {
    const text = join(folder, 'text.png');
    writeFileSync(text, 'not a picture at all');
    const empty = join(folder, 'empty.png');
    writeFileSync(empty, '');
    const gif = join(folder, 'a.gif');
    writeFileSync(gif, 'GIF89a......');
    for (const [path, code, message] of [
      [join(folder, 'nowhere.png'), 'io', 'no such file'],
      [folder, 'io', 'folder'],
      [text, 'media', 'text in no known format'],
      [empty, 'media', 'is empty'],
      [gif, 'media', 'this is a GIF'],
    ]) {
      const error = (await readImage(path).catch((caught: unknown) => caught)) as LgiError;
      expect(error).toBeInstanceOf(LgiError);
      expect(error.code).toBe(code);
      expect(error.message).toContain(path);
      expect(error.message).toContain(message);
    }
  });

  it('are written whole or not at all, and only in formats that hold the picture', async () => {
    const grey = render(gradient, { width: 4, height: 4, layout: 'grey' });
    const target = join(folder, 'kept.jpg');
    writeFileSync(target, 'before');
    const before = readdirSync(folder);
    const deep = render(gradient, { width: 4, height: 4, sampleType: 'uint16' });
    const clear = render(disc, { width: 4, height: 4, layout: 'rgb-alpha' });
    const floats = render(gradient, { width: 4, height: 4, sampleType: 'float32' });
    const five = { ...grey, data: new Uint8Array(80), channels: 5, layout: 'plain' } as const;
    await expect(writeImage(target, deep)).rejects.toThrow(OptionError);
    await expect(writeImage(target, clear)).rejects.toThrow('write it as .png');
    await expect(writeImage(join(folder, 'a.tga'), grey)).rejects.toThrow('.png, .jpg, .jpeg, .webp');
    await expect(writeImage(join(folder, 'bare'), grey)).rejects.toThrow('has no extension');
    await expect(writeImage(join(folder, 'a.constructor'), grey)).rejects.toThrow(OptionError);
    await expect(writeImage(join(folder, 'b.png'), floats)).rejects.toMatchObject({ code: 'media' });
    await expect(writeImage(join(folder, 'b.png'), five)).rejects.toMatchObject({ code: 'media' });
    await expect(writeImage(join(folder, 'no', 'b.png'), grey)).rejects.toMatchObject({ code: 'io' });
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(writeImage(join(folder, 'b.png'), grey, { signal: aborted })).rejects.toThrow('enough');
    expect(readFileSync(target, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('node-av', () => {
  it('when it is missing, is named with the command that installs it', () => {
    const hook = `export async function resolve(name, context, next) {
      if (name.startsWith('node-av')) throw Object.assign(new Error('gone'), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    }`;
    const png = makePng({ width: 1, height: 1, depth: 8, colourType: 0, values: [7] });
    const program = `
      import { register } from 'node:module';
      register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)});
      const { decodeImage } = await import('./dist/src/media/read-image.js');
      const png = Uint8Array.from(${JSON.stringify([...png])});
      await decodeImage(png, 'a.png').catch((error) => console.log(error.code, error.message));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(stdout).toContain('unavailable');
    expect(stdout).toContain('npm install node-av');
  });
});
