import { allocate } from '../../allocate.js';
import { KERNELS_BASE64, RELAXED_KERNELS_BASE64 } from './module.generated.js';

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

/** Bytes of a WebAssembly page. */
export const PAGE_BYTES = 65536;
/** Most pages a 32-bit memory can have: 4 GiB. */
export const MAX_PAGES = 65536;

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

let compiled: Promise<{ module: WebAssembly.Module; fused: boolean }> | undefined;

/**
 * Compiles the kernels, once: with fused multiply-add where the host takes relaxed SIMD, else plain SIMD.
 *
 * The choice is the machine's, so that one machine always gives the same bytes.
 */
export function compileKernels(): Promise<{ module: WebAssembly.Module; fused: boolean }> {
  compiled ??= (async () => {
    const relaxed = bytesOf(RELAXED_KERNELS_BASE64);
    const fused = WebAssembly.validate(relaxed);
    return { module: await WebAssembly.compile(fused ? relaxed : bytesOf(KERNELS_BASE64)), fused };
  })();
  return compiled;
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

export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const instance = new WebAssembly.Instance(module, {
    env: {
      memory,
      abort: () => {
        throw new Error('kernel aborted');
      },
    },
  });
  return instance.exports as unknown as Kernels;
}
