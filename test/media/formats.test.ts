import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Media } from '../../dist/src/index.js';
import { writeAudio, writeImage } from '../../dist/src/node.js';
import { readMedia } from '../../dist/src/media/read-media.js';
import { KNOWN_FORMATS } from '../../dist/src/media/formats/known-formats.js';
import { READ_FORMATS } from '../../dist/src/media/formats/read-formats.js';
import { startOf } from '../../dist/src/media/formats/recognise.js';

let folder: string;
/** Bytes of a file of every kind, by how it is usually called. */
const samples = new Map<string, Uint8Array>();
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-formats-'));
  const picture = {
    data: Uint8Array.from({ length: 12 * 9 * 3 }, (_, i) => (i * 37) % 256),
    shape: [9, 12],
    channels: 3,
    layout: 'rgb',
    sampleType: 'uint8',
  } as const;
  for (const name of ['a.png', 'a.jpg', 'a.webp']) await writeImage(at(name), picture);
  const sound = {
    samples: Float32Array.from({ length: 4000 }, (_, i) => Math.round(9000 * Math.sin(i / 9)) / 32_768),
    channels: 1,
    rate: { numerator: 8000, denominator: 1 },
  };
  for (const name of ['a.wav', 'a.flac', 'a.aiff']) await writeAudio(at(name), sound, { bitDepth: 16 });
  await writeFile(at('a.npy'), npy());
  await writeFile(at('a.nii'), nifti());
  await writeFile(
    at('a.obj'),
    '# a tetrahedron\no t\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n',
  );
  await writeFile(at('a.ply'), ply());
  await writeFile(at('a.stl'), binaryStl());
  for (const name of ['png', 'jpg', 'webp', 'wav', 'flac', 'aiff', 'npy', 'nii', 'obj', 'ply', 'stl']) {
    samples.set(name, await readFile(at(`a.${name}`)));
  }
});
afterAll(() => rm(folder, { recursive: true }));

function npy(): Buffer {
  const text = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }".padEnd(117) + '\n';
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\0', 'latin1'),
    Buffer.from([118, 0]),
    Buffer.from(text),
    Buffer.alloc(24, 7),
  ]);
}

function nifti(): Buffer {
  const bytes = Buffer.alloc(352 + 24, 5);
  bytes.fill(0, 0, 352);
  bytes.writeInt32LE(348, 0);
  [3, 4, 3, 2, 1, 1, 1, 1].forEach((length, i) => bytes.writeInt16LE(length, 40 + 2 * i));
  bytes.writeInt16LE(2, 70);
  bytes.writeInt16LE(8, 72);
  [1, 1, 1, 1].forEach((step, i) => bytes.writeFloatLE(step, 76 + 4 * i));
  bytes.writeFloatLE(352, 108);
  bytes.write('n+1\0', 344, 'latin1');
  return bytes;
}

const CORNERS = [
  [0, 0, 0],
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const FACES = [
  [0, 2, 1],
  [0, 1, 3],
  [1, 2, 3],
  [0, 3, 2],
];

function ply(): string {
  const head =
    'ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n';
  const faces = 'element face 4\nproperty list uchar int vertex_indices\nend_header\n';
  return (
    head +
    faces +
    CORNERS.map((each) => each.join(' ')).join('\n') +
    '\n' +
    FACES.map((each) => `3 ${each.join(' ')}\n`).join('')
  );
}

function binaryStl(): Buffer {
  const bytes = Buffer.alloc(84 + 50 * FACES.length);
  bytes.write('solid, though binary', 0, 'latin1');
  bytes.writeUInt32LE(FACES.length, 80);
  FACES.forEach((face, i) =>
    face.forEach((corner, k) =>
      CORNERS[corner].forEach((value, axis) =>
        bytes.writeFloatLE(value, 84 + 50 * i + 12 + 12 * k + 4 * axis),
      ),
    ),
  );
  return bytes;
}

async function contentOf(path: string): Promise<unknown> {
  const media: Media[] = await readMedia(path, { resolution: 8 });
  return Promise.all(
    media.map(async ({ kind, shape, channels, read }) => ({
      kind,
      channels,
      samples: [...(await read({ begin: shape.map(() => 0), end: shape }))],
    })),
  );
}

const KINDS = ['png', 'jpg', 'webp', 'wav', 'flac', 'aiff', 'npy', 'nii', 'obj', 'ply', 'stl'] as const;
const ending = fc.oneof(
  fc.constantFrom(
    '',
    '.PNG',
    '.mp3',
    '.wav',
    '.mp4',
    '.obj',
    '.stl',
    '.npy',
    '.nii',
    '.txt',
    '.mkv',
    '.tif',
    '.lgi.bak',
  ),
  fc.stringMatching(/^\.[a-z0-9]{1,5}$/),
);
/** Names that patterns of slices could have. */
const stem = fc.constantFrom('a', 'my%20photo', '100%d', '%04d', 'a*b', '50% off', 'a:b', 'concat:x');

describe('a medium', () => {
  it('is what its content says, whatever its name is', async () => {
    const expected = new Map(
      await Promise.all(KINDS.map(async (kind) => [kind, await contentOf(at(`a.${kind}`))] as const)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...KINDS), stem, ending, async (kind, name, end) => {
        const path = at(`${name}${end}`);
        await writeFile(path, samples.get(kind) ?? '');
        expect(await contentOf(path)).toEqual(expected.get(kind));
        await rm(path);
        // Kept under its own name for the others.
        if (path === at(`a.${kind}`)) await writeFile(path, samples.get(kind) ?? '');
      }),
      { numRuns: 80 },
    );
  });

  it('is found in folders whose names have marks of patterns', async () => {
    const inner = at('100%d*');
    await mkdir(inner);
    await writeFile(join(inner, 'x%20y.png'), samples.get('png') ?? '');
    expect(await contentOf(join(inner, 'x%20y.png'))).toEqual(await contentOf(at('a.png')));
  });

  it('fits one row of the table', () => {
    for (const kind of KINDS) {
      const start = startOf(samples.get(kind) ?? new Uint8Array());
      const names = READ_FORMATS.filter(({ matches }) => matches(start)).map(({ name }) => name);
      expect([kind, names]).toEqual([kind, [expect.any(String)]]);
    }
  });
});

/** Beginnings of what is known and not read, as people have it. */
const FOREIGN: readonly (readonly [name: string, start: string | Buffer])[] = [
  ['an AVIF picture', ftyp('avif')],
  ['an AVIF picture', ftyp('mif1', 'miaf', 'avif')],
  ['a HEIC picture', ftyp('mif1', 'heic')],
  ['a HEIC picture', ftyp('heic', 'mif1')],
  ['a TIFF picture', 'II*\0\x08\0\0\0'],
  ['a BigTIFF picture', 'MM\0+\0\x08\0\0'],
  ['a BMP picture', 'BM\x9a\0\0\0\0\0'],
  ['a JPEG XL picture', '\xff\x0a\x10\0'],
  ['a JPEG-LS picture', '\xff\xd8\xff\xe0\0\x04ab\xff\xf7\0\x0b'],
  ['a JPEG 2000 picture', '\0\0\0\x0cjP  \r\n\x87\n'],
  ['a Photoshop picture', '8BPS\0\x01'],
  ['an SVG drawing', '<?xml version="1.0"?>\n<!-- made by hand -->\n<svg width="1">'],
  ['an SVG drawing', '\xef\xbb\xbf <svg>'],
  ['an HTML page', '\n\n<!DOCTYPE html><html>'],
  ['an XML document', '<?xml version="1.0"?><Error><Code>NoSuchKey</Code>'],
  ['JSON', '{"error": "not found"}'],
  ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid'],
  ['a PDF document', '%PDF-1.7\n'],
  ['a DICOM file', `${'\0'.repeat(128)}DICM`],
  ['an HDF5 file', '\x89HDF\r\n\x1a\n'],
  ['a FITS file', 'SIMPLE  =                    T'],
  ['an NRRD volume', 'NRRD0004\n'],
  ['a MetaImage volume', 'ObjectType = Image\nNDims = 3\n'],
  ['a Blender scene', 'BLENDER-v300'],
  ['an FBX scene', 'Kaydara FBX Binary  \0'],
  ['a STEP model', 'ISO-10303-21;\nHEADER;'],
  ['a MIDI file', 'MThd\0\0\0\x06'],
  ['a playlist', '#EXTM3U\n#EXTINF:1,\nhttp://example.org/a.ts\n'],
  ['a playlist', 'ffconcat version 1.0\nfile a.mp4\n'],
  ['subtitles', '1\n00:00:01,000 --> 00:00:02,000\nHello\n'],
  ['a RAR archive', 'Rar!\x1a\x07\0'],
  ['a 7z archive', '7z\xbc\xaf\x27\x1c\0\x04'],
  ['a Zstandard file', '\x28\xb5\x2f\xfd\x04\0'],
  ['an xz file', '\xfd7zXZ\0\0\x04'],
  ['a gzip file', '\x1f\x8b\x08\0\0\0\0\0'],
  ['a tar archive', `${'a'.repeat(257)}ustar\0`],
  ['text in no known format', 'Dear all, please find attached'],
  ['the file is empty', ''],
  ['bytes are all zero', '\0'.repeat(500)],
];

function ftyp(...brands: readonly string[]): Buffer {
  const [major, ...compatible] = brands;
  const bytes = Buffer.from(`\0\0\0\0ftyp${major}\0\0\0\0${compatible.join('')}`, 'latin1');
  bytes.writeUInt32BE(bytes.length, 0);
  return Buffer.concat([bytes, Buffer.alloc(64)]);
}

describe('a file that is not read', () => {
  it('is named by what it is, with the next step, whatever its name is', async () => {
    const anyOf = fc.constantFrom(...FOREIGN);
    const name = fc.constantFrom('x.png', 'x.mp3', 'x', 'x.tif', 'x.mp4');
    await fc.assert(
      fc.asyncProperty(anyOf, name, async ([what, start], file) => {
        await writeFile(at(file), typeof start === 'string' ? Buffer.from(start, 'latin1') : start);
        const error: unknown = await readMedia(at(file)).catch((caught: unknown) => caught);
        expect(error).toMatchObject({ code: 'media', message: expect.stringContaining(what) });
        expect((error as Error).message).toMatch(/; [a-z]/);
      }),
      { numRuns: 250 },
    );
  });

  it('has a next step in every row of the table', () => {
    expect(
      KNOWN_FORMATS.filter(({ nextStep, reader }) => nextStep === undefined && reader === undefined),
    ).toEqual([]);
  });
});

describe('sound alone', () => {
  it('is a sound in the container of a video, too', async () => {
    const tone = Float32Array.from({ length: 8000 }, (_, i) => 0.5 * Math.sin(i / 5));
    const sound = { samples: tone, channels: 1, rate: { numerator: 8000, denominator: 1 } };
    await writeAudio(at('tone.m4a'), sound);
    for (const name of ['tone.mp4', 'tone.mov', 'tone.png', 'tone']) {
      await writeFile(at(name), await readFile(at('tone.m4a')));
      const [media, ...others] = await readMedia(at(name));
      expect([media.kind, media.shape[0] >= 8000, others]).toEqual(['audio', true, []]);
    }
  });
});
