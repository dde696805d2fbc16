import type { Row } from './experiment.js';
import type { SystemRow } from './system-row.js';

/** A row that encodes a medium into a file, as users do, and measures what the file decodes to. */
export function fileRow(
  experiment: string,
  { name, system, file, iterations, published, options }: SystemRow,
): Row {
  const { localWidth = 0, globalWidth = 0, partitions } = system;
  const isWhole = partitions === undefined;
  return {
    name,
    published,
    run: async (laboratory, seed) => {
      const media = await laboratory.media(file);
      const report = await laboratory.encodeFile(`${experiment} ${name} ${seed}`, media, {
        ...options,
        preset: 'paper',
        weights: 'float32',
        grid: partitions ?? media.shape.map(() => 1),
        localWidth: isWhole ? globalWidth : localWidth,
        globalWidth: isWhole ? 0 : globalWidth,
        iterations: laboratory.iterations(iterations),
        seed,
      });
      const { psnr, ssim, iou, seconds, parameters } = report;
      return {
        iterations: report.iterations,
        shape: media.shape,
        curve: [],
        metrics: {
          psnr,
          seconds,
          parameters: parameters.total,
          ...(ssim !== undefined && { ssim }),
          ...(iou !== undefined && { iou }),
        },
      };
    },
  };
}
