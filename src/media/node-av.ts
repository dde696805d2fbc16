import type * as Constants from 'node-av/constants';
import type * as Library from 'node-av/lib';
import { LgiError } from '../../codec/errors.js';

/** FFmpeg in the process: node-av's low-level classes and its constants. */
export interface NodeAv {
  readonly lib: typeof Library;
  readonly constants: typeof Constants;
}

let loading: Promise<NodeAv> | undefined;

async function load(): Promise<NodeAv> {
  try {
    const [lib, constants] = await Promise.all([import('node-av/lib'), import('node-av/constants')]);
    // Codecs write warnings straight to stderr, where they would break a progress bar; errors reach us as codes.
    lib.Log.setLevel(constants.AV_LOG_QUIET);
    return { lib, constants };
  } catch (cause) {
    throw new LgiError(
      'unavailable',
      'pictures, sound and video are read by node-av, which is not installed or has no build for this machine; ' +
        'run `npm install node-av`',
      { cause },
    );
  }
}

/**
 * Loads node-av once, on first use: it is an optional dependency of 200 MB that most calls never need.
 *
 * @throws LgiError `unavailable` when it cannot be loaded; the message names the command that installs it.
 */
export function loadNodeAv(): Promise<NodeAv> {
  loading ??= load().catch((error: unknown) => {
    // A failed load stays retryable: the package may be installed while we run.
    loading = undefined;
    throw error;
  });
  return loading;
}
