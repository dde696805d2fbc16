import { hasDefaultWeights } from '../codec/latent/default-weights.js';
import type { LatentArchitecture } from '../codec/latent/latent-architecture.js';
import { alphaChannel, type SampleFormat } from '../codec/signal.js';

/** Levels: of a cell of 64x64 the coarsest is a single latent. */
const LEVELS = 7;

/** Features of the hidden layer: 16 cost 1 to 4 % more bits, 8 to 7 %. */
const HIDDEN_WIDTH = 32;

/** The set of built-in weights that new files take where it has their kind of picture. */
const DEFAULT_SET = 1;

/** What latents of a picture's format are made of: brightness and alpha from level 0 on, colour, which is smoother, from level 1. */
export function pictureArchitecture(format: SampleFormat, amplitude: number): LatentArchitecture {
  const { channels } = format;
  const colours = channels - (alphaChannel(format) < 0 ? 0 : 1);
  const architecture = {
    levels: LEVELS,
    finestLevels: Array.from({ length: channels }, (_, plane) =>
      colours >= 3 && plane > 0 && plane < colours ? 1 : 0,
    ),
    hiddenWidth: HIDDEN_WIDTH,
    outputs: channels,
    amplitude: Math.fround(amplitude),
  };
  return hasDefaultWeights({ ...architecture, defaultSet: DEFAULT_SET })
    ? { ...architecture, defaultSet: DEFAULT_SET }
    : architecture;
}
