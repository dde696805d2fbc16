import { latentGrids, type LatentArchitecture } from '../../latent/latent-architecture.js';
import * as record from './latent-records.js';

/** Writes the plan of the latent family's kernels. */
export function writeLatentPlan(
  view: DataView,
  at: number,
  architecture: LatentArchitecture,
  {
    most,
    weights,
    wholeModels = 0,
  }: { readonly most: readonly number[]; readonly weights: number; readonly wholeModels?: number },
): void {
  const whole = (offset: number, value: number): void => view.setInt32(at + offset, value, true);
  const grids = latentGrids(architecture);
  whole(record.LATENT_LEVELS, architecture.levels);
  whole(record.LATENT_HIDDEN, architecture.hiddenWidth);
  whole(record.LATENT_OUTPUTS, architecture.outputs);
  whole(record.LATENT_GRIDS, grids.length);
  whole(record.LATENT_WEIGHTS, weights);
  whole(record.LATENT_WHOLE_MODELS, wholeModels);
  whole(record.LATENT_MOST_HEIGHT, most[0]);
  whole(record.LATENT_MOST_WIDTH, most[1]);
  grids.forEach(({ level, parent, earlier }, i) => {
    const grid = record.LATENT_PLAN_GRIDS + i * record.GRID_RECORD_BYTES;
    whole(grid + record.GRID_LEVEL, level);
    whole(grid + record.GRID_PARENT, parent);
    for (let k = 0; k <= record.MOST_EARLIER; k++) {
      whole(grid + record.GRID_EARLIER + 4 * k, earlier[k] ?? -1);
    }
  });
}
