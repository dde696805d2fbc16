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
    const stride = this.#width + 2;
    const framed = new Float32Array((this.#height + 2) * stride);
    for (let i = 0; i < this.#width * this.#height; i++) framed[this.#framed(i)] = picture[i];
    const sinogram = new Float32Array(this.length);
    this.#turn(({ corners, right, below, length }, place) => {
      for (let i = 0; i < length; i++) {
        const at = corners[i];
        const fx = right[i];
        const fy = below[i];
        let sum = (1 - fx) * (1 - fy) * framed[at];
        sum += fx * (1 - fy) * framed[at + 1];
        sum += (1 - fx) * fy * framed[at + stride];
        sum += fx * fy * framed[at + stride + 1];
        sinogram[place + i] += sum;
      }
    });
    return sinogram;
  }

  /** f32 `[height, width]`: for a gradient with respect to the sinogram, that with respect to the picture. */
  transpose(dSinogram: ArrayLike<number>): Float32Array {
    const stride = this.#width + 2;
    const framed = new Float32Array((this.#height + 2) * stride);
    this.#turn(({ corners, right, below, length }, place) => {
      for (let i = 0; i < length; i++) {
        const at = corners[i];
        const fx = right[i];
        const fy = below[i];
        const value = dSinogram[place + i];
        framed[at] += (1 - fx) * (1 - fy) * value;
        framed[at + 1] += fx * (1 - fy) * value;
        framed[at + stride] += (1 - fx) * fy * value;
        framed[at + stride + 1] += fx * fy * value;
      }
    });
    return Float32Array.from({ length: this.#height * this.#width }, (_, i) => framed[this.#framed(i)]);
  }

  /** Where a sample lies in the picture with a frame of one sample around it, which saves asking whether a neighbour is outside. */
  #framed(sample: number): number {
    const row = Math.floor(sample / this.#width);
    return (row + 1) * (this.#width + 2) + (sample - row * this.#width) + 1;
  }

  /** Goes through the rows of the turned picture, with the place in the sinogram to which the first sample of each adds. */
  #turn(take: (row: TurnedRow, place: number) => void): void {
    const [height, width] = [this.#height, this.#width];
    const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
    // Arrays of their own in the loop, which goes over millions of samples: fields would be looked up for each.
    const corners = new Int32Array(width);
    const right = new Float64Array(width);
    const below = new Float64Array(width);
    this.#directions.forEach(([cos, sin], angle) => {
      for (let row = 0; row < height; row++) {
        let length = 0;
        let first = 0;
        for (let column = 0; column < width; column++) {
          const x = cos * (column - middleX) - sin * (row - middleY) + middleX;
          const y = sin * (column - middleX) + cos * (row - middleY) + middleY;
          const x0 = Math.floor(x);
          const y0 = Math.floor(y);
          // Columns that are inside follow one another, since a line meets a rectangle once.
          if (x0 < -1 || y0 < -1 || x0 >= width || y0 >= height) continue;
          if (length === 0) first = column;
          corners[length] = (y0 + 1) * (width + 2) + x0 + 1;
          right[length] = x - x0;
          below[length] = y - y0;
          length++;
        }
        take({ corners, right, below, length }, angle * width + first);
      }
    });
  }
}

/** Where the samples of a row of the turned picture are taken from, of those that lie in the picture or its frame. */
interface TurnedRow {
  /** Samples above and left, in the framed picture. */
  readonly corners: Int32Array;
  /** How far right of these, in samples. */
  readonly right: Float64Array;
  /** How far below. */
  readonly below: Float64Array;
  readonly length: number;
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
