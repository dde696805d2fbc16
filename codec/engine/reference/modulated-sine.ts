import type { SineActivation } from '../../architecture.js';

/** `act(z) = exp(a) sin(exp(b) w z + c) + d`, element by element, with the gradients of all that is in it. */
export class ModulatedSine {
  private readonly amplitude: number;
  private readonly frequency: number;
  private readonly phase: number;
  private readonly shift: number;

  /** @param omega w of the level: the first level's or the hidden levels'. */
  constructor({ a, b, c, d }: SineActivation, omega: number) {
    this.amplitude = Math.exp(a);
    this.frequency = Math.exp(b) * omega;
    this.phase = c;
    this.shift = d;
  }

  forward(z: Float64Array): Float64Array {
    return z.map((value) => this.amplitude * Math.sin(this.frequency * value + this.phase) + this.shift);
  }

  /**
   * The gradient with respect to z; adds those of (a, b, c, d).
   *
   * @param gradients f64 [4], in the order a, b, c, d.
   */
  backward(z: Float64Array, dResult: Float64Array, gradients: Float64Array): Float64Array {
    return z.map((value, i) => {
      const argument = this.frequency * value + this.phase;
      const sine = this.amplitude * Math.sin(argument);
      const cosine = this.amplitude * Math.cos(argument);
      gradients[0] += dResult[i] * sine;
      gradients[1] += dResult[i] * cosine * this.frequency * value;
      gradients[2] += dResult[i] * cosine;
      gradients[3] += dResult[i];
      return dResult[i] * cosine * this.frequency;
    });
  }
}
