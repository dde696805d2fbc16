import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  append,
  appendAnew,
  encode,
  LgiError,
  MemorySink,
  MemoryTarget,
  memoryMedia,
  open,
  type AppendOptions,
  type Colour,
  type Media,
  type MemoryMediaOptions,
} from '../../dist/src/index.js';

const ramp = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 37) % 251);

function sound(rate: MemoryMediaOptions['rate'], length = 64): Media {
  const data = Float32Array.from({ length }, (_, i) => Math.sin(i / 3) / 2);
  return memoryMedia({ kind: 'audio', data, shape: [length], ...(rate && { rate }) });
}

function clip(rate: MemoryMediaOptions['rate']): Media {
  return memoryMedia({ kind: 'video', data: ramp(4 * 8 * 8), shape: [4, 8, 8], ...(rate && { rate }) });
}

function volume(placement: MemoryMediaOptions['placement'], data = ramp(4 * 8 * 8)): Media {
  return memoryMedia({ kind: 'volume', data, shape: [4, 8, 8], ...(placement && { placement }) });
}

function picture(colour?: Colour, iccProfile?: Uint8Array): Media {
  return memoryMedia({
    data: ramp(8 * 8 * 3),
    shape: [8, 8],
    ...(colour && { colour }),
    ...(iccProfile && { iccProfile }),
  });
}

async function fileOf(media: Media): Promise<Uint8Array> {
  const sink = new MemorySink();
  await encode(media, sink, { iterations: 1, localWidth: 4, threads: 1, family: 'sine' });
  return sink.bytes();
}

/** What append says, in place and into a new file; undefined where it grows. A refused file stays as it was. */
async function outcome(
  file: Uint8Array,
  media: Media,
  options: Partial<AppendOptions> = {},
): Promise<string | undefined> {
  const all = { iterations: 1, threads: 1, side: 'after', ...options } as const;
  const target = new MemoryTarget(file.slice());
  const refusals = await Promise.all([
    append(target, media, all).then(() => undefined, faultOf),
    appendAnew(file, media, new MemorySink(), all).then(() => undefined, faultOf),
  ]);
  expect(refusals[1]).toBe(refusals[0]);
  if (refusals[0] === undefined) {
    const grown = await open(target, { threads: 1 });
    const before = await open(file, { threads: 1 });
    expect(grown.signals[0].header).toEqual(before.signals[0].header);
    const axis = options.side === 'right' ? 1 : 0;
    expect(grown.signals[0].shape[axis]).toBe(before.signals[0].shape[axis] + media.shape[axis]);
    await grown.dispose();
    await before.dispose();
  } else expect(target.bytes()).toEqual(file);
  return refusals[0];
}

function faultOf(error: unknown): string {
  if (error instanceof LgiError && error.code === 'media') return error.message;
  throw error;
}

const wholeRate = fc.constantFrom(8000, 11_025, 16_000, 44_100, 44_101, 48_000);

describe('a medium at another rate', () => {
  it('is refused with both rates and the option, unless the rates are one however written', async () => {
    await fc.assert(
      fc.asyncProperty(wholeRate, wholeRate, fc.integer({ min: 1, max: 9 }), async (own, other, factor) => {
        const file = await fileOf(sound({ numerator: own, denominator: 1 }));
        const fault = await outcome(file, sound({ numerator: other * factor, denominator: factor }));
        if (own === other) expect(fault).toBeUndefined();
        else {
          expect(fault).toBe(
            `the file's sound has ${own} Hz, what is appended ${other} Hz; convert it by \`rateHz\` ${own}`,
          );
        }
      }),
      { numRuns: 15 },
    );
  });

  it.each([
    [[25, 1], [50, 2], undefined],
    [
      [25, 1],
      [50, 1],
      /file has 25 frames a second, what is appended 50; convert it by `framesPerSecond` 25/,
    ],
    [[30_000, 1001], [2997, 100], undefined],
    [[24_000, 1001], [23_976, 1000], undefined],
    [[30_000, 1001], [30, 1], /file has 30000\/1001 frames a second, what is appended 30;/],
    [[24, 1], [24_000, 1001], /has 24 frames a second, what is appended 24000\/1001/],
  ] as const)('clips of %j and %j', async ([a, b], [c, d], message) => {
    const file = await fileOf(clip({ numerator: a, denominator: b }));
    const fault = await outcome(file, clip({ numerator: c, denominator: d }));
    if (message === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(message);
  });

  it('without a rate goes on as the file does', async () => {
    expect(await outcome(await fileOf(sound({ numerator: 8000, denominator: 1 })), sound(undefined))).toBe(
      undefined,
    );
  });
});

describe('a volume of other voxels', () => {
  const step = fc.double({ min: 0.1, max: 8, noNaN: true });

  it('is refused with both sizes, unless they are one by float32', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(step, step, step),
        fc.constantFrom(0, 1, 2),
        fc.constantFrom(1, 1 + 1e-6, 1.001, 2, 0.5),
        async (spacing, axis, factor) => {
          const file = await fileOf(volume({ origin: [0, 0, 0], spacing }));
          const other = spacing.map((each, i) => Math.fround(i === axis ? each * factor : each));
          const medium = volume({ origin: [0, 0, 0], spacing: other });
          const fault = await outcome(file, medium);
          if (Math.abs(factor - 1) < 1e-5) expect(fault).toBeUndefined();
          else {
            for (const values of [spacing, other]) {
              expect(fault).toContain(values.map((each) => Number(each.toPrecision(7))).join(' x '));
            }
            expect(await outcome(file, medium, { ignorePlacement: true })).toBeUndefined();
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it('goes where it continues in space, and is refused elsewhere', async () => {
    const spacing = [2, 1, 1];
    const file = await fileOf(volume({ origin: [10, 5, 5], spacing }));
    expect(await outcome(file, volume({ origin: [18, 5, 5], spacing }))).toBeUndefined();
    expect(await outcome(file, volume({ origin: [2, 5, 5], spacing }), { side: 'before' })).toBeUndefined();
    expect(await outcome(file, volume({ origin: [0, 0, 0], spacing }))).toBeUndefined();
    expect(await outcome(file, volume(undefined))).toBeUndefined();
    expect(await outcome(file, volume({ origin: [22, 5, 5], spacing }))).toMatch(
      /begins at 22 x 5 x 5 \(z, y, x\) in space, its place in the file is 18 x 5 x 5/,
    );
  });

  it('keeps its values: 8 bits are not stretched to 16', async () => {
    const wide = memoryMedia({
      kind: 'volume',
      data: Uint16Array.from({ length: 4 * 8 * 8 }, (_, i) => i * 9),
      shape: [4, 8, 8],
    });
    expect(await outcome(await fileOf(wide), volume(undefined))).toMatch(
      /the file holds .*uint16; what is appended is .*uint8/,
    );
  });
});

/** An ICC profile with a description alone, of version 2 or 4. */
function profile(name: string, version: 2 | 4, day = 1, colourant = 0): Uint8Array {
  const text =
    version === 2 ? Buffer.from(`${name}\0`, 'latin1') : Buffer.from(Buffer.from(name, 'utf16le').swap16());
  const tag = Buffer.alloc(28);
  if (version === 2) {
    tag.write('desc');
    tag.writeUInt32BE(text.length, 8);
  } else {
    tag.write('mluc');
    tag.writeUInt32BE(1, 8);
    tag.writeUInt32BE(12, 12);
    tag.write('enUS', 16);
    tag.writeUInt32BE(text.length, 20);
    tag.writeUInt32BE(28, 24);
  }
  const head = Buffer.alloc(128 + 4 + 12);
  head.writeUInt16BE(day, 28);
  head.writeUInt32BE(1, 128);
  head.write('desc', 132);
  head.writeUInt32BE(head.length, 136);
  const body = version === 2 ? [tag.subarray(0, 12), text, Buffer.alloc(20)] : [tag, text];
  return Buffer.concat([head, ...body, Buffer.of(colourant)]);
}

describe('a picture of other colours', () => {
  const colour = (primaries: number, transfer: number): Colour => ({
    primaries,
    transfer,
    matrix: 0,
    fullRange: true,
  });
  const srgb = colour(1, 13);
  const p3 = colour(12, 13);

  it.each([
    [[srgb], [p3], /primaries 1 \(BT.709\), transfer 13 \(sRGB\).* primaries 12 \(Display P3\)/],
    [[srgb], [srgb], undefined],
    [[srgb], [], undefined],
    [[], [p3], undefined],
    [[srgb], [colour(2, 2)], undefined],
    [[colour(1, 1)], [colour(1, 6)], undefined],
    [[colour(1, 1)], [colour(1, 16)], /transfer 1 \(BT.709\).* transfer 16 \(PQ\)/],
    [
      [undefined, profile('Display P3', 4)],
      [srgb],
      /ICC profile 'Display P3' of \d+ bytes.*appended primaries 1/,
    ],
    [[srgb], [undefined, profile('Adobe RGB (1998)', 2)], /transfer 13 \(sRGB\).*'Adobe RGB \(1998\)'/],
    [[srgb], [undefined, profile('sRGB IEC61966-2.1', 2)], undefined],
    [[undefined, profile('sRGB built-in', 4)], [srgb], undefined],
    [[undefined, profile('sRGB built-in', 4)], [undefined, profile('sRGB IEC61966-2.1', 2)], undefined],
    [[undefined, profile('Display P3', 4, 1)], [undefined, profile('Display P3', 4, 2)], undefined],
    [
      [undefined, profile('Display P3', 4)],
      [undefined, profile('Adobe RGB (1998)', 2)],
      /'Display P3' .*'Adobe RGB \(1998\)'/,
    ],
    [[undefined, profile('EPSON', 2, 1, 1)], [undefined, profile('EPSON', 2, 1, 2)], /'EPSON' .*'EPSON'/],
    [[undefined, profile('Display P3', 4)], [], undefined],
  ] as const)('case %#', async (own, other, message) => {
    const file = await fileOf(picture(own[0], own[1]));
    const medium = picture(other[0], other[1]);
    const fault = await outcome(file, medium, { side: 'right' });
    if (message === undefined) expect(fault).toBeUndefined();
    else {
      expect(fault).toMatch(message);
      expect(fault).toMatch(/convert it to the file's colour space first, .* by `ignoreColour`/);
      expect(await outcome(file, medium, { side: 'right', ignoreColour: true })).toBeUndefined();
    }
  });

  it('whose profile is damaged is told by its length, and never crashes', async () => {
    const good = profile('Display P3', 4);
    const file = await fileOf(picture(undefined, profile('Adobe RGB (1998)', 2)));
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(good.length - 1),
        async (noise, at) => {
          const bytes = good.slice();
          bytes.set(noise.subarray(0, bytes.length - at), at);
          const fault = await outcome(file, picture(undefined, bytes), { side: 'right' });
          if (fault !== undefined) expect(fault).toContain(`of ${bytes.length} bytes`);
        },
      ),
      { numRuns: 30 },
    );
  });
});
