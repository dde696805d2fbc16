import type { EncodeOptions } from '../../src/encode-options.js';
import { resolveSettings, type EncodeSettings } from '../../src/encode-settings.js';
import type { Media } from '../../src/media/media.js';
import type { Configuration } from './configurations.js';

/** Sizes of a network of the paper's. */
export type System = Pick<Configuration, 'method' | 'localWidth' | 'globalWidth' | 'partitions' | 'levels'>;

/**
 * Settings of the `paper` preset for a system: one network of everything is a grid of one cell, and its weights are that cell's.
 */
export function settingsOf(
  { localWidth = 0, globalWidth = 0, partitions, levels }: System,
  media: Media,
  options: EncodeOptions = {},
): EncodeSettings {
  const isWhole = partitions === undefined;
  return resolveSettings(media, {
    ...options,
    preset: 'paper',
    grid: partitions ?? media.shape.map(() => 1),
    localWidth: isWhole ? globalWidth : localWidth,
    globalWidth: isWhole ? 0 : globalWidth,
    ...(levels !== undefined && { levels }),
  });
}
