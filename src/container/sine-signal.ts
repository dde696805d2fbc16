import { LgiError } from '../../codec/errors.js';
import type { SignalHeader, SineSignal } from './header.js';

/**
 * A signal as one of the sine family, for what only that one has.
 *
 * @param what is asked for, as "finetuning".
 * @throws LgiError `unsupported` for one of the latent family.
 */
export function sineSignal(header: SignalHeader, what = 'this'): SineSignal {
  if (header.latents === undefined) return header;
  throw new LgiError(
    'unsupported',
    `${what} is for the sine family, and the signal is of the latent one; leave it out`,
    {
      section: 'header',
    },
  );
}
