import { boxShape, boxSize, type Box } from '../codec/grid.js';
import type { SampleArray, SampleFormat } from '../codec/signal.js';
import { similaritySum, similarityWindow } from '../codec/structural-similarity.js';

/**
 * Positions up to which SSIM is of all of them. It costs a microsecond each, twenty times what decoding does, so that of more
 * it is taken over strips of a picture, or some of the slices and frames, with about so many.
 */
const SIMILARITY_POSITIONS = 1 << 22;

/** SSIM over a picture, or over slices and frames, that is taken part by part. */
export class MeanSimilarity {
  readonly #extent: Box;
  readonly #format: SampleFormat;
  readonly #window: number;
  /** Part of the rows of a picture that is looked at. */
  readonly #rowShare: number;
  /** Of slices and frames every so many-th is looked at. */
  readonly #step: number;
  #sum = 0;
  #count = 0;

  constructor(extent: Box, format: SampleFormat) {
    const shape = boxShape(extent);
    const share = Math.min(1, SIMILARITY_POSITIONS / boxSize(extent));
    this.#extent = extent;
    this.#format = format;
    this.#window = similarityWindow([shape[shape.length - 2], shape[shape.length - 1]]);
    this.#step = shape.length > 2 ? Math.min(shape[0], Math.ceil(1 / share)) : 1;
    this.#rowShare = Math.min(1, share * this.#step);
  }

  get mean(): number {
    return this.#sum / this.#count;
  }

  /** A core with what its last windows end in. */
  boxFor(core: Box): Box {
    const inPlane = core.begin.length - 2;
    const end = core.end.map((at, axis) =>
      axis < inPlane ? at : Math.min(this.#extent.end[axis], at + this.#window - 1),
    );
    return { begin: core.begin, end };
  }

  /** Takes in the samples of a box that {@link boxFor} gave. */
  add(original: SampleArray, decoded: SampleArray, box: Box): void {
    const shape = boxShape(box);
    const plane: [number, number] = [shape[shape.length - 2], shape[shape.length - 1]];
    if (plane.some((length) => length < this.#window)) return;
    const rows = Math.ceil((plane[0] - this.#window + 1) * this.#rowShare);
    const values = plane[0] * plane[1] * this.#format.channels;
    const slices = shape.length > 2 ? shape[0] : 1;
    for (let slice = 0; slice < slices; slice++) {
      // From the middle of each step, so that a few stand for the whole.
      const place = box.begin[0] - this.#extent.begin[0] + slice;
      if (shape.length > 2 && place % this.#step !== this.#step >> 1) continue;
      const [begin, end] = [slice * values, (slice + 1) * values];
      const part = similaritySum(
        original.subarray(begin, end),
        decoded.subarray(begin, end),
        plane,
        this.#format,
        this.#window,
        rows,
      );
      this.#sum += part.sum;
      this.#count += part.count;
    }
  }
}
