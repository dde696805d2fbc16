import { countParameters } from '../../../codec/architecture.js';
import { TABLE_6, type Configuration } from '../configurations.js';
import type { Experiment, Row } from '../experiment.js';
import { architectureOf } from '../parameters.js';

const LGS = TABLE_6.filter(({ experiment, method }) => experiment === 'cameraman' && method === 'LGS')[0];
const VIDEO = TABLE_6.filter(({ experiment, method }) => experiment === 'video' && method === 'LGS')[0];

/** What is left of a network of which some partitions are kept. */
function row(name: string, configuration: Configuration, kept: number, printed: number): Row {
  return {
    name: `${name}: ${kept} partitions kept`,
    published: { parameters: { mean: printed } },
    run: async () => ({
      metrics: { parameters: countParameters(architectureOf(configuration), kept).total },
      iterations: 0,
      shape: configuration.partitions ?? [],
      curve: [],
    }),
  };
}

export const FIGURE_1: Experiment = {
  name: 'figure-1',
  title: 'Figure 1: parameters of crops, Cameraman',
  metrics: ['parameters'],
  publishedSeeds: 1,
  notes: ['Nothing is trained: a crop is as many local networks as it keeps, and the global weights.'],
  rows: [row('whole', LGS, 256, 199e3), row('a part', LGS, 83, 80e3), row('the face', LGS, 36, 47.7e3)],
};

export const FIGURE_12: Experiment = {
  name: 'figure-12',
  title: 'Figure 12: parameters of crops of a clip of 5x8x8 partitions',
  metrics: ['parameters'],
  publishedSeeds: 1,
  notes: ['Nothing is trained. How many partitions are kept follows from the figures that the paper prints.'],
  rows: [
    row('(a) without the border', VIDEO, 5 * 36, 1.84e6),
    row('(b) three fifths of the time', VIDEO, 3 * 64, 1.96e6),
    row('(c) both', VIDEO, 248, 2.5e6),
    row('(d) at random', VIDEO, 160, 1.65e6),
  ],
};
