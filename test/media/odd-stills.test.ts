import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { LgiError } from '../../dist/codec/errors.js';
import { encodeImage } from '../../dist/src/media/encode-image.js';
import { decodeImage } from '../../dist/src/media/read-image.js';
import { makePng, withJpegSegment, withPngChunk, withWebpChunk } from '../../dist/test/media/image-files.js';
import { gradient, render } from '../../dist/test/media/patterns.js';

// What these tests expect is what Pillow, libvips and Chromium show of such files; where they differ, most of them.

const WIDTH = 24;
const HEIGHT = 16;
const picture = render(gradient, { width: WIDTH, height: HEIGHT });
let jpeg: Buffer;
let png: Buffer;
let webp: Buffer;

beforeAll(async () => {
  const files = await Promise.all(
    (['jpeg', 'png', 'webp'] as const).map((format) => encodeImage(format, picture)),
  );
  [jpeg, png, webp] = files.map((file) => Buffer.from(file));
});

async function decoded(file: Uint8Array) {
  const media = await decodeImage(file, 'a');
  const { shape, colour, iccProfile, notices = [] } = media;
  return { shape, colour, iccProfile, notices, samples: await media.read({ begin: [0, 0], end: shape }) };
}

/** Samples, or the error that has to be typed. */
async function outcome(file: Uint8Array): Promise<ArrayLike<number> | 'refused'> {
  try {
    return (await decoded(file)).samples;
  } catch (error) {
    expect(error).toBeInstanceOf(LgiError);
    return 'refused';
  }
}

/** TIFF's integer types and their bytes. */
const TYPES = { 1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4 } as const;
type TypeCode = keyof typeof TYPES;

interface Entry {
  readonly type?: TypeCode;
  readonly count?: number;
  readonly big?: boolean;
  readonly tag?: number;
}

/** An EXIF block of one entry, whose values follow the directory where they are more than four bytes. */
function exif(value: number, { type = 3, count = 1, big = false, tag = 0x0112 }: Entry = {}): Buffer {
  const bytes = TYPES[type];
  const isBeside = bytes * count > 4;
  const block = Buffer.alloc(26 + (isBeside ? bytes * count : 0));
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  block.write(big ? 'MM' : 'II', 0, 'latin1');
  view.setUint16(2, 42, !big);
  view.setUint32(4, 8, !big);
  view.setUint16(8, 1, !big);
  view.setUint16(10, tag, !big);
  view.setUint16(12, type, !big);
  view.setUint32(14, count, !big);
  if (isBeside) view.setUint32(18, 26, !big);
  const at = isBeside ? 26 : 18;
  for (let i = 0; i < count; i++) {
    if (bytes === 1) view.setUint8(at + i, i === 0 ? value : 1);
    else if (bytes === 2) view.setUint16(at + 2 * i, i === 0 ? value : 1, !big);
    else view.setUint32(at + 4 * i, i === 0 ? value : 1, !big);
  }
  return block;
}

const PREFIX = Buffer.from('Exif\0\0', 'latin1');
const inJpeg = (block: Uint8Array) => withJpegSegment(jpeg, 0xe1, Buffer.concat([PREFIX, block]));

function xmp(orientation: number, form: 'attribute' | 'element' = 'attribute'): Buffer {
  const inside =
    form === 'attribute'
      ? `<rdf:Description tiff:Orientation="${orientation}"/>`
      : `<rdf:Description><tiff:Orientation>${orientation}</tiff:Orientation></rdf:Description>`;
  return Buffer.from(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>${inside}</rdf:RDF></x:xmpmeta>`);
}
const XMP_PREFIX = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');
const xmpInJpeg = (file: Uint8Array, packet: Buffer) =>
  withJpegSegment(file, 0xe1, Buffer.concat([XMP_PREFIX, packet]));

/** ImageMagick's form: name, length and digits on lines of 72. */
function rawProfile(name: string, profile: Buffer): Buffer {
  const digits = profile.toString('hex').replace(/.{72}/g, '$&\n');
  return Buffer.from(`\n${name}\n${String(profile.length).padStart(8)}\n${digits}\n`);
}

describe('orientation', () => {
  it('is read of any integer type, count and byte order, in any container, with JPEG’s prefix or without', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<TypeCode>(1, 3, 4, 6, 8, 9),
        fc.integer({ min: 0, max: 5 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 2 }),
        fc.constantFrom('jpeg', 'png', 'webp'),
        async (type, count, big, value, prefixes, container) => {
          const block = Buffer.concat([
            ...Array.from({ length: prefixes }, () => PREFIX),
            exif(value, { type, count, big }),
          ]);
          const file =
            container === 'jpeg'
              ? inJpeg(block)
              : container === 'png'
                ? withPngChunk(png, 'eXIf', block)
                : withWebpChunk(webp, 'EXIF', block);
          const isTurned = count > 0 && value >= 2 && value <= 8;
          const { shape, notices } = await decoded(file);
          expect(shape).toEqual(isTurned && value >= 5 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH]);
          expect(notices).toEqual(isTurned ? [`a: EXIF orientation ${value} was applied`] : []);
        },
      ),
      { numRuns: 120 },
    );
  });

  it('is that of the first of several blocks, whatever it says', async () => {
    const second = inJpeg(exif(3));
    const before = (block: Buffer) => withJpegSegment(second, 0xe1, Buffer.concat([PREFIX, block]));
    expect((await decoded(before(exif(6)))).notices).toEqual(['a: EXIF orientation 6 was applied']);
    for (const block of [exif(1), exif(0), exif(2, { tag: 0x010f }), Buffer.from('no block at all')]) {
      expect((await decoded(before(block))).notices).toEqual([]);
    }
    const twice = withPngChunk(withPngChunk(png, 'eXIf', exif(3)), 'eXIf', exif(6));
    expect((await decoded(twice)).notices).toEqual(['a: EXIF orientation 6 was applied']);
  });

  it('is XMP’s where EXIF has none, and only there', async () => {
    const files = (packet: Buffer) => [
      xmpInJpeg(jpeg, packet),
      withPngChunk(png, 'iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\0\0\0\0'), packet])),
      withPngChunk(
        png,
        'iTXt',
        Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0', 'latin1'), deflateSync(packet)]),
      ),
      withPngChunk(
        png,
        'zTXt',
        Buffer.concat([Buffer.from('Raw profile type xmp\0\0'), deflateSync(rawProfile('xmp', packet))]),
      ),
      withWebpChunk(webp, 'XMP ', packet),
    ];
    for (const file of [...files(xmp(6)), ...files(xmp(6, 'element'))]) {
      expect((await decoded(file)).notices).toEqual(['a: XMP orientation 6 was applied']);
    }
    expect((await decoded(xmpInJpeg(inJpeg(exif(3)), xmp(6)))).notices).toEqual([
      'a: EXIF orientation 3 was applied',
    ]);
    expect((await decoded(xmpInJpeg(inJpeg(exif(1)), xmp(6)))).notices).toEqual([]);
  });

  it.each(['exif', 'APP1'])('is read of PNG’s text "Raw profile type %s"', async (name) => {
    const key = Buffer.from(`Raw profile type ${name}\0`);
    for (const block of [exif(8), Buffer.concat([PREFIX, exif(8)])]) {
      const raw = rawProfile(name, block);
      for (const [type, data] of [
        ['tEXt', raw],
        ['zTXt', Buffer.concat([Buffer.alloc(1), deflateSync(raw)])],
        ['iTXt', Buffer.concat([Buffer.alloc(4), raw])],
      ] as const) {
        const { notices } = await decoded(withPngChunk(png, type, Buffer.concat([key, data])));
        expect(notices).toEqual(['a: EXIF orientation 8 was applied']);
      }
    }
    const bomb = Buffer.concat([key, Buffer.alloc(1), deflateSync(Buffer.alloc(2 ** 25))]);
    expect((await decoded(withPngChunk(png, 'zTXt', bomb))).notices).toEqual([]);
  });
});

/** Where the segments of a JPEG begin, up to its first scan. */
function segmentStarts(file: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 2; ; at += 2 + file.readUInt16BE(at + 2)) {
    starts.push(at);
    if (file[at + 1] === 0xda) return starts;
  }
}

describe('JPEG', () => {
  it('with bytes of no segment before its first scan is read past them, with a notice', async () => {
    const { samples } = await decoded(jpeg);
    const junk = fc.array(
      fc.oneof(
        fc.nat(254).map((byte) => [byte]),
        fc.constantFrom([0xff, 0], [0xff, 1], [0xff, 0xd0], [0xff, 0xd7]),
      ),
      { minLength: 1, maxLength: 9 },
    );
    await fc.assert(
      fc.asyncProperty(junk, fc.nat(20), fc.nat(3), async (parts, place, fill) => {
        const starts = segmentStarts(jpeg);
        const at = starts[place % starts.length];
        const bytes = Buffer.from(parts.flat());
        // A segment whose marker was damaged would be lost; its length gives it away.
        fc.pre(!looksLikeSegment(Buffer.concat([bytes, Buffer.alloc(fill, 0xff)]), at));
        const file = Buffer.concat([
          jpeg.subarray(0, at),
          bytes,
          Buffer.alloc(fill, 0xff),
          jpeg.subarray(at),
        ]);
        const read = await decoded(file);
        expect(read.samples).toEqual(samples);
        expect(read.notices).toEqual([
          `a: ${bytes.length} bytes from byte ${at} on belong to no JPEG segment and were skipped`,
        ]);
      }),
      { numRuns: 100 },
    );

    function looksLikeSegment(bytes: Buffer, at: number): boolean {
      const rest = Buffer.concat([bytes, jpeg.subarray(at)]);
      const end = 2 + rest.readUInt16BE(2);
      return end + 1 < rest.length && rest[end] === 0xff && rest[end + 1] >= 0xc0;
    }
  });

  it('with a damaged marker or length gives the same picture or a typed error', async () => {
    const { samples } = await decoded(jpeg);
    for (const start of segmentStarts(jpeg)) {
      for (let at = start; at < start + 4; at++) {
        for (const value of [0, 1, 0x13, 0x43, 0x7f, 0xc0, 0xd0, 0xfe, 0xff, jpeg[at] ^ 1, jpeg[at] ^ 0x10]) {
          if (value === jpeg[at]) continue;
          const changed = Buffer.from(jpeg);
          changed[at] = value;
          const read = await outcome(changed);
          if (read !== 'refused') expect(read, `byte ${at} is ${value}`).toEqual(samples);
        }
      }
    }
  });

  it('with bytes of no segment is refused at every place where it is cut', async () => {
    const at = segmentStarts(jpeg)[1];
    const file = Buffer.concat([jpeg.subarray(0, at), Buffer.alloc(5), jpeg.subarray(at)]);
    for (let length = 0; length < file.length; length++) {
      expect(await outcome(file.subarray(0, length)), `${length} bytes`).toBe('refused');
    }
    // Zeros in place of the rest are what an interrupted download leaves.
    expect(await outcome(Buffer.concat([jpeg.subarray(0, jpeg.length - 40), Buffer.alloc(40)]))).toBe(
      'refused',
    );
  });

  it.each([
    // JFIF means YCbCr, then Adobe's code decides, then the ids: libjpeg's rules.
    ['RGB', false, undefined, true],
    ['RGB', false, 0, true],
    ['RGB', false, 1, false],
    ['RGB', true, undefined, false],
    ['RGB', true, 0, false],
    ['\x01\x02\x03', false, undefined, false],
    ['\x01\x02\x03', false, 0, true],
    ['\x01\x02\x03', false, 2, false],
    ['\x01\x02\x03', true, 0, false],
    ['\x00\x01\x02', false, undefined, false],
    ['YCc', false, undefined, false],
    ['rgb', false, undefined, false],
  ])('of components %j, JFIF %s, Adobe code %s is RGB: %s', async (ids, hasJfif, adobe, isRgb) => {
    const plain = (await decoded(jpeg)).samples;
    const starts = segmentStarts(jpeg);
    const parts = [...starts.slice(0, -1).map((start, i) => jpeg.subarray(start, starts[i + 1]))];
    const scan = Buffer.from(jpeg.subarray(starts.at(-1)));
    const kept = parts
      .filter((part) => part[1] !== 0xe0 && part[1] !== 0xee)
      .map((part) => Buffer.from(part));
    for (const part of kept) {
      if (part[1] >= 0xc0 && part[1] <= 0xc2)
        [0, 1, 2].forEach((i) => (part[10 + 3 * i] = ids.charCodeAt(i)));
    }
    [0, 1, 2].forEach((i) => (scan[5 + 2 * i] = ids.charCodeAt(i)));
    let file: Uint8Array = Buffer.concat([jpeg.subarray(0, 2), ...kept, scan]);
    if (adobe !== undefined) {
      file = withJpegSegment(
        file,
        0xee,
        Uint8Array.of(...Buffer.from('Adobe\0\x64\0\0\0\0', 'latin1'), adobe),
      );
    }
    if (hasJfif)
      file = withJpegSegment(file, 0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1'));
    const { samples } = await decoded(file);
    for (let i = 0; i < plain.length; i += 3) {
      const [r, g, b] = plain.slice(i, i + 3);
      const stored = [
        0.299 * r + 0.587 * g + 0.114 * b,
        -0.1687 * r - 0.3313 * g + 0.5 * b + 128,
        0.5 * r - 0.4187 * g - 0.0813 * b + 128,
      ];
      const expected = isRgb ? stored : [r, g, b];
      expected.forEach((value, c) =>
        expect(Math.abs(samples[i + c] - value)).toBeLessThanOrEqual(isRgb ? 2 : 0),
      );
    }
  });

  it('takes the parts of a profile in any order, and leaves out a profile of which some are missing', async () => {
    const profile = Buffer.from(Array.from({ length: 30 }, (_, i) => i * 7));
    const part = (number: number, total = 3) =>
      Buffer.concat([
        Buffer.from('ICC_PROFILE\0', 'latin1'),
        Buffer.from([number, total]),
        profile.subarray(10 * (number - 1), 10 * number),
      ]);
    const withParts = (...parts: Buffer[]) =>
      parts.reduce<Uint8Array>((file, data) => withJpegSegment(file, 0xe2, data), jpeg);
    const whole = await decoded(withParts(part(2), part(3), part(1)));
    expect(Buffer.from(whole.iccProfile ?? [])).toEqual(profile);
    expect(whole.notices).toEqual([]);
    for (const file of [withParts(part(1), part(3)), withParts(part(1), part(2, 4), part(3))]) {
      const read = await decoded(file);
      expect(read.iccProfile).toBeUndefined();
      expect(read.colour).toEqual({ primaries: 1, transfer: 13, matrix: 0, fullRange: true });
      expect(read.notices).toHaveLength(1);
      expect(read.notices[0]).toContain('its ICC profile is incomplete');
    }
  });

  it('that needs a table it does not define is refused', async () => {
    const starts = segmentStarts(jpeg);
    for (const [i, start] of starts.slice(0, -1).entries()) {
      if (jpeg[start + 1] !== 0xdb && jpeg[start + 1] !== 0xc4) continue;
      const without = Buffer.concat([jpeg.subarray(0, start), jpeg.subarray(starts[i + 1])]);
      const read = await outcome(without);
      // Without any Huffman codes it is Motion JPEG, which has the standard's.
      if (jpeg[start + 1] === 0xdb) expect(read).toBe('refused');
    }
  });
});

describe('PNG', () => {
  const palette = makePng({
    width: 7,
    height: 5,
    depth: 4,
    colourType: 3,
    values: Array.from({ length: 35 }, (_, i) => i % 16),
    extra: [
      ['tEXt', Buffer.from('Title\0a')],
      ['PLTE', Uint8Array.from({ length: 48 }, (_, i) => i * 5)],
      ['tRNS', Uint8Array.from({ length: 40 }, (_, i) => 255 - i)],
      ['eXIf', exif(1)],
    ],
  });

  it('of metadata with a wrong checksum loses that chunk alone, with a notice', async () => {
    const { samples } = await decoded(png);
    for (const type of ['tEXt', 'eXIf', 'iCCP', 'gAMA', 'pHYs', 'tIME', 'xyZz']) {
      const file = Buffer.from(withPngChunk(png, type, exif(6)));
      file[file.indexOf(type) + 4 + 26] ^= 1;
      const read = await decoded(file);
      expect(read.samples).toEqual(samples);
      expect(read.notices).toEqual([
        `a: the checksum of PNG chunk ${type} at byte 33 is wrong; the chunk was left out`,
      ]);
    }
  });

  it('with any byte changed is the same picture or a typed error, its alpha included', async () => {
    const { samples } = await decoded(palette);
    for (let at = 0; at < palette.length; at++) {
      for (const bit of [1 << (at % 8), 0x20]) {
        const changed = Uint8Array.from(palette);
        changed[at] ^= bit;
        const read = await outcome(changed);
        if (read !== 'refused') expect(read, `byte ${at}`).toEqual(samples);
      }
    }
  });

  it('with a broken profile is sRGB, with a notice', async () => {
    const read = await decoded(withPngChunk(png, 'iCCP', Buffer.from('name\0\0not deflated')));
    expect(read.colour).toEqual({ primaries: 1, transfer: 13, matrix: 0, fullRange: true });
    expect(read.notices).toEqual(['a: its ICC profile is damaged and was left out']);
  });

  it('followed by anything is the same picture', async () => {
    const { samples } = await decoded(png);
    for (const tail of [Buffer.alloc(64), Buffer.from('PK\x03\x04'), png]) {
      expect((await decoded(Buffer.concat([png, tail]))).samples).toEqual(samples);
    }
  });
});
