import type { Preset, PresetName } from './preset.js';
import { FAST_AUDIO, PAPER_AUDIO } from './presets/audio.js';
import { FAST_IMAGE, PAPER_IMAGE } from './presets/image.js';
import { FAST_SHAPE, PAPER_SHAPE } from './presets/shape.js';
import { FAST_VIDEO, PAPER_VIDEO } from './presets/video.js';
import { FAST_VOLUME, PAPER_VOLUME } from './presets/volume.js';
import type { Recipe } from './recipe.js';
import type { SignalKind } from './signal.js';

/** The presets of each kind of signal, by name. */
export const PRESETS: Readonly<Record<SignalKind, Readonly<Record<PresetName, Preset>>>> = {
  image: { paper: PAPER_IMAGE, fast: FAST_IMAGE, small: smaller(FAST_IMAGE, 12) },
  audio: { paper: PAPER_AUDIO, fast: FAST_AUDIO, small: smaller(FAST_AUDIO, 12) },
  video: { paper: PAPER_VIDEO, fast: FAST_VIDEO, small: smaller(FAST_VIDEO, 10) },
  volume: { paper: PAPER_VOLUME, fast: FAST_VOLUME, small: smaller(FAST_VOLUME, 10) },
  shape: { paper: PAPER_SHAPE, fast: FAST_SHAPE, small: smaller(FAST_SHAPE, 9) },
};

/** The names that a preset can be asked for by. */
export const PRESET_NAMES: readonly PresetName[] = ['paper', 'fast', 'small'];

/**
 * Learning rate of global and merge weights while a file is fine-tuned: a third of a new file's, since they are good for
 * what is there. Against a new file after 100 / 300 / 800 steps, rates of 2e-4 gave +1.3 / +1.1 / 0.0 dB on camera.png and
 * +1.8 / +1.1 / -0.2 on kodim15, 5e-4 there +1.7 / +0.9 / +0.2.
 */
const FINETUNE_GLOBAL_RATE = 5e-4;

/** `fast` for weights of which most are trained already. */
export function finetuneRecipe(kind: SignalKind): Recipe {
  const { recipe } = PRESETS[kind].fast;
  return {
    ...recipe,
    phases: recipe.phases.map((phase) =>
      phase.trains === 'all' ? { ...phase, globalRate: FINETUNE_GLOBAL_RATE } : phase,
    ),
  };
}

/**
 * A preset for small files: narrower networks, weights no finer than they need be, and the coder that makes most of them.
 *
 * Of 7 s of a cello 12 wide gives 45.6 dB in 71 KB, what the paper reaches; of the Stanford bunny 9 wide an IoU of 0.9997 in 59 KB after a minute.
 * A clip of 640x272 had 29.8 dB in 1.87 MB at 12 and 27.0 in 0.95 at 8; widths of volumes and pictures lie between, unmeasured.
 * Networks begin alike, so that the coder has little left of them but what they have learned.
 */
function smaller(fast: Preset, localWidth: number): Preset {
  const initialisation = { ...fast.recipe.initialisation, partitions: 'alike' } as const;
  return {
    ...fast,
    localWidth,
    weights: 'coarse',
    coder: 'range',
    recipe: { ...fast.recipe, initialisation },
  };
}
