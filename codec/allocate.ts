import { LgiError } from './errors.js';

/**
 * What `make` allocates; hosts refuse sizes beyond theirs, and those beyond the memory that is left, with a RangeError.
 *
 * @param what is allocated, and how much, for the message: `12 MB of samples`.
 * @throws LgiError `limit` where the host refuses.
 */
export function allocate<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new LgiError(
      'limit',
      `${what} do not fit into memory; take less at a time: a region or a smaller size`,
      {
        cause,
      },
    );
  }
}
