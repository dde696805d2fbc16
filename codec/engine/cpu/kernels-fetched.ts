import { LgiError } from '../../errors.js';
import type { KernelPurpose } from './module.js';

let folder = new URL('./', import.meta.url).href;

/** Says where `evaluation.wasm`, `kernels.wasm` and those with `-relaxed` in their names lie: an absolute URL that ends with a slash; default beside this module. */
export function setKernelsFolder(url: string): void {
  folder = url;
}

/**
 * The kernels' WebAssembly, from a server: a page takes one of four files, and no text a third larger. In the place of
 * `kernels-embedded.ts` where the web player is bundled.
 *
 * @param relaxed whether they may use relaxed SIMD.
 * @throws LgiError `io` where the file is not there.
 */
export async function loadKernels(
  purpose: KernelPurpose,
  relaxed: boolean,
): Promise<Uint8Array<ArrayBuffer>> {
  const name = purpose === 'evaluation' ? 'evaluation' : 'kernels';
  const url = new URL(`${name}${relaxed ? '-relaxed' : ''}.wasm`, folder);
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
