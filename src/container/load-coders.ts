import { localTensors } from '../../codec/architecture.js';
import { loadCoder, rangeOrigin } from '../../codec/coder/load-coder.js';
import type { Header } from './header.js';

/**
 * Loads what a file's weights are decoded with, and tries the origins that its header has, so that what is wrong with them shows at opening.
 *
 * @throws LgiError `damaged`, section `header`.
 */
export async function loadCoders({ signals }: Header): Promise<void> {
  for (const signal of signals) {
    if (signal.latents !== undefined) continue;
    const { model, quantiser, coder } = signal;
    await loadCoder(coder);
    if (quantiser.forecast)
      rangeOrigin?.(quantiser.forecast, localTensors(model.architecture), quantiser.local);
  }
}
