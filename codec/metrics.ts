import { alphaChannel, peakOf, type SampleArray, type SampleFormat } from './signal.js';

/** How far samples are from a reference. */
export interface SampleErrors {
  /** Mean squared error in sample units; colour values count with their sample's alpha / peak, alpha with 1. */
  readonly mse: number;
  /** `10 log10(peak^2 / mse)` in dB; Infinity for no error at all. */
  readonly psnr: number;
  /** Largest absolute difference in sample units, over values of weight above 0. */
  readonly maxError: number;
}

/** PSNR in dB of a mean squared error; Infinity for 0. */
export function psnrOf(mse: number, peak: number): number {
  return 10 * Math.log10(peak ** 2 / mse);
}

/**
 * Compares samples with a reference, whose alpha gives the weights.
 *
 * What cannot be seen does not count: colour under alpha 0 is free. NaN samples make mse and psnr NaN.
 *
 * @param reference `[positions, channels]`, any number of positions, of the format's type.
 * @param samples the same length.
 * @param peak default by sample type: 255, 65535, 1; float volumes pass max - min.
 * @throws RangeError when the lengths differ or there are no samples.
 */
export function compareSamples(
  reference: SampleArray,
  samples: SampleArray,
  format: Pick<SampleFormat, 'sampleType' | 'layout' | 'channels'>,
  peak: number = peakOf(format.sampleType),
): SampleErrors {
  if (reference.length !== samples.length || reference.length === 0) {
    throw new RangeError(
      `${samples.length} samples cannot be compared with ${reference.length}; give as many, and some`,
    );
  }
  const sums = new ErrorSums(format);
  sums.add(reference, samples);
  return sums.errors(peak);
}

/** The sums behind {@link compareSamples}, for pictures that are compared in parts. */
export class ErrorSums {
  readonly #format: Pick<SampleFormat, 'sampleType' | 'layout' | 'channels'>;
  #sum = 0;
  #count = 0;
  #maxError = 0;

  constructor(format: Pick<SampleFormat, 'sampleType' | 'layout' | 'channels'>) {
    this.#format = format;
  }

  /** Adds a part, `[positions, channels]` of both. */
  add(reference: SampleArray, samples: SampleArray): void {
    const { channels, sampleType } = this.#format;
    const alpha = alphaChannel(this.#format);
    const opaque = peakOf(sampleType);
    let [sum, count, maxError] = [this.#sum, this.#count, this.#maxError];
    for (let at = 0; at < reference.length; at += channels) {
      const colourWeight = alpha < 0 ? 1 : reference[at + alpha] / opaque;
      for (let channel = 0; channel < channels; channel++) {
        const weight = channel === alpha ? 1 : colourWeight;
        const error = Math.abs(samples[at + channel] - reference[at + channel]);
        sum += weight * error * error;
        count += weight;
        if (weight > 0 && error > maxError) maxError = error;
      }
    }
    [this.#sum, this.#count, this.#maxError] = [sum, count, maxError];
  }

  /** @param peak default by sample type. */
  errors(peak: number = peakOf(this.#format.sampleType)): SampleErrors {
    const mse = this.#sum / this.#count;
    return { mse, psnr: psnrOf(mse, peak), maxError: this.#maxError };
  }
}

/** Intersection over union of two shapes, taken part by part: how much of what is inside either is inside both. */
export class Overlap {
  readonly #inside: number;
  #both = 0;
  #either = 0;

  /** @param format whose output 0 is the surface: samples above are inside. */
  constructor({ mapping }: Pick<SampleFormat, 'mapping'>) {
    this.#inside = mapping.offset;
  }

  /** Adds a part, one channel of both. */
  add(reference: SampleArray, samples: SampleArray): void {
    for (let i = 0; i < reference.length; i++) {
      const [a, b] = [reference[i] > this.#inside, samples[i] > this.#inside];
      if (a && b) this.#both++;
      if (a || b) this.#either++;
    }
  }

  /** 1 where the shapes are the same, also where both are empty. */
  get ratio(): number {
    return this.#either === 0 ? 1 : this.#both / this.#either;
  }
}
