import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeAudio } from '../../src/media/write-audio.js';
import { writeVideo } from '../../src/media/write-video.js';
import { writeVolume } from '../../src/media/write-volume.js';
import { encodeByCommand } from './encode-command.js';
import type { Measurement } from './measure.js';

/** Seconds to train each; memory does not depend on it. */
const SECONDS = '8';

/** Media of every kind but pictures, made here: their names say how large they are. */
const MAKERS: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  '1 minute of stereo at 48 kHz.wav': (path) => {
    const samples = Float32Array.from({ length: 2 * 60 * 48_000 }, (_, i) => {
      const t = (i >> 1) / 48_000;
      return 0.3 * Math.sin(2 * Math.PI * (220 + 110 * (i & 1) + 40 * Math.floor(t)) * t);
    });
    return writeAudio(path, { samples, channels: 2, rate: { numerator: 48_000, denominator: 1 } });
  },
  '640x272, 100 frames.mp4': (path) =>
    writeVideo(path, {
      frames: movingFrames(640, 272, 100),
      width: 640,
      height: 272,
      layout: 'rgb',
      sampleType: 'uint8',
      rate: { numerator: 25, denominator: 1 },
    }),
  'uint16, 256 samples per axis.npy': (path) => {
    const side = 256;
    const data = new Uint16Array(side ** 3);
    for (let i = 0; i < data.length; i++) {
      const [z, y, x] = [i >> 16, (i >> 8) & 255, i & 255];
      const radius = Math.hypot(z - 128, y - 128, x - 128);
      data[i] = radius < 90 ? 30_000 + 12_000 * Math.sin(radius / 6) + 4000 * Math.sin(x / 5) : 2000;
    }
    return writeVolume(path, {
      data,
      shape: [side, side, side],
      channels: 1,
      format: { sampleType: 'uint16' },
    });
  },
  'a torus on 256 voxels per axis.obj': (path) => writeFile(path, torus(64, 32)),
};

async function* movingFrames(width: number, height: number, count: number): AsyncGenerator<Uint8Array> {
  for (let t = 0; t < count; t++) {
    const frame = new Uint8Array(3 * width * height);
    for (let i = 0, at = 0; i < width * height; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      frame[at++] = 128 + 90 * Math.sin((x + 2 * t) / 17) * Math.cos(y / 11);
      frame[at++] = 128 + 90 * Math.sin((x - t) / 23 + y / 19);
      frame[at++] = 60 + ((x + y + t) & 63);
    }
    yield Promise.resolve(frame);
  }
}

function torus(around: number, across: number): string {
  const lines: string[] = [];
  for (let i = 0; i < around; i++) {
    for (let j = 0; j < across; j++) {
      const [u, v] = [(2 * Math.PI * i) / around, (2 * Math.PI * j) / across];
      const ring = 2 + 0.7 * Math.cos(v);
      lines.push(`v ${ring * Math.cos(u)} ${ring * Math.sin(u)} ${0.7 * Math.sin(v)}`);
    }
  }
  const corner = (i: number, j: number): number => (i % around) * across + (j % across) + 1;
  for (let i = 0; i < around; i++) {
    for (let j = 0; j < across; j++) {
      lines.push(`f ${corner(i, j)} ${corner(i + 1, j)} ${corner(i + 1, j + 1)} ${corner(i, j + 1)}`);
    }
  }
  return lines.join('\n');
}

/**
 * Quality and peak memory of a short encode of each kind of medium.
 *
 * @param media a folder of media to take in place of those that are made.
 */
export async function measureKinds(media: string | undefined): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lgi-bench-'));
  const lines: Measurement[] = [];
  try {
    const names = media === undefined ? Object.keys(MAKERS) : (await readdir(media)).sort();
    for (const name of names) {
      const path = join(media ?? folder, name);
      if (media === undefined) await MAKERS[name](path);
      const { psnr, iou, memoryBytes } = await encodeByCommand(folder, path, ['--time', SECONDS]);
      const quality = iou === undefined ? '' : `, IoU ${iou.toFixed(4)}`;
      lines.push(
        { name: `${name}, ${SECONDS} s of training${quality}`, value: psnr, unit: 'dB' },
        { name: `${name}, peak memory`, value: memoryBytes / 2 ** 20, unit: 'MiB', asked: 'below 4096' },
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return lines;
}
