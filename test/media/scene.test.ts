import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checker, disc, gradient, noise, render, text } from '../../dist/test/media/patterns.js';
import { scene } from '../../dist/test/media/scene.js';

describe('pictures made by code', () => {
  it('are the same every time and use their range', () => {
    for (const pattern of [gradient, checker(4), noise(3), text(5), disc]) {
      for (const sampleType of ['uint8', 'uint16', 'float32'] as const) {
        const options = { width: 40, height: 30, layout: 'rgb-alpha', sampleType } as const;
        const picture = render(pattern, options);
        expect(render(pattern, options).data).toEqual(picture.data);
        expect(new Set(picture.data).size).toBeGreaterThan(1);
        const peak = { uint8: 255, uint16: 65535, float32: 1 }[sampleType];
        expect(Math.max(...picture.data)).toBeGreaterThan(0.8 * peak);
        expect(Math.max(...picture.data)).toBeLessThanOrEqual(peak);
      }
    }
  });

  it('the scene is the same every time and has smooth and detailed parts', () => {
    const picture = scene(128, 128, 'grey');
    const digest = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
    expect(digest(scene(128, 128, 'grey').data as Uint8Array)).toBe(digest(picture.data as Uint8Array));
    // Mean step between neighbours in 16x16 blocks: nearly none in the sky, many levels in the reeds.
    const steps: number[] = [];
    for (let top = 0; top < 128; top += 16) {
      for (let left = 0; left < 128; left += 16) {
        let sum = 0;
        for (let y = top; y < top + 16; y++) {
          for (let x = left; x < left + 15; x++) {
            sum += Math.abs(picture.data[y * 128 + x + 1] - picture.data[y * 128 + x]);
          }
        }
        steps.push(sum / (16 * 15));
      }
    }
    expect(Math.min(...steps)).toBeLessThan(1);
    expect(Math.max(...steps)).toBeGreaterThan(15);
  });
});
