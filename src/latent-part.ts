import type { Engine } from '../codec/engine/engine.js';
import type { Grid } from '../codec/grid.js';
import { encodePartitions } from '../codec/latent/encode-partitions.js';
import { decodeShared } from '../codec/latent/shared-weights.js';
import { LATENT_RECIPE } from '../codec/latent/train-latents.js';
import type { LatentSignal } from './container/header.js';
import { latentTarget, partitionShape } from './latent-targets.js';
import { latentSteps } from './latent-effort.js';
import { LatentProgressReport } from './latent-progress.js';
import { measureLatents } from './measure-latents.js';
import type { Media } from './media/media.js';
import { readerAt } from './reader-at.js';
import type { PartTraining, TrainedPart } from './trained-part.js';

/**
 * Trains the latents of new partitions for the shared weights that a file has, and codes them by its models: header and old chunks
 * stay as they are.
 *
 * @param media the part's samples, in the signal's format.
 * @throws LgiError `limit`; the signal's reason on abort.
 */
export async function trainLatentPart(
  engine: Engine,
  header: LatentSignal,
  media: Media,
  part: Grid,
  { budget, effort = 'normal', seed, onProgress, signal }: PartTraining,
): Promise<TrainedPart> {
  const { architecture, shared } = header.latents;
  const stored = decodeShared(architecture, shared);
  const read = readerAt(media, part.extent.begin, signal);
  const targets = [];
  for (let ordinal = 0; ordinal < part.count; ordinal++) {
    const samples = await read(part.boxOf(ordinal));
    targets.push(latentTarget(samples, partitionShape(part, ordinal), header.format, architecture.amplitude));
  }
  const steps = latentSteps(
    budget,
    effort,
    targets.map(({ shape: [height, width] }) => height * width),
  );
  const report = new LatentProgressReport(header, onProgress);
  report.begin(1);
  const { payloads } = await encodePartitions(engine, architecture, targets, {
    recipe: LATENT_RECIPE,
    steps,
    seed,
    shared: stored,
    ...(budget.seconds !== undefined && { seconds: budget.seconds }),
    onProgress: (progress) => report.step(progress, architecture.amplitude),
    ...(signal && { signal }),
  });
  const quality = await measureLatents(engine, { ...header, grid: part, payloads }, read, signal);
  return {
    ...quality,
    chunks: payloads.map((payload, ordinal) => ({ coordinates: part.coordinatesOf(ordinal), payload })),
    seconds: report.seconds,
    iterations: report.iterations,
    stoppedBy: budget.seconds !== undefined && report.iterations < steps ? 'seconds' : 'iterations',
  };
}
