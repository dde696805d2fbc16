import { LgiError } from '../../codec/errors.js';
import type { LgiFile } from '../open.js';
import type { Signal } from '../signal.js';

/**
 * The signal of a file that is the picture.
 *
 * @throws LgiError `unavailable` where there is none.
 */
export function primaryImage({ signals }: LgiFile): Signal {
  const found = signals.find(({ header }) => header.kind === 'image' && header.role === 'primary');
  if (found !== undefined) return found;
  const kinds = signals.map(({ kind }) => kind).join(', ');
  throw new LgiError(
    'unavailable',
    `this command takes pictures, the file has ${kinds}; decode it by the SDK, Signal.decode, and write volumes by writeVolume`,
  );
}
