import type { Box } from '../../codec/grid.js';
import type { FrameDetail, PlayerEvents } from '../events.js';
import type { DrawState, PlaneView } from '../plane/plane-view.js';
import type { PlaybackClock } from '../playback/clock.js';
import type {
  Change,
  CropRequest,
  DamagedPartition,
  FileDescription,
  SignalDescription,
} from '../worker/methods.js';
import type { WorkerChannel } from '../worker/worker-channel.js';

/** What a stage shows a file with. */
export interface StageContext {
  readonly channel: WorkerChannel;
  readonly file: FileDescription;
  /** Bytes of decoded media that may be kept. */
  readonly maxBytes: number;
  readonly onDraw: (state: DrawState) => void;
  readonly onViewChange: (detail: ViewDetail) => void;
  readonly onFailed: (error: Error) => void;
  readonly onDamaged: (damaged: readonly DamagedPartition[]) => void;
  /** A note for the person that is no error, such as that the machine is too slow. */
  readonly onNotice: (text: string | undefined) => void;
  readonly onPlaying: (detail: PlayerEvents['playing']) => void;
  /** A frame was put on the screen. */
  readonly onFrame: (detail: FrameDetail) => void;
  /** What is selected has changed. */
  readonly onSelection: () => void;
}

/** What is seen now. */
export interface ViewDetail {
  /** Samples per axis `[begin, end)` of the shown signal that are in view. */
  readonly region: Box;
  /** Device pixels per sample; of sounds per second. */
  readonly scale: number;
}

/** Shows a kind of media and has its controls. */
export interface Stage {
  readonly element: HTMLElement;
  /** What belongs into the bar. */
  readonly controls: readonly HTMLElement[];
  /** The signal that it shows. */
  readonly signal: SignalDescription;
  /** What of a plane is seen, of what has planes. */
  readonly view?: PlaneView;
  /** What plays it, of what has time; seconds count from its begin. */
  readonly playback?: PlaybackClock;
  /** Whether the person selects instead of moving. */
  isSelecting: boolean;
  /** What is selected, as a crop has it; undefined for nothing. */
  readonly selection: Pick<CropRequest, 'region' | 'time'> | undefined;
  /** Takes in that the file has changed; false where a new stage has to, as for what plays by a clock of another length. */
  update(change: Change): boolean;
  /** Tries again what has failed. */
  retry(): void;
  dispose(): void;
}
