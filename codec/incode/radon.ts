/**
 * The radon transform of pictures of one size, and its transpose, both by bilinear interpolation with nothing outside the picture.
 *
 * A picture is turned about its middle, by `angles` steps from 0 to 180 degrees, both included, as the CT experiments of INCODE have it.
 */
export class RadonTransform {
  readonly #height: number;
  readonly #width: number;
  readonly #directions: readonly (readonly [cos: number, sin: number])[];

  constructor([height, width]: readonly [number, number], angles: number) {
    this.#height = height;
    this.#width = width;
    this.#directions = Array.from({ length: angles }, (_, i) => {
      const angle = angles === 1 ? 0 : (Math.PI * i) / (angles - 1);
      return [Math.cos(angle), Math.sin(angle)];
    });
  }

  /** Numbers of a sinogram. */
  get length(): number {
    return this.#directions.length * this.#width;
  }

  /**
   * f32 [angles, width], the sinogram of a picture.
   *
   * @param picture f32 `[height, width]`, row-major.
   */
  forward(picture: ArrayLike<number>): Float32Array {
    const sinogram = new Float32Array(this.length);
    this.#visit((place, x0, y0, fx, fy) => {
      const at = y0 * this.#width + x0;
      let sum = 0;
      const isLeft = x0 >= 0;
      const isRight = x0 + 1 < this.#width;
      if (y0 >= 0) {
        if (isLeft) sum += (1 - fx) * (1 - fy) * picture[at];
        if (isRight) sum += fx * (1 - fy) * picture[at + 1];
      }
      if (y0 + 1 < this.#height) {
        if (isLeft) sum += (1 - fx) * fy * picture[at + this.#width];
        if (isRight) sum += fx * fy * picture[at + this.#width + 1];
      }
      sinogram[place] += sum;
    });
    return sinogram;
  }

  /** f32 `[height, width]`: for a gradient with respect to the sinogram, that with respect to the picture. */
  transpose(dSinogram: ArrayLike<number>): Float32Array {
    const picture = new Float32Array(this.#height * this.#width);
    this.#visit((place, x0, y0, fx, fy) => {
      const value = dSinogram[place];
      const at = y0 * this.#width + x0;
      const isLeft = x0 >= 0;
      const isRight = x0 + 1 < this.#width;
      if (y0 >= 0) {
        if (isLeft) picture[at] += (1 - fx) * (1 - fy) * value;
        if (isRight) picture[at + 1] += fx * (1 - fy) * value;
      }
      if (y0 + 1 < this.#height) {
        if (isLeft) picture[at + this.#width] += (1 - fx) * fy * value;
        if (isRight) picture[at + this.#width + 1] += fx * fy * value;
      }
    });
    return picture;
  }

  /** Goes through what is summed: a place in the sinogram, and the sample above and left of where the turned picture takes it from. */
  #visit(take: (place: number, x0: number, y0: number, fx: number, fy: number) => void): void {
    const [middleX, middleY] = [(this.#width - 1) / 2, (this.#height - 1) / 2];
    this.#directions.forEach(([cos, sin], angle) => {
      for (let row = 0; row < this.#height; row++) {
        for (let column = 0; column < this.#width; column++) {
          const x = cos * (column - middleX) - sin * (row - middleY) + middleX;
          const y = sin * (column - middleX) + cos * (row - middleY) + middleY;
          const [x0, y0] = [Math.floor(x), Math.floor(y)];
          if (x0 < -1 || y0 < -1 || x0 >= this.#width || y0 >= this.#height) continue;
          take(angle * this.#width + column, x0, y0, x - x0, y - y0);
        }
      }
    });
  }
}

/**
 * The mean squared distance between a picture's sinogram and one that was measured, as a loss of the picture's samples.
 *
 * @param measured f32 [angles, width].
 */
export function sinogramDistance(
  radon: RadonTransform,
  measured: Float32Array,
  picture: ArrayLike<number>,
): { readonly loss: number; readonly gradient: Float32Array } {
  const projected = radon.forward(picture);
  let sum = 0;
  const differences = projected.map((value, i) => {
    const difference = value - measured[i];
    sum += difference * difference;
    return (2 * difference) / projected.length;
  });
  return { loss: sum / projected.length, gradient: radon.transpose(differences) };
}
