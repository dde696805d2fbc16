import { Adam } from '../../engine/reference/adam.js';
import { latentTensors, placeGrids } from '../latent-architecture.js';
import {
  noiseNumber,
  noiseOf,
  type LatentReport,
  type LatentSession,
  type LatentSetup,
  type LatentState,
  type LatentStep,
} from '../session.js';
import { turn } from '../../engine/reference/turn.js';
import { partitionGradients } from './partition-gradients.js';

/** Soft rounding, and its derivative. */
function softened(x: number, temperature: number): [value: number, slope: number] {
  const floor = Math.floor(x);
  const tangent = Math.tanh(0.5 / temperature);
  const t = Math.tanh((x - floor - 0.5) / temperature);
  return [floor + 0.5 + t / (2 * tangent), (1 - t * t) / (2 * temperature * tangent)];
}

/** Rounds half to even, as the kernels do. */
function rounded(x: number): number {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/** Plain and slow training of the latent family: what the kernels are checked by. */
export class ReferenceLatentSession implements LatentSession {
  readonly #setup: LatentSetup;
  #weights!: Float64Array;
  #latents!: Float64Array[];
  #sharedAdam!: Adam;
  #latentAdams!: Adam[];

  constructor(setup: LatentSetup) {
    this.#setup = setup;
    this.#begin({ weights: setup.weights, latents: setup.partitions.map(({ latents }) => latents) });
  }

  #begin({ weights, latents }: LatentState): void {
    const { sharedAdam, latentAdam } = this.#setup;
    this.#weights = Float64Array.from(weights);
    this.#latents = latents.map((values) => Float64Array.from(values));
    this.#sharedAdam = new Adam({ kind: 'adam', ...sharedAdam }, weights.length);
    this.#latentAdams = latents.map(({ length }) => new Adam({ kind: 'adam', ...latentAdam }, length));
  }

  restore(state: LatentState): Promise<void> {
    this.#begin(state);
    return Promise.resolve();
  }

  async step({
    batch,
    rounding,
    bitFactor,
    latentRate,
    sharedRate,
    tapFactor,
  }: LatentStep): Promise<LatentReport> {
    await turn();
    const { architecture, partitions } = this.#setup;
    const factors = { error: 1 / architecture.outputs, bit: bitFactor };
    const shared = new Float64Array(this.#weights.length);
    const report = {
      squaredErrors: new Float64Array(batch.length),
      bits: new Float64Array(batch.length),
    };
    batch.forEach((partition, i) => {
      const { shape, target, opacity } = partitions[partition];
      const latents = this.#latents[partition];
      const slopes = new Float64Array(latents.length);
      const values = latents.map((latent, at) => {
        if (rounding === 'hard') return rounded(latent);
        const { temperature, noise, key } = rounding;
        const [once, first] = softened(latent, temperature);
        const [value, second] = softened(
          once + noise * noiseOf(noiseNumber(key, partition, at)),
          temperature,
        );
        slopes[at] = first * second;
        return value;
      });
      const {
        squaredError,
        bits,
        values: gradients,
      } = partitionGradients(
        architecture,
        placeGrids(architecture, shape),
        this.#weights,
        values,
        {
          shape,
          values: interleaved(target, architecture.outputs),
          ...(opacity && { weights: colourWeights(opacity, architecture.outputs) }),
        },
        factors,
        shared,
      );
      report.squaredErrors[i] = squaredError;
      report.bits[i] = bits;
      if (rounding === 'hard') return;
      const moved = gradients.map((gradient, at) => gradient * slopes[at]);
      this.#latentAdams[partition].step(latents, moved, () => latentRate);
    });
    if (sharedRate > 0) this.#moveShared(shared, sharedRate, tapFactor);
    return report;
  }

  #moveShared(gradients: Float64Array, rate: number, tapFactor: number): void {
    const tensors = latentTensors(this.#setup.architecture);
    const factors = new Float64Array(gradients.length).fill(1);
    for (const { name, offset, rows, columns } of tensors) {
      if (name === 'taps') factors.fill(tapFactor, offset, offset + rows * columns);
    }
    this.#sharedAdam.step(this.#weights, gradients, (at) => rate * factors[at]);
    for (const { name, offset, columns } of tensors) {
      if (name !== 'spread') continue;
      for (let i = offset; i < offset + columns; i++) this.#weights[i] = Math.max(0, this.#weights[i]);
    }
  }

  weights(): Promise<Float32Array> {
    return Promise.resolve(Float32Array.from(this.#weights));
  }

  latents(): Promise<Float32Array[]> {
    return Promise.resolve(this.#latents.map((latents) => Float32Array.from(latents)));
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}

/** From planes to channels last. */
function interleaved(planes: Float32Array, channels: number): Float64Array {
  const count = planes.length / channels;
  return Float64Array.from(
    { length: planes.length },
    (_, i) => planes[(i % channels) * count + Math.floor(i / channels)],
  );
}

function colourWeights(opacity: Float32Array, channels: number): Float64Array {
  return Float64Array.from({ length: opacity.length * channels }, (_, i) =>
    i % channels === channels - 1 ? 1 : opacity[Math.floor(i / channels)],
  );
}
