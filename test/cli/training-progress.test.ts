import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Progress } from '../../dist/codec/train.js';
import { logLine, progressLine } from '../../dist/src/cli/training-progress.js';

const BAR = '#'.repeat(22);
const state: Progress = {
  iteration: 500,
  iterations: 1984,
  fraction: 0.999,
  psnr: 38.2191,
  iterationsPerSecond: 210.4,
  seconds: 65,
  secondsLeft: 42,
};
const untold: Progress = { ...state, fraction: undefined, secondsLeft: Infinity };

test('a line of progress is of the PSNR asked for, and of nothing where none was', () => {
  expect(progressLine(state, 40, BAR)).toBe(`training ${BAR} 99 %  38.21 of 40 dB  0:42 left`);
  expect(progressLine(state, undefined, BAR)).toBe(`training ${BAR} 99 %  38.21 dB  210 it/s  0:42 left`);
  expect(logLine(state, 40)).toBe('lgi: iteration 500, 38.21 of 40 dB, 210 iterations/s, 0:42 left');
});

test('where nothing can be told of what is left it says how long it has taken, without a bar', () => {
  expect(progressLine(untold, 40, BAR)).toBe('training  38.21 of 40 dB  1:05 so far');
  expect(logLine(untold, 40)).toBe('lgi: iteration 500, 38.21 of 40 dB, 210 iterations/s, 1:05 so far');
});

test('a line of progress fits 80 columns, up to days', () => {
  fc.assert(
    fc.property(
      fc.record({
        fraction: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
        psnr: fc.double({ min: -20, max: 120, noNaN: true }),
        iterationsPerSecond: fc.double({ min: 0, max: 1e5, noNaN: true }),
        secondsLeft: fc.double({ min: 0, max: 900_000, noNaN: true }),
      }),
      fc.option(fc.constantFrom(40, 38.25, 110.125), { nil: undefined }),
      (changes, target) => {
        expect(progressLine({ ...state, ...changes }, target, BAR).length).toBeLessThan(80);
      },
    ),
  );
});
