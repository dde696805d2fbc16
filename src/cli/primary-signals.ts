import { LgiError } from '../../codec/errors.js';
import type { SignalKind } from '../../codec/signal.js';
import type { LgiFile } from '../open.js';
import type { Signal } from '../signal.js';

/** The signals that a file is of, without reduced copies, in its order. */
export function primarySignals({ signals }: LgiFile): readonly Signal[] {
  return signals.filter(({ header }) => header.role === 'primary');
}

/** What users call a signal of a kind. */
export const KIND_WORDS: Readonly<Record<SignalKind, string>> = {
  image: 'picture',
  audio: 'sound',
  video: 'video',
  volume: 'volume',
  shape: 'shape',
};

/**
 * The first signal of a kind.
 *
 * @throws LgiError `unavailable` where there is none, naming what there is.
 */
export function signalOfKind(file: LgiFile, kind: SignalKind): Signal {
  const primary = primarySignals(file);
  const found = primary.find((each) => each.kind === kind);
  if (found !== undefined) return found;
  const kinds = primary.map((each) => KIND_WORDS[each.kind]).join(' and ');
  throw new LgiError('unavailable', `there is no ${KIND_WORDS[kind]} in the file, which has ${kinds}`);
}
