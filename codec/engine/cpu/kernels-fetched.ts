import { LgiError } from '../../errors.js';
import type { KernelPurpose } from './module.js';

/** Beside this module; bundlers find files by these very words. */
const BESIDE = {
  'evaluation.wasm': () => new URL('./evaluation.wasm', import.meta.url),
  'evaluation-relaxed.wasm': () => new URL('./evaluation-relaxed.wasm', import.meta.url),
  'kernels.wasm': () => new URL('./kernels.wasm', import.meta.url),
  'kernels-relaxed.wasm': () => new URL('./kernels-relaxed.wasm', import.meta.url),
  'latents.wasm': () => new URL('./latents.wasm', import.meta.url),
  'latents-relaxed.wasm': () => new URL('./latents-relaxed.wasm', import.meta.url),
} as const;

let folder: string | undefined;

/** Says where the WebAssembly files lie, an absolute URL that ends with a slash; default beside this module. */
export function setKernelsFolder(url: string): void {
  folder = url;
}

/**
 * The kernels' WebAssembly, from a server: a page takes one of these files, and no text a third larger. In the place of
 * `kernels-embedded.ts` where the web player is bundled.
 *
 * @param relaxed whether they may use relaxed SIMD.
 * @throws LgiError `io` where the file is not there.
 */
export async function loadKernels(
  purpose: KernelPurpose,
  relaxed: boolean,
): Promise<Uint8Array<ArrayBuffer>> {
  const stem = purpose === 'training' ? 'kernels' : purpose;
  const name: keyof typeof BESIDE = relaxed ? `${stem}-relaxed.wasm` : `${stem}.wasm`;
  const url = folder === undefined ? BESIDE[name]() : new URL(name, folder);
  const nextStep = 'serve it beside the player, or say where it is';
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new LgiError('io', `cannot load ${url.href}: ${(cause as Error).message}; ${nextStep}`, { cause });
  }
  if (!response.ok) {
    throw new LgiError('io', `cannot load ${url.href}: status ${response.status}; ${nextStep}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
