import type * as tensorflow from '@tensorflow/tfjs';

/** The part of TensorFlow.js that the engine uses; every one of its packages has it. */
export type TensorFlow = typeof tensorflow;
