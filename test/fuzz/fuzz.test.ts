import { describe, expect, it } from 'vitest';
import { Choices } from '../../dist/test/fuzz/choices.js';
import { makeCorpus, readVectors } from '../../dist/test/fuzz/corpus.js';
import { mutatedFile } from '../../dist/test/fuzz/mutate.js';
import { fuzz } from '../../dist/test/fuzz/session.js';
import { VECTOR_TARGETS } from '../../dist/test/fuzz/vector-mutations.js';
import { TARGETS } from '../../dist/test/fuzz/targets.js';

describe('a mutated file', () => {
  it('ends in a result or a typed error, within memory that it justifies, whatever is done with it', async () => {
    const report = await fuzz({ seed: 1, cases: 2000 });
    expect(report.findings).toEqual([]);
    expect(report.cases).toBe(2000);
    // All that is done with files is done with some that can be read and with some that cannot.
    for (const { name } of TARGETS) expect(report.endings[`${name}: result`]).toBeGreaterThan(40);
    for (const code of ['not-lgi', 'truncated', 'damaged', 'unsupported', 'limit']) {
      expect(report.endings[`decode: ${code}`]).toBeGreaterThan(2);
    }
  }, 300_000);

  it('is a function of seed and case', async () => {
    const corpus = await makeCorpus();
    const of = (seed: number, caseNumber: number) => mutatedFile(corpus, new Choices(seed, caseNumber));
    for (let caseNumber = 0; caseNumber < 50; caseNumber++) {
      const file = await of(7, caseNumber);
      expect(await of(7, caseNumber)).toEqual(file);
      expect(await of(8, caseNumber)).not.toEqual(file);
    }
  });
});

describe('a conformance vector with another byte, whose checksums are right', () => {
  it('ends in a result or a typed error when it is opened, verified and decoded', async () => {
    const vectors = readVectors().length;
    const report = await fuzz({ seed: 1, mutations: 12, cases: 12 * vectors });
    expect(report.findings).toEqual([]);
    expect(report.cases).toBe(12 * vectors);
    for (const name of VECTOR_TARGETS) expect(report.endings[`${name}: result`]).toBeGreaterThan(vectors);
    for (const code of ['damaged', 'unsupported', 'limit', 'truncated'])
      expect(report.endings[`decode: ${code}`]).toBeGreaterThan(2);
  }, 300_000);
});

describe('the fuzzer', () => {
  it('notices errors without a type, memory, wrong results, and what does not end', async () => {
    const targetsUrl = new URL('../../dist/test/fuzz/faulty-targets.js', import.meta.url).href;
    const { findings, cases } = await fuzz({ seed: 1, cases: 12, targetsUrl, hangMs: 1000 });
    expect(cases).toBe(12);
    const reasons = findings.map(({ target, reason }) => `${target}: ${reason}`).join('\n');
    for (const expected of [
      /a programming error: no typed error: TypeError/,
      /an untyped range error: no typed error: RangeError/,
      /the machine's fault: code io for a file/,
      /a terminal taken over: a message with control characters/,
      /much memory: 2147483648 bytes asked for/,
      /a wrong result: two readers differ/,
      /any: no end within 1000 ms/,
    ]) {
      expect(reasons).toMatch(expected);
    }
  }, 300_000);
});
