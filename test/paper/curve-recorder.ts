import type { Progress } from '../../codec/train.js';
import type { Curve } from './experiment.js';

/** Points of a curve: more than a figure can show. */
const POINTS = 200;

/** Keeps the mean squared error of evenly spaced iterations. */
export class CurveRecorder {
  readonly #points: [number, number][] = [];
  readonly #peak: number;

  /** @param peak of the PSNR that progress tells, in the network's units. */
  constructor(peak: number) {
    this.#peak = peak;
  }

  add({ iteration, iterations, psnr }: Progress): void {
    const every = Math.max(1, Math.ceil(iterations / POINTS));
    if (iteration !== 1 && iteration % every !== 0 && iteration !== iterations) return;
    const mse = this.#peak ** 2 / 10 ** (psnr / 10);
    // Four digits are more than a figure shows.
    this.#points.push([iteration, Number(mse.toPrecision(4))]);
  }

  get curve(): Curve {
    return this.#points;
  }
}
