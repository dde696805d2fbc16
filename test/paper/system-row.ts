import type { EncodeOptions } from '../../src/encode-options.js';
import { encodeSystem } from './encode-system.js';
import type { Metric, Printed, Row } from './experiment.js';
import { settingsOf, type System } from './system.js';

/** A row that encodes a medium by a system. */
export interface SystemRow {
  readonly name: string;
  readonly system: System;
  /** Of the data folder. */
  readonly file: string;
  /** The paper's. */
  readonly iterations: number;
  readonly published: Partial<Record<Metric, Printed>>;
  readonly options?: EncodeOptions;
}

export function systemRow(
  experiment: string,
  { name, system, file, iterations, published, options }: SystemRow,
): Row {
  return {
    name,
    published,
    run: async (laboratory, seed) => {
      const media = await laboratory.media(file);
      const {
        metrics,
        iterations: taken,
        shape,
        curve,
      } = await encodeSystem(laboratory, {
        name: `${experiment} ${name} ${seed}`,
        media,
        settings: settingsOf(system, media, options),
        iterations: laboratory.iterations(iterations),
        seed,
      });
      return { metrics, iterations: taken, shape, curve };
    },
  };
}
