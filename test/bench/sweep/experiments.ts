import type { Changes, Configuration } from './configuration.js';

/** A question, and the ways to encode that answer it. */
export interface Experiment {
  readonly name: string;
  readonly question: string;
  /** The first one is what the others are compared with. */
  readonly configurations: readonly [Configuration, ...Configuration[]];
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

/** Every experiment, the most telling first: a sweep runs them in this order on one picture after the other. */
export const EXPERIMENTS: readonly Experiment[] = [
  experiment(
    'seed',
    'How far do runs differ that differ in nothing?',
    each([1, 2], (seed) => [`seed ${seed}`, { seed }]),
  ),
  experiment(
    'lattice',
    'Samples between lattice points (fast: 4)',
    each([2, 8], (lattice) => [`lattice ${lattice}`, { lattice }]),
  ),
  experiment(
    'cell',
    'Side of the cells at equal parameters (fast: 32)',
    each([16, 48, 64], (cell) => [`cell ${cell}`, { cell }]),
  ),
  experiment(
    'omega',
    "The global network's first omega (fast: 120) against the number of partitions (fast: cells of 32)",
    pairs([16, 32, 64], [30, 60, 120, 240], (cell, globalOmegaFirst) => [
      `cell ${cell}, omega ${globalOmegaFirst}`,
      // What fast has anyway is left out, so that the run is known as fast's.
      {
        ...(cell !== 32 && { cell }),
        ...(globalOmegaFirst !== 120 && { globalOmegaFirst }),
      },
    ]),
  ),
  experiment(
    'phases',
    'Joint and local epochs (fast: 4 + 80)',
    each(
      [
        [0, 100],
        [2, 90],
        [8, 60],
        [8, 80],
        [4, 40],
        [4, 160],
      ] as const,
      ([jointEpochs, localEpochs]) => [`${jointEpochs} + ${localEpochs}`, { jointEpochs, localEpochs }],
    ),
  ),
  experiment(
    'batch',
    'Batches of a local epoch (fast: 16)',
    each([4, 8, 32], (localBatches) => [`${localBatches} batches`, { localBatches }]),
  ),
  experiment(
    'turns',
    'Turns and batches of a joint epoch (fast: 4 turns of 4 batches)',
    each(
      [
        [1, 4],
        [1, 16],
        [2, 4],
        [8, 4],
        [4, 2],
        [4, 8],
      ] as const,
      ([turns, jointBatches]) => [`${turns} turns, ${jointBatches} batches`, { turns, jointBatches }],
    ),
  ),
  experiment('optimiser', 'Optimiser and rate (fast: SOAP at 1.5e-3)', {
    ...each([1e-3, 2e-3], (rate) => [`SOAP ${rate}`, { rate }]),
    ...each([1e-3, 2e-3], (rate) => [`Adam ${rate}`, { optimiser: 'adam', rate }]),
  }),
  experiment(
    'coordinates',
    'What local networks see (fast: their cell)',
    each([30, 120, 240], (localOmegaFirst) => [
      `signal, local omega ${localOmegaFirst}`,
      { localCoordinates: 'signal', localOmegaFirst },
    ]),
  ),
  experiment(
    'share',
    'Part of the parameters that is global (fast: 0.1)',
    each([0.05, 0.2], (globalShare) => [`share ${globalShare}`, { globalShare }]),
  ),
  experiment(
    'local-omega',
    "The local networks' first omega and the factor on their first weights (fast: 30, 1)",
    {
      ...each([15, 60], (localOmegaFirst) => [`local omega ${localOmegaFirst}`, { localOmegaFirst }]),
      ...each([0.5, 2], (localFirstFactor) => [`factor ${localFirstFactor}`, { localFirstFactor }]),
    },
  ),
  experiment(
    'rest',
    'Below which part of the mean error partitions rest (fast: 0.5)',
    each([0, 0.25, 1], (restsBelow) => [`rest ${restsBelow}`, { restsBelow }]),
  ),
];
