/** What partitions together are to come to: bits per sample, or a mean squared error in units of outputs. */
export type LatentTarget = { readonly bits: number } | { readonly squaredError: number };

/** What a bit counts for beside a squared error in units of the amplitude, so that the amplitude alone says how fine a picture is. */
export const BIT_FACTOR = 0.08;

/** How far the factor may leave that, either way: further, the amplitude was a wrong one. */
const MOST_CHANGE = 8;

/** Octaves of the factor for an octave of bits, or of squared error, that is missed for the whole run: it is made good in a tenth. */
const GAIN = 10;

/**
 * Part of the run in which the factor changes: before, bits fall so fast that nothing can be told; behind it, latents settle on what it
 * is. (Begun at a tenth, files were 7 % larger at the same PSNR: latents that a factor too large had made zero stayed so.)
 */
const CONTROLLED = [0.3, 0.85] as const;

/** Squared error after a run, for that of latents softly rounded. */
const ERROR_AFTER = 1.035;

/** Bits at a point of the run for those at its end: kodim20 at 0.5 bpp had 1.14, 1.10, 1.06 and 1.03 times as many after 3, 4, 5 and 6 eighths. */
function bitsBefore(fraction: number): number {
  return 1 + 0.25 * Math.max(0, 1 - fraction / 0.875) ** 1.2;
}

/** Finds, while latents are trained, what a bit has to count for so that they come to a target. */
export class RateControl {
  #factor: number;
  #fraction = 0;

  /**
   * @param target undefined where the factor stays as it is.
   * @param amplitude by which squared errors are told.
   */
  constructor(
    private readonly target: LatentTarget | undefined,
    private readonly amplitude: number,
    factor = BIT_FACTOR,
  ) {
    this.#factor = factor;
  }

  get factor(): number {
    return this.#factor;
  }

  /**
   * Takes in what an epoch came to.
   *
   * @param fraction of the run.
   * @param bits per sample.
   * @param squaredError per sample and channel, in units of the amplitude.
   */
  epoch(fraction: number, bits: number, squaredError: number): void {
    const passed = fraction - this.#fraction;
    this.#fraction = fraction;
    if (this.target === undefined || fraction < CONTROLLED[0] || fraction > CONTROLLED[1]) return;
    const missed =
      'bits' in this.target
        ? Math.log2(bits / bitsBefore(fraction) / this.target.bits)
        : Math.log2(this.target.squaredError / (squaredError * ERROR_AFTER * this.amplitude ** 2));
    const next = this.#factor * 2 ** (GAIN * passed * missed);
    this.#factor = Math.max(BIT_FACTOR / MOST_CHANGE, Math.min(BIT_FACTOR * MOST_CHANGE, next));
  }
}
