import type { KernelPurpose } from './module.js';
import {
  KERNELS_BASE64,
  LATENTS_BASE64,
  RELAXED_KERNELS_BASE64,
  RELAXED_LATENTS_BASE64,
} from './module.generated.js';

/**
 * The kernels' WebAssembly, out of the program's own text: nothing to find, nothing to serve. Those for training evaluate, too.
 *
 * @param relaxed whether they may use relaxed SIMD.
 */
export function loadKernels(purpose: KernelPurpose, relaxed: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const text = atob(textOf(purpose, relaxed));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return Promise.resolve(bytes);
}

function textOf(purpose: KernelPurpose, relaxed: boolean): string {
  if (purpose === 'latents') return relaxed ? RELAXED_LATENTS_BASE64 : LATENTS_BASE64;
  return relaxed ? RELAXED_KERNELS_BASE64 : KERNELS_BASE64;
}
