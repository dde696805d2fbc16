import { open, stat, type FileHandle } from 'node:fs/promises';
import { fileError } from '../io/file-error-node.js';
import { MAX_CHANNELS } from '../container/limits.js';
import { damagedFault, mediaFault } from './image-limits.js';
import type { Media } from './media.js';
import { checkSample, soundMedia } from './sound-media.js';
import { SoundStore } from './sound-store.js';
import { readWavHeader, type WavHeader } from './wav-header.js';

/** Frames read at a time: some hundred KiB of most sounds. */
const BLOCK_FRAMES = 2 ** 16;

/**
 * Reads WAV files of integers and floats from their header, exactly; undefined for any other file, which FFmpeg reads.
 *
 * @throws LgiError `io`, `media` and `limit` as `readAudio`.
 */
export async function readWav(path: string, signal?: AbortSignal): Promise<Media | undefined> {
  const failed = (cause: unknown): never => {
    throw fileError('read', path, cause);
  };
  const stats = await stat(path).catch(failed);
  // To open a pipe would wait for its writer.
  if (!stats.isFile()) return undefined;
  const file = await open(path, 'r').catch(failed);
  try {
    const header = await readWavHeader(file, path, stats.size);
    if (header === undefined || header.encoding === 'other') return undefined;
    return await readSamples(file, path, header, signal);
  } finally {
    await file.close();
  }
}

async function readSamples(
  file: FileHandle,
  name: string,
  header: WavHeader,
  signal?: AbortSignal,
): Promise<Media> {
  const { channels, rateHz, bytes, dataBegin, dataBytes } = header;
  if (channels < 1 || channels > MAX_CHANNELS || rateHz < 1) {
    throw mediaFault(
      name,
      `its sound has ${channels} channels at ${rateHz} Hz, 1 to ${MAX_CHANNELS} and at least 1 Hz are possible`,
      'convert it first',
    );
  }
  const frameBytes = bytes * channels;
  const frames = Math.floor(dataBytes / frameBytes);
  if (frames === 0) throw mediaFault(name, 'its sound has no sample', 'export it again');
  const notices: string[] = [];
  if (!header.isLengthStated) {
    const seconds = (frames / rateHz).toFixed(3);
    notices.push(`${name}: its length is not stated; ${frames} samples (${seconds} s) are there`);
  }
  const rest = dataBytes % frameBytes;
  if (rest > 0) {
    notices.push(
      `${name}: ${rest} bytes at its end are no whole sample of ${frameBytes} bytes and are left out`,
    );
  }
  const sound = new SoundStore(name, header.encoding === 'integer' && bytes === 2 ? 'int16' : 'float32');
  const buffer = Buffer.alloc(Math.min(frames, BLOCK_FRAMES) * frameBytes);
  const valueAt = sampleReader(header);
  for (let frame = 0; frame < frames; frame += BLOCK_FRAMES) {
    signal?.throwIfAborted();
    const count = Math.min(BLOCK_FRAMES, frames - frame);
    const { bytesRead } = await file.read(buffer, 0, count * frameBytes, dataBegin + frame * frameBytes);
    if (bytesRead < count * frameBytes) throw damagedFault(name, 'it became shorter while it was read');
    sound.append(count * channels, (i) =>
      checkSample(name, valueAt(buffer, i * bytes), frame + Math.floor(i / channels), rateHz),
    );
  }
  return soundMedia(sound, channels, rateHz, 0, notices);
}

/** How a sample is read: 16 bits as stored, anything else as a float in [-1, 1) where it was an integer. */
function sampleReader({ encoding, bytes, isBigEndian }: WavHeader): (buffer: Buffer, at: number) => number {
  if (encoding === 'float') {
    if (bytes === 4) return isBigEndian ? (b, at) => b.readFloatBE(at) : (b, at) => b.readFloatLE(at);
    return isBigEndian ? (b, at) => b.readDoubleBE(at) : (b, at) => b.readDoubleLE(at);
  }
  // Samples of a byte are unsigned in WAV, wider ones signed.
  if (bytes === 1) return (b, at) => (b[at] - 128) / 128;
  if (bytes === 2) return isBigEndian ? (b, at) => b.readInt16BE(at) : (b, at) => b.readInt16LE(at);
  if (bytes === 8) {
    return isBigEndian
      ? (b, at) => Number(b.readBigInt64BE(at)) / 2 ** 63
      : (b, at) => Number(b.readBigInt64LE(at)) / 2 ** 63;
  }
  const scale = 2 ** (8 * bytes - 1);
  return isBigEndian ? (b, at) => b.readIntBE(at, bytes) / scale : (b, at) => b.readIntLE(at, bytes) / scale;
}
