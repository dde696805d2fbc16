import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import type { Box } from '../../dist/codec/grid.js';
import { LgiError, MemorySource, open, verify } from '../../dist/src/index.js';
import type { DecodeOptions, Problem } from '../../dist/src/index.js';

/** What is decoded; by default every sample of the window. */
interface Sampling {
  /** In positions. */
  readonly region?: Box;
  readonly scale?: number;
  readonly size?: readonly number[];
}

interface Expected {
  readonly description: string;
  readonly signals?: readonly (Sampling & {
    readonly kind: string;
    readonly shape: readonly number[];
    readonly channels: number;
    readonly sampleType: string;
    readonly window: Box;
    readonly absent: readonly (readonly number[])[];
    readonly samples: readonly (number | null)[];
    readonly tolerance: number;
  })[];
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

/** The vector's region, which is in positions, from the window's corner as the API has it. */
function optionsOf({ region, scale, size }: Sampling, window: Box): DecodeOptions {
  const fromWindow = (corner: readonly number[]): number[] =>
    corner.map((at, axis) => at - window.begin[axis]);
  return {
    ...(region && { region: { begin: fromWindow(region.begin), end: fromWindow(region.end) } }),
    ...(scale !== undefined && { scale }),
    ...(size && { size }),
  };
}

/** Row-major places of a box of outputs. */
function outputsIn(box: Box, shape: readonly number[]): number[] {
  return shape.reduce<number[]>(
    (places, length, axis) =>
      places.flatMap((place) =>
        Array.from(
          { length: box.end[axis] - box.begin[axis] },
          (_, j) => place * length + box.begin[axis] + j,
        ),
      ),
    [0],
  );
}

const cpu = createCpuEngine(2);
afterAll(() => cpu.dispose());

test('there are vectors of both kinds, and of no other', () => {
  expect(valid.length).toBeGreaterThan(25);
  expect(invalid.length).toBeGreaterThan(40);
  expect(valid.length + invalid.length).toBe(names.length);
  const samplings = valid.flatMap((name) => load(name).expected.signals ?? []);
  for (const key of ['region', 'scale', 'size'] as const)
    expect(samplings.some((sampling) => sampling[key] !== undefined)).toBe(true);
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
      const { kind, shape, channels, sampleType, window, absent, samples, tolerance, ...sampling } =
        expected.signals![i];
      expect([signal.kind, signal.window]).toEqual([kind, window]);
      const whole = await signal.decode();
      expect(whole.missing.map(({ coordinates }) => coordinates)).toEqual(absent);
      const decoded = await signal.decode(optionsOf(sampling, window));
      expect([decoded.shape, decoded.channels, decoded.format.sampleType]).toEqual([
        shape,
        channels,
        sampleType,
      ]);
      expect(decoded.data.length).toBe(samples.length);
      const missing = new Set(decoded.missing.flatMap(({ box }) => outputsIn(box, shape)));
      const worst = samples.reduce<number>((most, sample, at) => {
        if ((sample === null) !== missing.has(Math.floor(at / channels))) return Infinity;
        return sample === null ? most : Math.max(most, Math.abs(decoded.data[at] - sample));
      }, 0);
      expect(worst).toBeLessThanOrEqual(tolerance);
    }
    const problems: Problem[] = [];
    for await (const problem of file.verify()) problems.push(problem);
    expect(problems).toEqual([]);
  });
});

/** Of these all checksums are right, and everything that verifying looks at: weights are for those who decode. */
const WEIGHTS_AT_FAULT =
  /^invalid-(code$|padding|not-finite|payload-|deflate-|global-weights|constant-output|latent-(end|zero|large|32768|shared-)|range-(rest|large))/;

describe('refused are', () => {
  test.each(invalid)('%s', async (name) => {
    const { bytes, expected } = load(name);
    const error = await (async () => {
      const file = await open(bytes, { engine: cpu });
      for (const signal of file.signals) await signal.decode();
      await file.container.readSections(file.container.index.sections);
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
    if (WEIGHTS_AT_FAULT.test(name)) expect(problems).toEqual([]);
    else expect(problems.map((problem) => problem.code)).toContain(expected.error?.code);
  });
});
