import { loadInflate } from './inflate.js';
import type { Coder } from './payload.js';
import type { decodeOrigin, decodeRangeWeights } from './range-weights.js';

/** What `decodeWeights` decodes ranges with. */
export let rangeWeights: typeof decodeRangeWeights | undefined;

/** And what a header may have them as differences from. */
export let rangeOrigin: typeof decodeOrigin | undefined;

/** Loads what a coder's weights are decoded with; a page that meets no such file need not. To be called before they are decoded. */
export async function loadCoder(coder: Coder): Promise<void> {
  if (coder === 'deflate') await loadInflate();
  if (coder === 'range') {
    ({ decodeRangeWeights: rangeWeights, decodeOrigin: rangeOrigin } = await import('./range-weights.js'));
  }
}
