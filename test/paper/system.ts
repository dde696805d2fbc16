import type { Merge } from '../../codec/architecture.js';
import type { EncodeOptions } from '../../src/encode-options.js';
import { resolveSettings, type EncodeSettings } from '../../src/encode-settings.js';
import type { Media } from '../../src/media/media.js';
import type { Configuration } from './configurations.js';

/** Sizes of a network of the paper's. */
export type System = Pick<
  Configuration,
  'method' | 'localWidth' | 'globalWidth' | 'partitions' | 'levels'
> & {
  /** Default `concat`. */
  readonly merge?: Merge;
};

/**
 * Settings of the `paper` preset for a system: one network of everything is a grid of one cell, and its weights are that cell's.
 */
export function settingsOf(
  { localWidth = 0, globalWidth = 0, partitions, levels, merge = 'concat' }: System,
  media: Media,
  options: EncodeOptions = {},
): EncodeSettings {
  const isWhole = partitions === undefined;
  const settings = resolveSettings(media, {
    ...options,
    preset: 'paper',
    grid: partitions ?? media.shape.map(() => 1),
    localWidth: isWhole ? globalWidth : localWidth,
    globalWidth: isWhole ? 0 : globalWidth,
    ...(levels !== undefined && { levels }),
  });
  // Files have no place for another merge, so that no option asks for it.
  const { model } = settings;
  return { ...settings, model: { ...model, architecture: { ...model.architecture, merge } } };
}
