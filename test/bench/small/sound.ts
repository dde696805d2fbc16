import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAudio } from '../../../src/media/read-audio.js';
import { encodeOwn } from './own.js';
import type { SmallRow } from './row.js';

/** What the paper reaches on its cello (table 1 of section 4.2). */
export const SOUND_PSNR = 45.2;

/** Rates of Opus, in kbit/s: for speech, for music, and the most that it has for a channel. */
const OPUS_KBITS = [32, 96, 256];

/** A sound as it is, by our preset at {@link SOUND_PSNR}, and by FLAC and Opus where the machine has FFmpeg's program. */
export async function soundRows(path: string): Promise<SmallRow[]> {
  const rows: SmallRow[] = [
    { codec: 'the file as it is', bytes: (await stat(path)).size, quality: 'lossless' },
  ];
  const media = await readAudio(path);
  const own = await encodeOwn(media, { preset: 'small', psnr: SOUND_PSNR });
  rows.push({
    codec: `LGI, \`--preset small --psnr ${SOUND_PSNR}\``,
    bytes: own.bytes,
    quality: `${own.psnr.toFixed(2)} dB`,
    seconds: own.seconds,
  });
  if (spawnSync('ffmpeg', ['-version']).error !== undefined) {
    process.stderr.write('FLAC and Opus are left out: the machine has no ffmpeg\n');
    return rows;
  }
  const folder = await mkdtemp(join(tmpdir(), 'lgi-small-'));
  const run = (...args: string[]): Buffer => {
    const { status, stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args], {
      maxBuffer: 1 << 30,
    });
    if (status !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${stderr.toString()}`);
    return stdout;
  };
  try {
    const samples = Float32Array.from(await media.read({ begin: [0], end: media.shape }));
    const peak = media.format.sampleType === 'float32' ? 1 : 32_767.5;
    const psnrOf = (file: string): number => {
      const rate = Math.round((media.rate?.numerator ?? 1) / (media.rate?.denominator ?? 1));
      const bytes = run('-i', file, '-f', 'f32le', '-ar', String(rate), '-');
      const decoded = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
      let sum = 0;
      for (let i = 0; i < samples.length; i++) sum += (samples[i] / peak - (decoded[i] ?? 0)) ** 2;
      return -10 * Math.log10(sum / samples.length);
    };
    const flac = join(folder, 'a.flac');
    run('-i', path, '-c:a', 'flac', '-sample_fmt', 's16', '-compression_level', '12', flac);
    rows.push({
      codec: 'FLAC, 16 bits, level 12',
      bytes: (await readFile(flac)).length,
      quality: `${psnrOf(flac).toFixed(1)} dB`,
    });
    for (const kbits of OPUS_KBITS) {
      const opus = join(folder, `${kbits}.opus`);
      run('-i', path, '-c:a', 'libopus', '-b:a', `${kbits}k`, opus);
      rows.push({
        codec: `Opus, ${kbits} kbit/s`,
        bytes: (await readFile(opus)).length,
        quality: `${psnrOf(opus).toFixed(1)} dB`,
      });
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
