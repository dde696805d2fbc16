import { globalTensors } from '../../codec/architecture.js';
import { decodeWeights } from '../../codec/coder/decode-weights.js';
import type { SineSignal } from './header.js';

/**
 * Weights of a signal's global network and merge: f32 [global count], empty without a global network.
 *
 * @throws LgiError `damaged`, section `header`.
 */
export function globalWeightsOf({
  model,
  quantiser,
  coder,
  globalPayload,
}: Pick<SineSignal, 'model' | 'quantiser' | 'coder' | 'globalPayload'>): Float32Array {
  const tensors = globalTensors(model.architecture);
  if (tensors.length === 0) return new Float32Array(0);
  return decodeWeights(globalPayload, tensors, quantiser.global, quantiser.format, coder, 'header');
}
