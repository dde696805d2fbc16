import { expect, it } from 'vitest';
import type { SampleArray } from '../../dist/codec/signal.js';
import { FrameWindow } from '../../dist/src/media/frame-window.js';

it('frames are decoded in order once, and anew for those that are no longer kept', async () => {
  let started = 0;
  async function* decode(): AsyncGenerator<Uint8Array> {
    started++;
    for (let t = 0; t < 100; t++) yield Promise.resolve(Uint8Array.of(t));
  }
  const window = new FrameWindow(decode, 1, 1);
  const seen: number[] = [];
  const see = (frame: SampleArray): void => void seen.push(frame[0]);
  await Promise.all([window.visit(0, 3, see), window.visit(40, 42, see), window.visit(20, 21, see)]);
  expect([seen, started]).toEqual([[0, 1, 2, 40, 41, 20], 1]);
  await window.visit(1, 2, see);
  expect([seen[6], started]).toEqual([1, 2]);
  await window.close();
});

it('a clip that fails or ends early can be asked again', async () => {
  let attempt = 0;
  async function* decode(): AsyncGenerator<Uint8Array> {
    attempt++;
    yield Promise.resolve(Uint8Array.of(7));
    if (attempt === 1) throw new Error('the disk is gone');
    if (attempt === 3) yield Promise.resolve(Uint8Array.of(8));
  }
  const window = new FrameWindow(decode, 1);
  const levels: number[] = [];
  const take = (frame: SampleArray): void => void levels.push(frame[0]);
  await expect(window.visit(1, 2, take)).rejects.toThrow('the disk is gone');
  await expect(window.visit(1, 2, take)).rejects.toMatchObject({ code: 'io' });
  await window.visit(0, 2, take);
  expect(levels).toEqual([7, 8]);
  await window.close();
});
