/** Kept equal to package.json by a test: a browser cannot read that file. */
export const VERSION = '0.1.0';

/** What files name as their writer. */
export const WRITER_NAME = `lgi ${VERSION}`;
