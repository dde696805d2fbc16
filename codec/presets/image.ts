import { siren } from '../architecture.js';
import type { Preset } from '../preset.js';
import { SOAP } from './optimisers.js';
import { PAPER_WEIGHTS, paperRecipe } from './paper-recipe.js';

/** The paper's settings for images (table 6; section 4.1): omega 30, full batch, Adam 5e-4, 1000 iterations. */
export const PAPER_IMAGE: Preset = {
  recipe: paperRecipe({ iterations: 1000, rate: 5e-4 }),
  partitioning: { cell: [32, 32] },
  localWidth: 14,
  globalWidth: 84,
  globalShare: 0.1,
  localCoordinates: 'signal',
  latticeStride: 0,
  activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
  coordinates: 'linspace',
  coordinateBound: 1,
  weights: PAPER_WEIGHTS,
  timePerSample: 1,
};

/**
 * The measured best so far: two phases, lattice features, cell coordinates, SOAP. A few joint epochs shape the global
 * network, a quarter of the partitions at a time; then it stands still and the local networks train alone, at a tenth of
 * the cost.
 *
 * Widths, by `npm run sweep` (test/bench/results/share.md on eleven pictures, widths.md on six):
 *
 * - At equal parameters a global share of 0.02 / 0.05 / 0.1 / 0.2 gave 40.0 / 39.7 / 36.8 / 34.1 dB: what the paper's recipe
 *   needs a wide global network for, cell coordinates and local training do without. On pictures of 3 million samples 0.1
 *   asks for a global width of 309, which came to 24 dB instead of 43.7.
 * - At a local width of 15, global widths of 8 / 16 / 32 / 84 gave 38.6 / 39.2 / 39.3 / 39.3 dB; 32 has a header of 7 KB
 *   where 84 has one of 35, which the first read of a file then has room for.
 * - No global network at all gave 39.75 dB in 0.6 of the time: better on camera, ct-lung-377, kodim08 and kodim15, worse on
 *   kodim05 and kodim20. The default keeps one, as the paper's network has, until appending shows what it is worth there.
 *
 * Measured at the paper's parameter count for 512x512 on `camera.png` of scikit-image and on Kodak pictures:
 *
 * - Output biases at the partition's mean, and the output layer 4 times as fast: kodim20 after 340 steps 33.2 dB; with mean
 *   biases alone 25.3; as SIREN draws them 15.5, since a bias needs hundreds of steps to come to white. Factors of 4 / 10 /
 *   20 gave 33.8 / 33.7 / 33.1 on camera after 340 steps, of 1 / 4 / 10 40.5 / 40.6 / 39.8 after all.
 * - Resting below 0 / 0.5 / 0.75 / 1 of the mean gain, at the cost of about 500 steps of every partition: camera 37.2 (at 570
 *   steps) / 39.1 / 39.3 / 39.2 dB, kodim20 35.8 / 37.9 / 38.2, with SSIM best at 0.5.
 * - Local rates of 1.2e-3 / 1.5e-3 / 2e-3 in 1344 steps: camera 42.7 / 42.8 / 42.5, kodim05 35.4 / 35.6 / 35.5, ct-lung-377
 *   42.6 / 42.7 / 42.3. In long runs 2e-3 wears networks out: camera with 200,860 parameters came to 36.0 dB in 10,000 steps,
 *   with 1.5e-3 to 49.6 in 12,000.
 * - 0.02 / 0.05 / 0.1 / 0.2 of 16 s for joint epochs: camera 46.2 / 46.6 / 47.8 / 47.7; of 4 s: 43.2 / 43.6 / 43.7 / 43.2.
 * - SOAP against Adam at 4 + 60 epochs: 40.1 against 36.7. Muon, five Newton-Schulz steps, gave what SOAP gave at equal
 *   steps (35.7 and 35.7 dB after 500), for 2.5 times SOAP's operations.
 * - FINER's activation, scale detached, before biases began at the mean: 31.9 dB after 500 steps (33.6 with other omegas)
 *   instead of 34.8; kodim05 25.3 instead of 26.6.
 * - In 4 seconds on two threads, four pictures (test/bench/results/four-seconds.md): lattices of 4 and 8, omegas of 60 and
 *   120, 0 to 6 joint epochs within the noise of 0.5 dB; no lattice 7 dB worse, cells of 16 and 64 4 to 6 dB, 8 turns 1.4.
 * - Local first-layer weights times 0.25 / 0.5 / 1 gave 36.8 / 38.9 / 39.5 dB.
 * - All partitions in every joint step: 40.0 dB in 17.5 s; a quarter of them: 40.5 in 14.6 s; an eighth: 37.5.
 */
export const FAST_IMAGE: Preset = {
  recipe: {
    optimiser: SOAP,
    initialisation: { outputBias: 'mean' },
    phases: [
      {
        iterations: 4 * 16,
        batches: 4,
        turns: 4,
        trains: 'all',
        localRate: 1.5e-3,
        outputRateFactor: 4,
        globalRate: 1.5e-3,
        decay: 'constant',
        restsBelow: 0,
        timeShare: 0.1,
      },
      {
        iterations: 120 * 16,
        batches: 16,
        turns: 1,
        trains: 'local',
        localRate: 1.5e-3,
        outputRateFactor: 4,
        globalRate: 0,
        decay: 'linear',
        restsBelow: 0.5,
        timeShare: 0.9,
      },
    ],
    divergence: { errorFactor: 3, rateFactor: 0.5, attempts: 4 },
  },
  partitioning: { cell: [32, 32] },
  localWidth: 15,
  globalWidth: 32,
  globalShare: 0.02,
  localCoordinates: 'cell',
  latticeStride: 4,
  activations: { local: siren(30, 30), global: siren(120, 30), merge: siren(30, 30) },
  coordinates: 'spread',
  coordinateBound: 1,
  weights: 'fine',
  timePerSample: 1,
};
