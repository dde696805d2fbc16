import { LgiError } from '../../codec/errors.js';
import type { FileDescription } from '../worker/methods.js';
import { PictureStage } from './picture-stage.js';
import type { Stage, StageContext } from './stage.js';

/**
 * What shows a file: by the kind of its first signal.
 *
 * @throws LgiError `unsupported` for a file without signals.
 */
export function createStage({ signals }: FileDescription, context: StageContext): Stage {
  const [first] = signals;
  switch (first?.kind) {
    case 'image':
      return new PictureStage(first, context);
    default:
      throw new LgiError('unsupported', 'the file has nothing that this player shows; use a newer one');
  }
}
