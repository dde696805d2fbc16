import type { Changes, Configuration } from './configuration.js';

/** A question, and the ways to encode that answer it. */
export interface Experiment {
  readonly name: string;
  readonly question: string;
  /** The first one is what the others are compared with. */
  readonly configurations: readonly [Configuration, ...Configuration[]];
  /** Names of the pictures that the question is of; default all. */
  readonly pictures?: RegExp;
}

/** What `fast` is; the same run serves every experiment. */
const FAST: Configuration = { name: 'fast', changes: {} };

function experiment(
  name: string,
  question: string,
  variants: Readonly<Record<string, Changes>>,
  baseline: Configuration = FAST,
): Experiment {
  const others = Object.entries(variants).map(([variant, changes]) => ({ name: variant, changes }));
  return { name, question, configurations: [baseline, ...others] };
}

/** Configurations for all pairs of two lists. */
function pairs<A, B>(
  first: readonly A[],
  second: readonly B[],
  make: (a: A, b: B) => [name: string, changes: Changes],
): Record<string, Changes> {
  return Object.fromEntries(first.flatMap((a) => second.map((b) => make(a, b))));
}

function each<T>(
  values: readonly T[],
  make: (value: T) => [name: string, changes: Changes],
): Record<string, Changes> {
  return Object.fromEntries(values.map(make));
}

/** `fast` with widths chosen for as many parameters as it has: what other cells and shares are compared with. */
const EQUAL_FAST: Configuration = { name: 'fast, widths chosen', changes: { params: 'preset' } };

/** Parameters of a 256-wide SIREN for colour pictures, what the paper compares with. */
const SIREN_PARAMETERS = 198_915;

/** Every experiment, the most telling first. What `fast` has anyway stands in the baseline and is left out of the others. */
export const EXPERIMENTS: readonly Experiment[] = [
  experiment(
    'seed',
    'How far do runs differ that differ in nothing?',
    each([1, 2], (seed) => [`seed ${seed}`, { seed }]),
  ),
  {
    ...experiment(
      'kodak',
      'The fast preset against 1000 iterations of the paper, both with the parameters of a 256-wide SIREN',
      { fast: { params: SIREN_PARAMETERS } },
      { name: 'paper', changes: { preset: 'paper', params: SIREN_PARAMETERS } },
    ),
    pictures: /^kodim/,
  },
  experiment(
    'lattice',
    'Samples between lattice points (fast: 4)',
    each([0, 2, 8], (lattice) => [lattice === 0 ? 'no lattice' : `lattice ${lattice}`, { lattice }]),
  ),
  experiment(
    'cell',
    'Side of the cells at equal parameters (fast: 32)',
    each([16, 48, 64], (cell) => [`cell ${cell}`, { cell, params: 'preset' }]),
    EQUAL_FAST,
  ),
  experiment(
    'omega',
    "The global network's first omega (fast: 120) against the side of the cells (fast: 32), at equal parameters",
    pairs([16, 32, 64], [30, 60, 120, 240], (cell, globalOmegaFirst) => [
      `cell ${cell}, omega ${globalOmegaFirst}`,
      {
        params: 'preset',
        ...(cell !== 32 && { cell }),
        ...(globalOmegaFirst !== 120 && { globalOmegaFirst }),
      },
    ]),
    EQUAL_FAST,
  ),
  experiment('phases', 'Joint epochs (fast: 4 before 120 local ones), their turns (4), and resting (0.5)', {
    ...each([0, 1, 2, 3, 5, 6, 8], (jointEpochs) => [`${jointEpochs} joint`, { jointEpochs }]),
    ...each([1, 8], (turns) => [`turns ${turns}`, { turns }]),
    ...each([0, 0.25, 1], (restsBelow) => [`rest below ${restsBelow}`, { restsBelow }]),
    ...each([40, 80, 240], (localEpochs) => [`${localEpochs} local`, { localEpochs }]),
  }),
  experiment(
    'batch',
    'Batches of a local epoch (fast: 16)',
    each([4, 8, 32], (localBatches) => [`${localBatches} batches`, { localBatches }]),
  ),
  experiment('optimiser', 'Optimiser, rate and updates between refreshes (fast: SOAP at 1.5e-3, 20)', {
    ...each([1e-3, 2e-3], (rate) => [`SOAP ${rate}`, { rate }]),
    ...each([10, 40], (refreshSteps) => [
      `refresh ${refreshSteps}`,
      { optimiser: { kind: 'soap', refreshSteps } },
    ]),
    ...each([1e-3, 2e-3], (rate) => [`Adam ${rate}`, { optimiser: { kind: 'adam' }, rate }]),
  }),
  experiment('coordinates', 'What local networks see (fast: their cell)', {
    signal: { localCoordinates: 'signal' },
    ...each([120, 240], (localOmegaFirst) => [
      `signal, local omega ${localOmegaFirst}`,
      { localCoordinates: 'signal', localOmegaFirst },
    ]),
  }),
  experiment(
    'share',
    'Part of the parameters that is global (fast: 0.02), at equal parameters',
    each([0.01, 0.05, 0.1, 0.2], (globalShare) => [
      `share ${globalShare}`,
      { globalShare, params: 'preset' },
    ]),
    EQUAL_FAST,
  ),
  experiment(
    'widths',
    'Widths of local and global networks (fast: 15 and 32)',
    pairs([14, 15, 16], [0, 8, 16, 32, 84], (localWidth, globalWidth) => [
      `local ${localWidth}, global ${globalWidth}`,
      { localWidth, globalWidth },
    ]),
  ),
  experiment(
    'initial',
    "The local networks' first omega and the factor on their first weights (fast: 30, 1)",
    {
      ...each([15, 60], (localOmegaFirst) => [`local omega ${localOmegaFirst}`, { localOmegaFirst }]),
      ...each([0.5, 2], (localFirstFactor) => [`factor ${localFirstFactor}`, { localFirstFactor }]),
    },
  ),
];
