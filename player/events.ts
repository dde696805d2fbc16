import type { Box } from '../codec/grid.js';
import type { ViewDetail } from './stages/stage.js';
import type { DecodingStatistics, FileDescription } from './worker/methods.js';

/** How far the loading of what is in view has come. */
export interface ProgressDetail {
  /** Everything in view is there at some resolution. */
  readonly isCovered: boolean;
  /** Everything in view is there at the resolution of the screen. */
  readonly isSharp: boolean;
}

/** What a file that grew, or was joined with another, shows anew. */
export interface ChangeDetail {
  readonly file: FileDescription;
  readonly changed: readonly { readonly signalIndex: number; readonly box: Box }[];
}

/** A frame of a clip that was put on the screen. */
export interface FrameDetail {
  readonly frame: number;
  /** Where the clock stood then: of the sound, where there is one. */
  readonly seconds: number;
}

/** The player's events, by name; `detail` of each `CustomEvent`. */
export interface PlayerEvents {
  /** A file was opened, also where it is another one in the place of an earlier one. */
  open: FileDescription;
  /** The first picture of a file is on the screen, and what it has cost. */
  firstpicture: { readonly ms: number } & DecodingStatistics;
  progress: ProgressDetail;
  viewchange: ViewDetail;
  change: ChangeDetail;
  /** Playing has begun, ended or waits. */
  playing: { readonly state: 'playing' | 'paused' | 'waiting' | 'ended'; readonly seconds: number };
  frame: FrameDetail;
  /** Something went wrong; the person is told, too. */
  error: { readonly error: Error };
}

/** An event target whose events are {@link PlayerEvents}. */
export class PlayerEventTarget extends EventTarget {
  /** Tells listeners, in the target's name. */
  protected emit<K extends keyof PlayerEvents>(name: K, detail: PlayerEvents[K]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** A listener of one of the player's events. */
export type PlayerListener<K extends keyof PlayerEvents> = (event: CustomEvent<PlayerEvents[K]>) => void;
