import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { LgiError, MemorySource, open, verify } from '../../dist/src/index.js';
import type { Problem } from '../../dist/src/index.js';

interface Expected {
  readonly description: string;
  readonly signals?: readonly {
    readonly kind: string;
    readonly shape: readonly number[];
    readonly channels: number;
    readonly sampleType: string;
    readonly window: unknown;
    readonly absent: readonly (readonly number[])[];
    readonly samples: readonly (number | null)[];
    readonly tolerance: number;
  }[];
  readonly error?: { readonly code: string; readonly section?: string };
}

const folder = new URL('../../spec/vectors/', import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.lgi'))
  .map((name) => name.slice(0, -4));
const load = (name: string): { bytes: Uint8Array; expected: Expected } => ({
  bytes: readFileSync(new URL(`${name}.lgi`, folder)),
  expected: JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Expected,
});
const valid = names.filter((name) => load(name).expected.signals !== undefined);
const invalid = names.filter((name) => load(name).expected.error !== undefined);

const cpu = createCpuEngine(2);
afterAll(() => cpu.dispose());

test('there are vectors of both kinds, and of no other', () => {
  expect(valid.length).toBeGreaterThan(10);
  expect(invalid.length).toBeGreaterThan(8);
  expect(valid.length + invalid.length).toBe(names.length);
});

describe.each([
  ['cpu', cpu],
  ['reference', new ReferenceEngine()],
])('the %s engine decodes', (_, engine) => {
  test.each(valid)('%s', async (name) => {
    const { bytes, expected } = load(name);
    const file = await open(bytes, { engine });
    expect(file.signals.length).toBe(expected.signals?.length);
    for (const [i, signal] of file.signals.entries()) {
      const { kind, shape, channels, sampleType, window, absent, samples, tolerance } = expected.signals![i];
      expect([signal.kind, signal.shape, signal.window]).toEqual([kind, shape, window]);
      const decoded = await signal.decode();
      expect([decoded.channels, decoded.format.sampleType]).toEqual([channels, sampleType]);
      expect(decoded.missing.map(({ coordinates }) => coordinates)).toEqual(absent);
      expect(decoded.data.length).toBe(samples.length);
      const worst = samples.reduce<number>(
        (most, sample, at) => (sample === null ? most : Math.max(most, Math.abs(decoded.data[at] - sample))),
        0,
      );
      expect(worst).toBeLessThanOrEqual(tolerance);
    }
    const problems: Problem[] = [];
    for await (const problem of file.verify()) problems.push(problem);
    expect(problems).toEqual([]);
  });
});

describe('refused are', () => {
  test.each(invalid)('%s', async (name) => {
    const { bytes, expected } = load(name);
    const error = await (async () => {
      const file = await open(bytes, { engine: cpu });
      for (const signal of file.signals) await signal.decode();
    })().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(LgiError);
    const { code, section } = error as LgiError;
    expect(code).toBe(expected.error?.code);
    if (expected.error?.section !== undefined) expect(section).toBe(expected.error.section);
    const problems: Problem[] = [];
    for await (const problem of verify(new MemorySource(bytes))) problems.push(problem);
    expect(problems.map((problem) => problem.code)).toContain(expected.error?.code);
  });
});
