import { LgiError } from '../../codec/errors.js';
import type { FileDescription } from '../worker/methods.js';
import { PictureStage } from './picture-stage.js';
import { SliceStage } from './slice-stage.js';
import { SoundStage } from './sound-stage.js';
import type { Stage, StageContext } from './stage.js';
import { VideoStage } from './video-stage.js';

/**
 * What shows a file: by the kind of its first signal that is no sound, a clip with the first sound beside it.
 *
 * @throws LgiError `unsupported` for a file without signals.
 */
export function createStage({ signals }: FileDescription, context: StageContext): Stage {
  const sound = signals.find(({ kind }) => kind === 'audio');
  const shown = signals.find(({ kind }) => kind !== 'audio') ?? sound;
  switch (shown?.kind) {
    case 'image':
      return new PictureStage(shown, context);
    case 'audio':
      return new SoundStage(shown, context);
    case 'video':
      return new VideoStage(shown, sound, context);
    case 'volume':
    case 'shape':
      return new SliceStage(shown, context);
    default:
      throw new LgiError('unsupported', 'the file has nothing that this player shows; use a newer one');
  }
}
