import { sha256 } from '@noble/hashes/sha2.js';
import type { Engine } from '../codec/engine/engine.js';
import { boxSize } from '../codec/grid.js';
import {
  encodePartitions,
  type EncodedPartitions,
  type TargetPartition,
} from '../codec/latent/encode-partitions.js';
import type { LatentArchitecture } from '../codec/latent/latent-architecture.js';
import type { StoredWeights } from '../codec/latent/shared-weights.js';
import { LATENT_RECIPE, type LatentProgress } from '../codec/latent/train-latents.js';
import type { SampleArray } from '../codec/signal.js';
import type { EncodeOptions } from './encode-options.js';
import { chooseAmplitude, DEFAULT_AMPLITUDE, type Pilot, type PilotPlan } from './latent-amplitude.js';
import { latentSteps, MOST_PILOT, pilotSteps } from './latent-effort.js';
import { latentGroups } from './latent-groups.js';
import { LatentProgressReport } from './latent-progress.js';
import type { LatentSettings } from './latent-settings.js';
import { latentTarget, partitionShape } from './latent-targets.js';
import type { Media } from './media/media.js';
import { pictureArchitecture } from './picture-architecture.js';

/** A picture's latents, and what they share, as they go into a file. */
export interface TrainedPicture {
  readonly architecture: LatentArchitecture;
  readonly stored: StoredWeights;
  /** By the ordinal of their partition. */
  readonly payloads: readonly Uint8Array[];
  /** Of the samples and of what decided on the latents. */
  readonly digest: Uint8Array;
  readonly iterations: number;
  readonly seconds: number;
}

/**
 * Trains a picture's latents: of pictures that are too large for one run, those of some partitions with the shared weights, then
 * the others' by these.
 *
 * @throws LgiError `limit` where a run does not fit in the engine's memory; the signal's reason on abort.
 */
export function trainPicture(
  media: Media,
  settings: LatentSettings,
  engine: Engine,
  options: Pick<EncodeOptions, 'onProgress' | 'signal'>,
): Promise<TrainedPicture> {
  return new PictureTraining(media, settings, engine, options).run();
}

class PictureTraining {
  readonly #groups: readonly (readonly number[])[];
  readonly #report: LatentProgressReport;

  constructor(
    private readonly media: Media,
    private readonly settings: LatentSettings,
    private readonly engine: Engine,
    private readonly options: Pick<EncodeOptions, 'onProgress' | 'signal'>,
  ) {
    this.#groups = latentGroups(settings.grid);
    this.#report = new LatentProgressReport(media, options.onProgress);
  }

  async run(): Promise<TrainedPicture> {
    const { media, engine, settings } = this;
    const { grid, budget, seed, effort, target } = settings;
    const report = this.#report;
    const begin = await this.#begin();
    const pilotSeconds = report.seconds;
    const hash = sha256.create();
    const payloads = new Array<Uint8Array>(grid.count);
    let architecture = pictureArchitecture(media.format, begin.amplitude);
    let trained: EncodedPartitions | undefined;
    for (const ordinals of this.#groups) {
      const share = ordinals.length / grid.count;
      report.begin(share);
      const { amplitude } = architecture;
      const targets = await this.#targets(ordinals, amplitude, (samples) =>
        hash.update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)),
      );
      trained = await encodePartitions(engine, architecture, targets, {
        recipe: LATENT_RECIPE,
        steps: this.#steps(ordinals),
        seed,
        ...(budget.seconds !== undefined && {
          // Without what pilots took, but for a third at least.
          seconds: Math.max(budget.seconds / 3, budget.seconds - pilotSeconds) * share,
        }),
        ...(trained
          ? { shared: trained.stored }
          : { ...(target && { target }), ...(begin.initial && { initial: begin.initial }) }),
        onProgress: (progress) => report.step(progress, amplitude),
        ...this.#signal,
      });
      architecture = { ...architecture, amplitude: trained.amplitude };
      for (const [i, ordinal] of ordinals.entries()) payloads[ordinal] = trained.payloads[i];
    }
    if (trained === undefined) throw new Error('a grid has at least one partition');
    const decisions = new TextEncoder().encode(JSON.stringify([architecture, seed, effort]));
    return {
      architecture,
      stored: trained.stored,
      payloads,
      digest: hash.update(decisions).digest(),
      iterations: report.iterations,
      seconds: report.seconds,
    };
  }

  get #signal(): { readonly signal?: AbortSignal } {
    const { signal } = this.options;
    return signal === undefined ? {} : { signal };
  }

  /** The amplitude that comes to the target, and shared weights to begin with. */
  async #begin(): Promise<{ readonly amplitude: number; readonly initial?: StoredWeights }> {
    const { target } = this.settings;
    if (target === undefined) return { amplitude: DEFAULT_AMPLITUDE };
    const { amplitude, encoded } = await chooseAmplitude(target, (...pilot) => this.#pilot(...pilot));
    return { amplitude, initial: encoded.stored };
  }

  /** A short run, by which the amplitude is found. */
  async #pilot(amplitude: number, plan: PilotPlan, before?: EncodedPartitions): Promise<Pilot> {
    const { media, settings, engine } = this;
    const [ordinals] = this.#groups;
    const { budget, seed } = settings;
    let last: LatentProgress | undefined;
    const encoded = await encodePartitions(
      engine,
      pictureArchitecture(media.format, amplitude),
      await this.#targets(ordinals, amplitude),
      {
        recipe: { ...LATENT_RECIPE, latentRate: plan.latentRateFactor * LATENT_RECIPE.latentRate },
        steps: pilotSteps(plan, this.#steps(ordinals), this.#sizes(ordinals)),
        seed,
        ...(budget.seconds !== undefined && { seconds: MOST_PILOT * budget.seconds }),
        ...(before && { initial: before.stored }),
        onProgress: (progress) => (last = progress),
        ...this.#signal,
      },
    );
    if (last === undefined) throw new Error('a pilot has a step');
    return { encoded, last };
  }

  /** @param see is shown the samples of each partition. */
  async #targets(
    ordinals: readonly number[],
    amplitude: number,
    see?: (samples: SampleArray) => void,
  ): Promise<TargetPartition[]> {
    const { media, options, settings } = this;
    const { grid } = settings;
    const targets = [];
    for (const ordinal of ordinals) {
      const samples = await media.read(grid.boxOf(ordinal), options.signal);
      see?.(samples);
      targets.push(latentTarget(samples, partitionShape(grid, ordinal), media.format, amplitude));
    }
    return targets;
  }

  #sizes(ordinals: readonly number[]): number[] {
    return ordinals.map((ordinal) => boxSize(this.settings.grid.boxOf(ordinal)));
  }

  #steps(ordinals: readonly number[]): number {
    return latentSteps(this.settings.budget, this.settings.effort, this.#sizes(ordinals));
  }
}
