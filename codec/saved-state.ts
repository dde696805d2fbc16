import { LgiError } from './errors.js';

/** Numbers of a training as they were at one moment, by name; engines and phases have names of their own. */
export type SavedState = Readonly<Record<string, SavedArray>>;

/** What a {@link SavedState} is made of. */
export type SavedArray = Uint8Array | Uint32Array | Float32Array | Float64Array;

/** What a number of a state may be: from the least to the most, both included. */
export interface NumberRule {
  readonly least: number;
  readonly most: number;
  readonly isWhole?: boolean;
}

/** How often something has happened. */
export const COUNT: NumberRule = { least: 0, most: Number.MAX_SAFE_INTEGER, isWhole: true };

/** Something that is below none, and may be infinite. */
export const POSITIVE: NumberRule = { least: 0, most: Infinity };

/** A part of something. */
export const FRACTION: NumberRule = { least: 0, most: 1 };

/** What is restored comes from a file: this is what its faults end in. */
export function stateFault(fact: string): LgiError {
  return new LgiError('damaged', `the checkpoint ${fact}; encode anew, or give an older one`, {
    section: 'checkpoint',
  });
}

/**
 * A part of a state, with the type and length that it must have.
 *
 * @throws LgiError `damaged`, section `checkpoint`, for a part that is not there or is another.
 */
export function partOf<A extends SavedArray>(state: SavedState, name: string, like: A): A {
  // A state has no prototype's names.
  const part = Object.hasOwn(state, name) ? state[name] : undefined;
  if (part?.constructor === like.constructor && part.length === like.length) return part as A;
  throw stateFault(`has no ${name} of ${like.length} numbers`);
}

/**
 * A part of a state whose numbers decide what is done next.
 *
 * @param rules of the numbers; of each group of as many where there are more.
 * @throws LgiError `damaged`, section `checkpoint`, for a part that is not there, is another or has a number against its rule.
 */
export function checkedPartOf<A extends SavedArray>(
  state: SavedState,
  name: string,
  like: A,
  rules: readonly NumberRule[],
): A {
  const part = partOf(state, name, like);
  for (const [i, value] of part.entries()) {
    const { least, most, isWhole = false } = rules[i % rules.length];
    if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) continue;
    throw stateFault(
      `has ${value} as number ${i} of ${name}, which is ${isWhole ? 'whole, ' : ''}from ${least} to ${most}`,
    );
  }
  return part;
}
