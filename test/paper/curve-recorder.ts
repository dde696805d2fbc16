import type { Curve } from './experiment.js';

/** Points of a curve: more than a figure can show. */
const POINTS = 200;

/** Keeps the loss of evenly spaced iterations. */
export class CurveRecorder {
  #points: [iteration: number, loss: number][] = [];

  /** @param iterations planned. */
  add(iteration: number, iterations: number, loss: number): void {
    const every = Math.max(1, Math.ceil(iterations / POINTS));
    if (iteration !== 1 && iteration % every !== 0 && iteration !== iterations) return;
    // Four digits are more than a figure shows.
    this.#points.push([iteration, Number(loss.toPrecision(4))]);
  }

  get curve(): Curve {
    return this.#points;
  }

  /** Goes on behind what was recorded before an interruption. */
  restore(before: Curve): void {
    this.#points = before.map(([iteration, loss]) => [iteration, loss]);
  }
}
