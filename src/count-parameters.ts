import { countParameters, type ParameterCount } from '../codec/architecture.js';
import { boxShape, type Grid } from '../codec/grid.js';
import { countLatents, countShared } from '../codec/latent/latent-sizes.js';
import type { SignalHeader } from './container/header.js';
import type { ChunkTable } from './container/index-table.js';
import { countNetworks } from './container/local-weights.js';

/** Parameters of a signal's partitions that are there: weights, or latents and the weights that they share. */
export function countSignalParameters(
  header: SignalHeader,
  { grid, chunks }: { readonly grid: Grid; readonly chunks: Pick<ChunkTable, 'ordinals' | 'payloadLengths'> },
): ParameterCount {
  if (header.latents === undefined) {
    return countParameters(header.model.architecture, countNetworks(header, chunks.payloadLengths));
  }
  const { architecture } = header.latents;
  const global = countShared(architecture);
  const local = chunks.ordinals.reduce(
    (sum, ordinal) => sum + countLatents(architecture, boxShape(grid.boxOf(ordinal))),
    0,
  );
  return { total: local + global, local, global };
}
