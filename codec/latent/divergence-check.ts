import { LgiError } from '../errors.js';
import type { LatentSession, LatentState } from './session.js';

/**
 * A state is kept where its cost is no more than this many times the least so far. (Divergence it is none: where latents begin to move
 * fast from what the picture says, cost is ten times as much for an epoch, and falls again.)
 */
const KEPT_FACTOR = 3;

/** What rates are multiplied by when a good state was taken back. */
const RATE_FACTOR = 0.5;

/** How often that may happen. */
const ATTEMPTS = 4;

/** Epochs from one kept state to the next, at least: a copy of everything takes as long as a twentieth of an epoch. */
const KEPT_EVERY = 8;

/**
 * An epoch may cost this many times the first one, which saw what training began with. Of noise in a few pixels that is more than the
 * picture's own energy: bits that a large picture's networks learn to save have nowhere to be learned from.
 */
const FIRST_FACTOR = 2;

/** Takes back latents and shared weights that got worse than nothing, and lowers the rates. */
export class LatentDivergenceCheck {
  #good: LatentState;
  #least = Infinity;
  #epochsSince = 0;
  #attempts = 0;
  #rateFactor = 1;
  #isFirst = true;

  #worst: number;

  private constructor(
    private readonly session: LatentSession,
    worst: number,
    start: LatentState,
  ) {
    this.#worst = worst;
    this.#good = start;
  }

  /** @param worst a cost that is divergence when an epoch has more, unless training began with as much. */
  static async create(session: LatentSession, worst: number): Promise<LatentDivergenceCheck> {
    return new LatentDivergenceCheck(session, worst, await stateOf(session));
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
    if (this.#isFirst && Number.isFinite(cost)) this.#worst = Math.max(this.#worst, FIRST_FACTOR * cost);
    this.#isFirst = false;
    if (cost <= this.#worst) {
      this.#least = Math.min(this.#least, cost);
      if (++this.#epochsSince < KEPT_EVERY || cost > KEPT_FACTOR * this.#least) return;
      this.#epochsSince = 0;
      this.#good = await stateOf(this.session);
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
