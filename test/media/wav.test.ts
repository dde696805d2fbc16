import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudio } from '../../dist/src/node.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-wav-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Wav {
  readonly bytes: 1 | 2 | 3 | 4;
  readonly validBits: number;
  readonly channels: number;
  readonly isBig: boolean;
  readonly isExtended: boolean;
  /** Stored integers, interleaved. */
  readonly stored: readonly number[];
  readonly dataSize?: number;
  readonly formSize?: number;
  readonly tail?: Buffer;
}

/** A WAV file made byte by byte: integers in containers of `bytes`. */
function wavFile(wav: Wav): Buffer {
  const { bytes, channels, isBig, isExtended, stored } = wav;
  const u16 = (value: number): Buffer => {
    const b = Buffer.alloc(2);
    if (isBig) b.writeUInt16BE(value);
    else b.writeUInt16LE(value);
    return b;
  };
  const u32 = (value: number): Buffer => {
    const b = Buffer.alloc(4);
    if (isBig) b.writeUInt32BE(value);
    else b.writeUInt32LE(value);
    return b;
  };
  const block = bytes * channels;
  const format = [u16(isExtended ? 0xfffe : 1), u16(channels), u32(8000), u32(8000 * block), u16(block)];
  if (isExtended) {
    format.push(u16(bytes * 8), u16(22), u16(wav.validBits), u32(0), u32(1), u16(0), u16(16));
    format.push(Buffer.from('800000aa00389b71', 'hex'));
  } else {
    format.push(u16(wav.validBits));
  }
  const data = Buffer.alloc(stored.length * bytes);
  stored.forEach((value, i) => {
    if (bytes === 1) data[i] = value + 128;
    else if (isBig) data.writeIntBE(value, i * bytes, bytes);
    else data.writeIntLE(value, i * bytes, bytes);
  });
  const fmt = Buffer.concat(format);
  const parts = [
    Buffer.from('WAVEfmt '),
    u32(fmt.length),
    fmt,
    Buffer.from('data'),
    u32(wav.dataSize ?? data.length),
  ];
  const body = Buffer.concat([...parts, data, wav.tail ?? Buffer.alloc(0)]);
  return Buffer.concat([Buffer.from(isBig ? 'RIFX' : 'RIFF'), u32(wav.formSize ?? body.length), body]);
}

const wavs = fc
  .record({
    bytes: fc.constantFrom(1, 2, 3, 4),
    channels: fc.integer({ min: 1, max: 9 }),
    frames: fc.integer({ min: 2, max: 20 }),
    isBig: fc.boolean(),
    isExtended: fc.boolean(),
    missingBits: fc.integer({ min: 0, max: 7 }),
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  })
  .map(({ bytes, channels, frames, missingBits, seed, ...rest }): Wav => {
    const half = 2 ** (8 * bytes - 1);
    const stored = Array.from({ length: channels * frames }, (_, i) => {
      const value = Math.imul(seed, 2 * i + 1) / 2 ** 31;
      return Math.max(-half, Math.min(half - 1, Math.round(value * half)));
    });
    return { ...rest, bytes: bytes as Wav['bytes'], channels, stored, validBits: bytes * 8 - missingBits };
  });

async function written(bytes: Buffer): Promise<string> {
  const path = join(folder, 'a.wav');
  await writeFile(path, bytes);
  return path;
}

async function expectSamples(wav: Wav, bytes: Buffer): Promise<string[]> {
  const media = await readAudio(await written(bytes));
  expect(media.shape).toEqual([wav.stored.length / wav.channels]);
  const scale = 2 ** (8 * wav.bytes - 1);
  const right = wav.stored.map((value) => Math.fround(value / scale) + 0);
  const read = (await media.read({ begin: [0], end: media.shape })) as Float32Array;
  expect(Array.from(read, (value) => value + 0)).toEqual(right);
  return [...(media.notices ?? [])];
}

describe('WAV', () => {
  it('is read exactly, whatever its container, valid bits, channels and byte order', async () => {
    await fc.assert(
      fc.asyncProperty(wavs, async (wav) => {
        expect(await expectSamples(wav, wavFile(wav))).toEqual([]);
      }),
    );
  });

  it('of unknown length has all samples that are there, and says so', async () => {
    const sizes = fc.constantFrom(0xffffffff, 0, 0x7ffff000, 0x7fffffff, 0x80000000, 0xffff1000, 0xffffffdb);
    await fc.assert(
      fc.asyncProperty(
        wavs,
        sizes,
        fc.constantFrom(0, 0xffffffff, 0x7ffff024),
        async (wav, dataSize, formSize) => {
          const samples = wav.stored.length / wav.channels;
          const notices = await expectSamples(wav, wavFile({ ...wav, dataSize, formSize }));
          expect(notices.join()).toContain(`its length is not stated; ${samples} samples`);
        },
      ),
    );
  });

  it('cut short of its stated length is refused at every byte', async () => {
    await fc.assert(
      fc.asyncProperty(wavs, fc.double({ min: 0, max: 1, noNaN: true }), async (wav, part) => {
        // Even data, so that no byte of padding is in question.
        const bytes = wavFile({ ...wav, stored: [...wav.stored, ...wav.stored] });
        const path = await written(bytes.subarray(0, Math.floor(part * (bytes.length - 1))));
        await expect(readAudio(path)).rejects.toMatchObject({ code: 'media' });
      }),
    );
  });

  it('with a large stated length is refused too', async () => {
    const wav: Wav = {
      bytes: 2,
      validBits: 16,
      channels: 1,
      isBig: false,
      isExtended: false,
      stored: [1, 2, 3],
    };
    for (const dataSize of [0x70000000, 0x90000000, 0xf0000000]) {
      const path = await written(wavFile({ ...wav, dataSize, formSize: dataSize + 36 }));
      await expect(readAudio(path)).rejects.toThrow('bytes, 50 are there');
    }
  });

  it('leaves out what is no whole sample at its end, and chunks after it', async () => {
    const wav: Wav = {
      bytes: 2,
      validBits: 16,
      channels: 2,
      isBig: false,
      isExtended: false,
      stored: [1, 2, 3, 4],
    };
    const half = await expectSamples(wav, wavFile({ ...wav, dataSize: 10, tail: Buffer.alloc(2) }));
    expect(half.join()).toContain('2 bytes at its end are no whole sample of 4 bytes');
    const list = Buffer.from('LIST\x04\0\0\0INFO', 'latin1');
    expect(await expectSamples(wav, wavFile({ ...wav, tail: list }))).toEqual([]);
    const none = wavFile({ ...wav, stored: [], dataSize: 0, tail: list });
    await expect(readAudio(await written(none))).rejects.toThrow('its sound has no sample');
  });

  it('with more valid bits than its container is refused with the numbers', async () => {
    const wav: Wav = { bytes: 2, validBits: 24, channels: 1, isBig: false, isExtended: true, stored: [1, 2] };
    await expect(readAudio(await written(wavFile(wav)))).rejects.toThrow('16 bits, 24 of them valid');
  });
});
