// Edits of the first signal of a file, for vectors that break one rule of a table.

import { FEATURES } from '../dist/src/container/superblock.js';

export const signal = (edit) => (header) => edit(header.signals[0]);
export const sine = (edit) => (header) => edit(header.signals[0].architecture);
export const latents = (edit) => (header) => edit(header.signals[0].architecture);
export const quantiser = (edit) => (header) => edit(header.signals[0].quantiser);
export const index =
  (edit) =>
  (_, { signals, sections }) =>
    edit(signals[0], sections);
/** Of the index, with the feature that positions lie beyond the first encode. */
export const beyond =
  (edit) =>
  (_, { signals }) => {
    edit(signals[0]);
    return { mustUnderstand: FEATURES.extentBeyondFirst };
  };
/** A number that no enumeration has. */
export const FUTURE = 9;
