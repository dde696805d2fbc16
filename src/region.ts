import { OptionError } from '../codec/errors.js';
import { boxShape, type Box } from '../codec/grid.js';

/**
 * A region from the visible window's corner, in positions of the first encode's axes.
 *
 * @param axes names of the signal's axes, for the message.
 * @throws OptionError `region` for a region that is empty, has no whole numbers or leaves the window.
 */
export function absoluteRegion(region: Box, window: Box, axes: readonly string[]): Box {
  if (region.begin.length !== axes.length || region.end.length !== axes.length) {
    throw new OptionError(
      'region',
      `${region.begin.length} axes given, the signal has ${axes.length}: ${axes.join(', ')}`,
    );
  }
  const shape = boxShape(window);
  axes.forEach((name, axis) => {
    const begin = region.begin[axis];
    const end = region.end[axis];
    if (!Number.isInteger(begin) || !Number.isInteger(end)) {
      throw new OptionError('region', `${begin} to ${end} on axis ${name} are no whole samples`);
    }
    if (begin >= end) {
      throw new OptionError(
        'region',
        `is empty on axis ${name}: ${end - begin} samples from ${begin}; at least 1 is needed`,
      );
    }
    if (begin < 0 || end > shape[axis]) {
      throw new OptionError(
        'region',
        `samples ${begin} to ${end} on axis ${name} reach outside the visible window, which has 0 to ${shape[axis]}`,
      );
    }
  });
  return {
    begin: region.begin.map((at, axis) => at + window.begin[axis]),
    end: region.end.map((at, axis) => at + window.begin[axis]),
  };
}
