import { loadKernels } from '#kernels';
import { allocate } from '../../allocate.js';

/** What the kernels export; pointers are byte offsets into the shared memory. */
export interface Kernels {
  initialise(plan: number, scratch: number, job: number, points: number): void;
  scratchBytes(plan: number, training: number, points: number): number;
  localFloats(): number;
  globalFloats(): number;
  localStateFloats(): number;
  globalStateFloats(): number;
  trainStep(): void;
  evaluateTasks(job: number, rows: number): void;
  multiplyAddPeak(rounds: number): number;
  multiplyAndAddPeak(rounds: number): number;
  prepareSine(table: number): void;
  activate(z: number, rows: number, frequency: number, phase: number, amplitude: number, shift: number): void;
  activateWithSlope(
    z: number,
    slope: number,
    rows: number,
    frequency: number,
    phase: number,
    amplitude: number,
    shift: number,
  ): void;
  layer(
    weights: number,
    stride: number,
    bias: number,
    features: number,
    out: number,
    rows: number,
    depth: number,
  ): void;
  accumulateGradient(
    features: number,
    dz: number,
    dzStride: number,
    gradient: number,
    rows: number,
    columns: number,
  ): void;
}

/** What the kernels of the latent family export. */
export interface LatentKernels extends Pick<
  Kernels,
  'initialise' | 'scratchBytes' | 'trainStep' | 'evaluateTasks'
> {
  weightFloats(plan: number): number;
  latentFloats(plan: number, height: number, width: number): number;
}

/** Bytes of a WebAssembly page. */
export const PAGE_BYTES = 65536;
/** Most pages a 32-bit memory can have: 4 GiB. */
export const MAX_PAGES = 65536;

/** A module of one function, `f32x4.relaxed_madd` of zeros: hosts that have relaxed SIMD find it valid. */
const RELAXED_PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x13, 0x01, 0x11, 0x00],
  ...[0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f],
  ...[0xfd, 0x85, 0x02, 0x0b],
);

/** Whether the host multiplies and adds in one instruction. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_PROBE);
}

/** What kernels are for: `training` ones evaluate, too; `latents` are those of the latent family, for both. */
export type KernelPurpose = 'training' | 'evaluation' | 'latents';

/** Compiled WebAssembly, and whether it has fused multiply-add. */
export interface CompiledKernels {
  readonly module: WebAssembly.Module;
  readonly fused: boolean;
}

const compiled = new Map<KernelPurpose, Promise<CompiledKernels>>();

/**
 * Compiles the kernels, once: with fused multiply-add where the host takes relaxed SIMD, else plain SIMD.
 *
 * The choice is the machine's, so that one machine always gives the same bytes.
 */
export function compileKernels(purpose: KernelPurpose = 'training'): Promise<CompiledKernels> {
  const known = compiled.get(purpose);
  if (known !== undefined) return known;
  const compiling = (async () => {
    const fused = hasRelaxedSimd();
    return { module: await WebAssembly.compile(await loadKernels(purpose, fused)), fused };
  })();
  compiled.set(purpose, compiling);
  // A failure is not kept: a server may be there the next time.
  compiling.catch(() => compiled.delete(purpose));
  return compiling;
}

/**
 * A memory that threads share; `maximumPages` says how far it may grow.
 *
 * @throws LgiError `limit` where the machine has not so much.
 */
export function sharedMemory(pages: number, maximumPages: number): WebAssembly.Memory {
  return allocate(
    `${pages * PAGE_BYTES} bytes for kernels`,
    () => new WebAssembly.Memory({ initial: pages, maximum: maximumPages, shared: true }),
  );
}

/**
 * Lets a memory have at least so many pages.
 *
 * @throws LgiError `limit` where the machine has not so much.
 */
export function growMemory(memory: WebAssembly.Memory, pages: number): void {
  const missing = pages - memory.buffer.byteLength / PAGE_BYTES;
  if (missing > 0) allocate(`${pages * PAGE_BYTES} bytes for kernels`, () => memory.grow(missing));
}

export function instantiateKernels<K = Kernels>(module: WebAssembly.Module, memory: WebAssembly.Memory): K {
  const instance = new WebAssembly.Instance(module, {
    env: {
      memory,
      abort: () => {
        throw new Error('kernel aborted');
      },
    },
  });
  return instance.exports as unknown as K;
}
