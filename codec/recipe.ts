import type { Architecture, LocalCoordinates } from './architecture.js';
import { siren } from './architecture.js';
import type { DivergenceRule } from './divergence.js';
import type { InitialisationOptions } from './initialise.js';
import type { AdamOptimiser, Optimiser, SoapOptimiser } from './optimiser.js';

/** A stretch of training in which the same weights move. */
export interface Phase {
  /** Optimiser steps, where no other budget is given. */
  readonly iterations: number;
  /**
   * Batches that an epoch is cut into, each sample drawn once; 1 is full batch. Small partitions are cut into fewer, so
   * that a step sees at least 32 samples of each.
   */
  readonly batches: number;
  /**
   * Turns in which the partitions share the steps of an epoch, each partition once; 1: all take part in every step. A
   * lattice is evaluated whole for every partition that takes part, so that joint steps get cheaper in proportion.
   */
  readonly turns: number;
  /** `all`, or `local`: global and merge stand still, and every partition is trained on its own. */
  readonly trains: 'all' | 'local';
  /** Learning rate of local weights at the phase's start. */
  readonly localRate: number;
  /** Learning rate of global and merge weights at the phase's start; unused where they stand still. */
  readonly globalRate: number;
  /** What becomes of the rates until the phase's end: they stay, or fall linearly to zero. */
  readonly decay: 'constant' | 'linear';
  /**
   * In local phases a partition rests for an epoch when its error, divided by the epochs it took part in, is below this part
   * of the mean over all partitions; 0: none rests.
   */
  readonly restsBelow: number;
  /** Part of the phase after which none rests, so that partitions which rested much settle at the low rates of the end too. */
  readonly restsUntil: number;
  /** Share of the time that all phases take, and of a wall-clock budget; shares add up to 1. */
  readonly timeShare: number;
}

/** How an objective is fitted. */
export interface Recipe {
  readonly optimiser: Optimiser;
  readonly initialisation: Omit<InitialisationOptions, 'seed'>;
  readonly phases: readonly Phase[];
  readonly divergence: DivergenceRule;
}

export type PresetName = 'paper' | 'fast';

/** Everything a preset decides; each of it can be overridden. */
export interface Preset {
  readonly recipe: Recipe;
  readonly localCoordinates: LocalCoordinates;
  /** Samples between lattice points; 0 for the paper's network. */
  readonly latticeStride: number;
  readonly activations: Architecture['activations'];
  /** Which coordinates the sample centres get: the paper's linspace, or spread with the edges at -1 and 1. */
  readonly coordinates: 'linspace' | 'spread';
}

const ADAM: AdamOptimiser = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** The paper's settings for images (table 6; section 4.1): omega 30, full batch, Adam 5e-4, 1000 iterations. */
const PAPER: Preset = {
  recipe: {
    optimiser: ADAM,
    initialisation: {},
    phases: [
      {
        iterations: 1000,
        batches: 1,
        turns: 1,
        trains: 'all',
        localRate: 5e-4,
        globalRate: 5e-4,
        decay: 'constant',
        restsBelow: 0,
        restsUntil: 1,
        timeShare: 1,
      },
    ],
    // The paper has no such rule: only what is no number any more is taken back.
    divergence: { errorFactor: Infinity, rateFactor: 0.5, attempts: 4 },
  },
  localCoordinates: 'signal',
  latticeStride: 0,
  activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
  coordinates: 'linspace',
};

const SOAP: SoapOptimiser = {
  kind: 'soap',
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  factorDecay: 0.95,
  refreshSteps: 20,
};

/**
 * The measured best so far: two phases, lattice features, cell coordinates, SOAP. A few joint epochs shape the global
 * network, a quarter of the partitions at a time; then it stands still and the local networks train alone, at a tenth of
 * the cost.
 *
 * Measured on a 512x512 grey photograph (`camera.png` of scikit-image) at the paper's parameter count, 1/16 batches:
 *
 * - 4 + 60 epochs: SOAP at 1e-3 / 1.5e-3 / 2e-3 gave 39.7 / 40.1 / 38.9 dB, Adam at 1e-3 36.7.
 * - Local first-layer weights times 0.25 / 0.5 / 1 gave 36.8 / 38.9 / 39.5 dB at 1e-3, times 1 / 1.5 gave 40.1 / 39.7
 *   at 1.5e-3.
 * - All partitions in every joint step and 60 local epochs: 40.0 dB in 17.5 s. In 4 turns: 39.4 in 12.4 s, and with 80 local
 *   epochs 40.5 in 14.6 s. In 8 and 16 turns, 60 epochs: 37.5 and 37.6.
 */
const FAST: Preset = {
  recipe: {
    optimiser: SOAP,
    initialisation: {},
    phases: [
      {
        iterations: 4 * 16,
        batches: 4,
        turns: 4,
        trains: 'all',
        localRate: 1.5e-3,
        globalRate: 1.5e-3,
        decay: 'constant',
        restsBelow: 0,
        restsUntil: 1,
        timeShare: 0.2,
      },
      {
        iterations: 80 * 16,
        batches: 16,
        turns: 1,
        trains: 'local',
        localRate: 1.5e-3,
        globalRate: 0,
        decay: 'linear',
        restsBelow: 0.5,
        restsUntil: 1,
        timeShare: 0.8,
      },
    ],
    divergence: { errorFactor: 3, rateFactor: 0.5, attempts: 4 },
  },
  localCoordinates: 'cell',
  latticeStride: 4,
  activations: { local: siren(30, 30), global: siren(120, 30), merge: siren(30, 30) },
  coordinates: 'spread',
};

/** The presets by name. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = { paper: PAPER, fast: FAST };
