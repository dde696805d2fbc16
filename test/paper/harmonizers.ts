import type { HarmonizerShape } from '../../codec/incode/harmonizer.js';

type Hidden = Pick<HarmonizerShape, 'hidden' | 'isNormalised' | 'initialBias'>;

/** The harmonizer of pictures and sinograms. */
export const PICTURE_HARMONIZER: Hidden = { hidden: [64, 32], isNormalised: false, initialBias: 0.312 };

/** That of noisy pictures, whose sizes the paper does not print: they are those of its authors' code. */
export const NOISE_HARMONIZER: Hidden = { hidden: [32, 16, 12], isNormalised: true, initialBias: 0.0005 };
