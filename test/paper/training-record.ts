import type { Curve } from './experiment.js';

/** Points of a curve: more than a figure can show. */
const POINTS = 200;

/** What is written down of a training. */
export interface TrainingNotes {
  readonly curve: Curve;
  /** The highest mark, where any was given. */
  readonly best?: number;
}

/** Keeps the loss of evenly spaced iterations, and the best of the marks that a training is given on its way. */
export class TrainingRecord {
  #points: [iteration: number, loss: number][] = [];
  #best: number | undefined;

  /** @param iterations planned. */
  add(iteration: number, iterations: number, loss: number): void {
    const every = Math.max(1, Math.ceil(iterations / POINTS));
    if (iteration !== 1 && iteration % every !== 0 && iteration !== iterations) return;
    // Four digits are more than a figure shows.
    this.#points.push([iteration, Number(loss.toPrecision(4))]);
  }

  /** @param mark the higher the better. */
  mark(mark: number): void {
    this.#best = Math.max(mark, this.#best ?? -Infinity);
  }

  get notes(): TrainingNotes {
    return { curve: this.#points, ...(this.#best !== undefined && { best: this.#best }) };
  }

  /** Goes on behind what was written down before an interruption. */
  restore({ curve, best }: TrainingNotes): void {
    this.#points = curve.map(([iteration, loss]) => [iteration, loss]);
    this.#best = best;
  }
}
