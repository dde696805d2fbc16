import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { psnrOfError } from '../../dist/codec/objective.js';
import { PartitionErrors } from '../../dist/codec/partition-errors.js';
import { PsnrTarget } from '../../dist/codec/psnr-target.js';
import type { SampleFormat } from '../../dist/codec/signal.js';

const format: SampleFormat = {
  sampleType: 'uint8',
  layout: 'grey',
  channels: 1,
  mapping: { scale: 127.5, offset: 127.5 },
};

const scale = { format, peak: 255 };

/** The mean squared error that a PSNR in dB stands for. */
function errorOf(psnr: number): number {
  return 10 ** ((psnrOfError(1, scale) - psnr) / 10);
}

/** A target, and a way to take in epochs of partitions of 64 samples that have these PSNRs. */
function approaching(psnr: number, partitions: number) {
  const errors = new PartitionErrors(partitions);
  const target = new PsnrTarget(psnr, scale, errors);
  const epoch = (kind: 'joint' | 'local', psnrs: readonly number[]): void => {
    errors.add({
      squaredErrors: Float64Array.from(psnrs, (each) => errorOf(each) * 64),
      counts: new Float64Array(partitions).fill(64),
    });
    errors.endEpoch();
    if (kind === 'joint') target.endJointEpoch();
    else target.endLocalEpoch();
  };
  return { target, epoch };
}

describe('a PSNR to stop at', () => {
  test('leaves the rates alone before anything is known, and nearly so while it is far away', () => {
    const { target, epoch } = approaching(35, 2);
    expect(target.rateFactor).toBe(1);
    epoch('joint', [20, 20]);
    expect(target.rateFactor).toBe(1);
    epoch('local', [22, 22]);
    expect(target.rateFactor).toBeGreaterThan(0.9);
    expect(target.seemsReached).toBe(false);
  });

  test('lowers the rates as it comes nearer, never to nothing', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 8, noNaN: true }),
        fc.double({ min: 0, max: 8, noNaN: true }),
        (a, b) => {
          const factorAt = (missing: number): number => {
            const { target, epoch } = approaching(35, 3);
            epoch('local', [35 - missing, 35 - missing, 35 - missing]);
            return target.rateFactor;
          };
          const [near, far] = [factorAt(Math.min(a, b)), factorAt(Math.max(a, b))];
          expect(near).toBeLessThanOrEqual(far);
          expect(near).toBeGreaterThan(0);
          expect(far).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test('counts what the last local epoch gained once more, as errors are those before its steps', () => {
    const { target, epoch } = approaching(35, 1);
    epoch('local', [32]);
    epoch('local', [33.4]);
    expect(target.seemsReached).toBe(false);
    epoch('local', [34.3]);
    expect(target.seemsReached).toBe(true);
  });

  test('takes joint epochs at their word', () => {
    const { target, epoch } = approaching(35, 1);
    epoch('joint', [30]);
    epoch('joint', [34.9]);
    expect(target.seemsReached).toBe(false);
    epoch('joint', [35]);
    expect(target.seemsReached).toBe(true);
  });

  test('is not lowered by a bad epoch', () => {
    const { target, epoch } = approaching(35, 1);
    epoch('local', [36]);
    epoch('local', [35.1]);
    expect(target.seemsReached).toBe(true);
  });

  test('believes a measurement more than its estimates', () => {
    const { target, epoch } = approaching(35, 1);
    epoch('local', [34]);
    epoch('local', [35]);
    expect(target.judge(errorOf(34.5))).toBe(false);
    expect(target.seemsReached).toBe(false);
    // An estimate of 36 was 1.5 dB too high.
    epoch('local', [35.2]);
    expect(target.seemsReached).toBe(false);
    epoch('local', [36.3]);
    expect(target.seemsReached).toBe(true);
    expect(target.judge(errorOf(35.1))).toBe(true);
  });

  test('foretells the epochs it takes, from the second of partitions on their own, and lets rates fall to fit', () => {
    const { target, epoch } = approaching(35, 1);
    epoch('joint', [20]);
    epoch('local', [25]);
    expect(target.forecast).toBeUndefined();
    let rate = 1;
    // As in a run that gains by doublings of epochs, at the pace that is foretold.
    for (let epochs = 2; epochs <= 30; epochs++) {
      epoch('local', [26 + 6 * Math.log2((epochs + 12) / 14)]);
      const forecast = target.forecast as number;
      expect(forecast).toBeGreaterThanOrEqual(target.localEpochs);
      expect(target.rateFactor).toBeCloseTo(Math.max(0.1, 1 - epochs / forecast), 10);
      if (epochs > 2) expect(target.rateFactor).toBeLessThanOrEqual(rate);
      if (epochs > 4) expect(Math.abs(forecast - 27)).toBeLessThan(2.5);
      rate = target.rateFactor;
      if (target.seemsReached) break;
    }
    expect(target.seemsReached).toBe(true);
  });
});
