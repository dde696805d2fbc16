import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeByCommand } from './encode-command.js';
import type { Measurement } from './measure.js';

/** GFLOP/s a thread of the machine that asked times are meant for; they grow as a slower one's peak is lower. */
const NOMINAL_PEAK = 59;
/** As many parameters as the network has whose sizes the paper names for 512x512 pictures, to 1 %. */
const PAPER_PARAMETERS = ['--params', '198930'];

/**
 * Quality by time on two pictures of a folder: `camera.png` (512x512 grey) and `div2k-0882.png` (2040x1356 RGB); what is not
 * there is left out.
 *
 * @param peak multiply-add peak of one thread in GFLOP/s: times are longer where it is lower
 * @param paperMs time of an iteration of the `paper` preset on 512x512, two threads
 */
export async function measurePictures(
  pictures: string,
  peak: number,
  paperMs: number,
): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lgi-bench-'));
  const slower = NOMINAL_PEAK / peak;
  const isThere = (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );
  const lines: Measurement[] = [];
  try {
    const camera = join(pictures, 'camera.png');
    for (const [seconds, asked] of (await isThere(camera))
      ? ([
          [2.5, 32],
          [6, 38],
          [20, 41],
        ] as const)
      : []) {
      const budget = seconds * slower;
      const { psnr, ssim } = await encodeByCommand(folder, camera, [
        ...PAPER_PARAMETERS,
        '--time',
        budget.toFixed(2),
      ]);
      lines.push({
        name: `camera.png in ${budget.toFixed(1)} s (${seconds} at ${NOMINAL_PEAK} GFLOP/s), SSIM ${(ssim ?? NaN).toFixed(3)}`,
        value: psnr,
        unit: 'dB',
        asked: `${asked} dB`,
        ratio: paperMs / budget,
        ratioOf: 'faster than 1000 iterations of paper',
      });
    }
    const large = join(pictures, 'div2k-0882.png');
    if (await isThere(large)) {
      const { psnr, wallSeconds, memoryBytes } = await encodeByCommand(folder, large, ['--psnr', '34']);
      lines.push(
        {
          name: `div2k-0882.png (2040x1356) to ${psnr.toFixed(2)} dB, the whole command`,
          value: wallSeconds,
          unit: 's',
          asked: `${(60 * slower).toFixed(0)} s for 34 dB`,
        },
        { name: '  its memory', value: memoryBytes / 2 ** 20, unit: 'MiB', asked: 'below 1024' },
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return lines;
}
