import type { AdamOptimiser } from '../../optimiser.js';
import { checkedPartOf, COUNT, partOf, type SavedState } from '../../saved-state.js';

/** Adam of Kingma & Ba (2015), algorithm 1, on one flat array. */
export class Adam {
  private readonly mean: Float64Array;
  private readonly square: Float64Array;
  private steps = 0;

  constructor(
    private readonly optimiser: AdamOptimiser,
    length: number,
  ) {
    this.mean = new Float64Array(length);
    this.square = new Float64Array(length);
  }

  /** Moments and their age, by names that begin so. */
  saveState(name: string): SavedState {
    return {
      [`${name}.mean`]: this.mean.slice(),
      [`${name}.square`]: this.square.slice(),
      [`${name}.steps`]: Float64Array.of(this.steps),
    };
  }

  /** @throws LgiError `damaged`, section `checkpoint`, for a state of another length. */
  loadState(state: SavedState, name: string): void {
    this.mean.set(partOf(state, `${name}.mean`, this.mean));
    this.square.set(partOf(state, `${name}.square`, this.square));
    [this.steps] = checkedPartOf(state, `${name}.steps`, new Float64Array(1), [COUNT]);
  }

  /** Moves `weights` one step against `gradients`, each by the rate of its place. */
  step(weights: Float64Array, gradients: Float64Array, rateOf: (index: number) => number): void {
    const { beta1, beta2, epsilon } = this.optimiser;
    this.steps++;
    const meanCorrection = 1 - beta1 ** this.steps;
    const squareCorrection = 1 - beta2 ** this.steps;
    for (let i = 0; i < weights.length; i++) {
      this.mean[i] = beta1 * this.mean[i] + (1 - beta1) * gradients[i];
      this.square[i] = beta2 * this.square[i] + (1 - beta2) * gradients[i] ** 2;
      weights[i] -=
        (rateOf(i) * (this.mean[i] / meanCorrection)) /
        (Math.sqrt(this.square[i] / squareCorrection) + epsilon);
    }
  }
}
