import type { Box } from '../../codec/grid.js';
import type { Change, SignalDescription } from '../worker/methods.js';

/** What a change of the file is for one of its signals. */
export interface SignalChange {
  /** As it is now. */
  readonly signal: SignalDescription;
  /** What shows something else now, in samples from the new window's corner. */
  readonly boxes: readonly Box[];
  /** How far the window's corner moved, per axis. */
  readonly moved: readonly number[];
}

/** What a change is for a signal; growing and joining keep all that a file had. */
export function changesOf(
  { file, changed, moved }: Change,
  { signalIndex }: SignalDescription,
): SignalChange {
  const place = file.signals.findIndex((signal) => signal.signalIndex === signalIndex);
  return {
    signal: file.signals[place],
    boxes: changed.filter((part) => part.signalIndex === signalIndex).map(({ box }) => box),
    moved: moved[place],
  };
}
