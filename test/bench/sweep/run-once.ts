import type { Engine } from '../../../codec/engine/engine.js';
import { LgiError } from '../../../codec/errors.js';
import { seamRatio } from '../../../codec/seam.js';
import { encodeBySettings } from '../../../src/encode.js';
import type { EncodeSettings } from '../../../src/encode-settings.js';
import { MemorySink } from '../../../src/io/memory.js';
import type { Media } from '../../../src/media/media.js';
import { open } from '../../../src/open.js';
import type { FailedRun, Run, RunNames } from './runs.js';

/** Encodes a picture, and measures what the file decodes to. */
export async function runOnce(
  media: Media,
  settings: EncodeSettings,
  engine: Engine,
  names: RunNames,
): Promise<Run | FailedRun> {
  try {
    const sink = new MemorySink();
    const report = await encodeBySettings([{ media, settings }], sink, { engine });
    const { psnr, ssim = NaN, seconds, iterations, parameters, bytes, grid, threads } = report;
    const file = await open(sink.bytes(), { engine });
    const [image] = file.signals;
    const { data } = await image.decode();
    const source = await media.read({ begin: media.shape.map(() => 0), end: media.shape });
    const seam = seamRatio(source, data, image.shape, image.format, image.cuts);
    await file.dispose();
    const { localWidth, globalWidth } = settings.model.architecture;
    return {
      ...names,
      psnr,
      ssim,
      ...(seam !== undefined && { seam }),
      seconds,
      iterations,
      parameters: parameters.total,
      bytes,
      grid,
      localWidth,
      globalWidth,
      threads,
    };
  } catch (error) {
    // What settings lead to is a result; a fault of the program or the disk is none.
    if (error instanceof LgiError && (error.code === 'diverged' || error.code === 'limit')) {
      return { ...names, error: error.message };
    }
    throw error;
  }
}
