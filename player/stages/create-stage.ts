import { LgiError } from '../../codec/errors.js';
import type { FileDescription } from '../worker/methods.js';
import { PictureStage } from './picture-stage.js';
import type { Stage, StageContext } from './stage.js';

/**
 * What shows a file: by the kind of its first signal that is no sound, a clip with the first sound beside it. Stages of other media
 * than pictures are loaded when a file has them.
 *
 * @throws LgiError `unsupported` for a file without signals.
 */
export async function createStage({ signals }: FileDescription, context: StageContext): Promise<Stage> {
  const sound = signals.find(({ kind }) => kind === 'audio');
  const shown = signals.find(({ kind }) => kind !== 'audio') ?? sound;
  switch (shown?.kind) {
    case 'image':
      return new PictureStage(shown, context);
    case 'audio':
      return new (await import('./sound-stage.js')).SoundStage(shown, context);
    case 'video':
      return new (await import('./video-stage.js')).VideoStage(shown, sound, context);
    case 'volume':
    case 'shape':
      return new (await import('./slice-stage.js')).SliceStage(shown, context);
    default:
      throw new LgiError('unsupported', 'the file has nothing that this player shows; use a newer one');
  }
}
