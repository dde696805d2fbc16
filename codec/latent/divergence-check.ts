import { LgiError } from '../errors.js';
import type { LatentSession, LatentState } from './session.js';

/** A cost above this many times the least so far is divergence: rate control changes it by a third at most from epoch to epoch. */
const COST_FACTOR = 3;

/** What rates are multiplied by when a good state was taken back. */
const RATE_FACTOR = 0.5;

/** How often that may happen. */
const ATTEMPTS = 4;

/** Good epochs from one kept state to the next: a copy of everything takes as long as a twentieth of an epoch. */
const KEPT_EVERY = 8;

/** Takes back latents and shared weights that got worse instead of better, and lowers the rates. */
export class LatentDivergenceCheck {
  #good: LatentState;
  #least = Infinity;
  #epochs = 0;
  #attempts = 0;
  #rateFactor = 1;

  private constructor(
    private readonly session: LatentSession,
    start: LatentState,
  ) {
    this.#good = start;
  }

  static async create(session: LatentSession): Promise<LatentDivergenceCheck> {
    return new LatentDivergenceCheck(session, await stateOf(session));
  }

  /** What all rates are multiplied by. */
  get rateFactor(): number {
    return this.#rateFactor;
  }

  /**
   * Takes in what an epoch cost.
   *
   * @throws LgiError `diverged` where good states were taken back as often as may be.
   */
  async epoch(cost: number): Promise<void> {
    if (cost <= COST_FACTOR * this.#least) {
      this.#least = Math.min(this.#least, cost);
      if (++this.#epochs % KEPT_EVERY === 0) this.#good = await stateOf(this.session);
      return;
    }
    if (this.#attempts++ === ATTEMPTS) {
      throw new LgiError(
        'diverged',
        `training by latents got worse ${ATTEMPTS + 1} times, with rates of ${this.#rateFactor} times the recipe's at last; encode by the sine family`,
      );
    }
    this.#rateFactor *= RATE_FACTOR;
    await this.session.restore(this.#good);
  }
}

async function stateOf(session: LatentSession): Promise<LatentState> {
  return { weights: await session.weights(), latents: await session.latents() };
}
