import { LgiError } from '../../errors.js';
import type { LatentDecoder, LatentDecoderSetup, LatentTask } from '../decoder.js';
import { gridModels } from '../entropy-model.js';
import { placeGrids } from '../latent-architecture.js';
import { decodeLatents } from '../latent-coder.js';
import { realShared } from '../shared-weights.js';
import { synthesise } from './synthesis.js';
import { tensorViews } from './tensor-views.js';

/** Plain and slow decoding of the latent family: what the kernels are checked by. */
export class ReferenceLatentDecoder implements LatentDecoder {
  constructor(private readonly setup: LatentDecoderSetup) {}

  decode(tasks: readonly LatentTask[]): Promise<(Float32Array | LgiError)[]> {
    return Promise.resolve(tasks.map((task) => this.#decode(task)));
  }

  #decode({ shape, payload, section }: LatentTask): Float32Array | LgiError {
    const { architecture, stored } = this.setup;
    const grids = placeGrids(architecture, shape);
    try {
      const latents = decodeLatents(grids, gridModels(architecture, stored.numbers), payload, section);
      const views = tensorViews(architecture, Float64Array.from(realShared(architecture, stored)));
      const { outputs } = synthesise(architecture, grids, views, Float64Array.from(latents), shape);
      const [channels, samples] = [architecture.outputs, shape[0] * shape[1]];
      return Float32Array.from(
        outputs,
        (_, i) => outputs[(i % samples) * channels + Math.floor(i / samples)],
      );
    } catch (error) {
      if (error instanceof LgiError) return error;
      throw error;
    }
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
