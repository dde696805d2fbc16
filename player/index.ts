// `lgi/player`: the element `<lgi-player>`, which importing this defines, and the class behind it.
import { LgiPlayerElement } from './element.js';

export { LgiPlayerElement };
export { LgiPlayer } from './player.js';
export type { OpenPlace } from './player.js';
export type { PlayerOptions } from './player-options.js';
export type { ChangeDetail, FrameDetail, PlayerEvents, PlayerListener, ProgressDetail } from './events.js';
export type { Stage, ViewDetail } from './stages/stage.js';
export type { View } from './plane/view.js';
export type {
  CropReply,
  DecodingStatistics,
  EncodeProgress,
  EncodeReply,
  FileDescription,
  SignalDescription,
} from './worker/methods.js';
export { LgiError, OptionError } from '../codec/errors.js';

if (customElements.get('lgi-player') === undefined) customElements.define('lgi-player', LgiPlayerElement);

declare global {
  interface HTMLElementTagNameMap {
    'lgi-player': LgiPlayerElement;
  }
}
