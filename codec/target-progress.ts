import type { PsnrTarget } from './psnr-target.js';

/** What is shown before the end at most: a forecast may say that all is done when it is not. */
const MOST_BEFORE_END = 0.99;

/** How far a run has come on its way to a PSNR. */
export interface WayToTarget {
  /** 0 to 1, never less than it was; undefined where nothing can be told yet. */
  readonly fraction: number | undefined;
  /** Infinity where nothing can be told yet. */
  readonly secondsLeft: number;
}

/** Tells by a target's forecast, instead of by the recipe's plan, how far a run has come. */
export class TargetProgress {
  readonly #target: PsnrTarget;
  #localStartSeconds = 0;
  #fraction = 0;

  constructor(target: PsnrTarget) {
    this.#target = target;
  }

  /**
   * Where a run stands.
   *
   * @param seconds since its start.
   * @param epochPart part of the present local epoch that is done; undefined in joint phases.
   * @param mostEpochs epochs of the local phase after which the plan ends, Infinity for none.
   * @param mostSeconds that the run may still take, Infinity for any.
   */
  at(seconds: number, epochPart: number | undefined, mostEpochs: number, mostSeconds: number): WayToTarget {
    const { forecast } = this.#target;
    if (epochPart === undefined) this.#localStartSeconds = seconds;
    if (epochPart === undefined || forecast === undefined) {
      return { fraction: undefined, secondsLeft: Infinity };
    }
    const done = this.#target.localEpochs + epochPart;
    const epochSeconds = (seconds - this.#localStartSeconds) / done;
    const left = Math.max(0, Math.min(forecast, mostEpochs) - done) * epochSeconds;
    const secondsLeft = Math.min(left, Math.max(0, mostSeconds));
    const fraction = Math.min(MOST_BEFORE_END, seconds / (seconds + secondsLeft));
    this.#fraction = Math.max(this.#fraction, fraction);
    return { fraction: this.#fraction, secondsLeft };
  }
}
