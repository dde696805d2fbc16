/** A rational number of samples per second. */
export interface Rate {
  readonly numerator: number;
  readonly denominator: number;
}
