import type { Architecture, LocalCoordinates } from './architecture.js';
import { siren } from './architecture.js';
import type { Optimiser } from './engine/engine.js';
import type { InitialisationOptions } from './initialise.js';

/** A stretch of training in which the same weights move. */
export interface Phase {
  /** Optimiser steps, where no other budget is given. */
  readonly iterations: number;
  /**
   * Batches that an epoch is cut into, each sample drawn once; 1 is full batch. Small partitions are cut into fewer, so
   * that a step sees at least 32 samples of each.
   */
  readonly batches: number;
  /** `all`, or `local`: global and merge stand still, and every partition is trained on its own. */
  readonly trains: 'all' | 'local';
  /** Learning rate of local weights at the phase's start. */
  readonly localRate: number;
  /** Learning rate of global and merge weights at the phase's start; unused where they stand still. */
  readonly globalRate: number;
  /** What becomes of the rates until the phase's end: they stay, or fall linearly to zero. */
  readonly decay: 'constant' | 'linear';
  /** Share of a wall-clock budget; the phases' shares add up to 1. */
  readonly timeShare: number;
}

/** How an objective is fitted. */
export interface Recipe {
  readonly optimiser: Optimiser;
  readonly initialisation: Omit<InitialisationOptions, 'seed'>;
  readonly phases: readonly Phase[];
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

const ADAM: Optimiser = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** The paper's settings for images (table 6; section 4.1): omega 30, full batch, Adam 5e-4, 1000 iterations. */
const PAPER: Preset = {
  recipe: {
    optimiser: ADAM,
    initialisation: {},
    phases: [
      {
        iterations: 1000,
        batches: 1,
        trains: 'all',
        localRate: 5e-4,
        globalRate: 5e-4,
        decay: 'constant',
        timeShare: 1,
      },
    ],
  },
  localCoordinates: 'signal',
  latticeStride: 0,
  activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
  coordinates: 'linspace',
};

/**
 * The measured best so far (RECIPES): two phases, lattice features, cell coordinates. A few joint epochs shape the
 * global network, then it stands still and the local networks train alone, at a twentieth of the cost.
 */
const FAST: Preset = {
  recipe: {
    optimiser: { ...ADAM, beta2: 0.99 },
    initialisation: {},
    phases: [
      {
        iterations: 4 * 16,
        batches: 16,
        trains: 'all',
        localRate: 1e-3,
        globalRate: 1e-3,
        decay: 'constant',
        timeShare: 0.3,
      },
      {
        iterations: 100 * 32,
        batches: 32,
        trains: 'local',
        localRate: 1e-3,
        globalRate: 0,
        decay: 'linear',
        timeShare: 0.7,
      },
    ],
  },
  localCoordinates: 'cell',
  latticeStride: 4,
  activations: { local: siren(30, 30), global: siren(120, 30), merge: siren(30, 30) },
  coordinates: 'spread',
};

/** The presets by name. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = { paper: PAPER, fast: FAST };
