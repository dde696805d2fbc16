import { expect, test } from 'vitest';
import { compileKernels, instantiateKernels, sharedMemory } from '../../dist/codec/engine/cpu/module.js';

test('sine and its slope are within 1.3e-7 and 2.6e-7 of the true values up to |x| = 3000', async () => {
  const { module } = await compileKernels();
  const memory = sharedMemory(4, 4);
  const kernels = instantiateKernels(module, memory);
  kernels.prepareSine(1024);
  const rows = 256;
  const sine = new Float32Array(memory.buffer, 2048, rows * 32);
  const slope = new Float32Array(memory.buffer, 2048 + sine.byteLength, sine.length);
  for (const bound of [1, 100, 3000]) {
    const x = Float32Array.from(sine, (_, i) => ((i / sine.length) * 2 - 1) * bound);
    sine.set(x);
    kernels.activateWithSlope(sine.byteOffset, slope.byteOffset, rows, 1, 0, 1, 0);
    const sineError = x.reduce((most, v, i) => Math.max(most, Math.abs(Math.sin(v) - sine[i])), 0);
    const slopeError = x.reduce((most, v, i) => Math.max(most, Math.abs(Math.cos(v) - slope[i])), 0);
    expect(sineError).toBeLessThan(1.3e-7);
    expect(slopeError).toBeLessThan(2.6e-7);
    const both = sine.slice();
    sine.set(x);
    kernels.activate(sine.byteOffset, rows, 1, 0, 1, 0);
    expect(sine).toEqual(both);
  }
});
