/** Largest unused stretch between two wanted ranges that is read rather than skipped: a request costs more than 16 KiB. */
export const GAP_BUDGET_BYTES = 1 << 14;

/**
 * The same where reads cost microseconds, as of a file on this machine: these bytes take 25 of them from the system's memory,
 * which is no more than what handing another read to a thread and back takes, 30 to 50.
 */
export const NEAR_GAP_BUDGET_BYTES = 1 << 18;

/** Largest single read of several chunks, so that the first of them are there soon and memory stays bounded. */
export const MAX_READ_BYTES = 1 << 20;

/** Heads of a request and its answer together: skipping fewer bytes than that by a request of its own saves nothing. */
export const REQUEST_OVERHEAD_BYTES = 512;

/** Requests under way at a time: browsers give a host six connections over HTTP/1.1, two are left to others. */
export const CONCURRENT_READS = 4;
