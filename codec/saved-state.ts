/** Numbers of a training as they were at one moment, by name; engines and phases have names of their own. */
export type SavedState = Readonly<Record<string, SavedArray>>;

/** What a {@link SavedState} is made of. */
export type SavedArray = Uint8Array | Uint32Array | Float32Array | Float64Array;

/**
 * A part of a state, with the type and length that it must have: what is restored comes from a file.
 *
 * @throws RangeError for a part that is not there or is another.
 */
export function partOf<A extends SavedArray>(state: SavedState, name: string, like: A): A {
  const part = state[name];
  if (part?.constructor === like.constructor && part.length === like.length) return part as A;
  throw new RangeError(`the saved state has no ${name} of ${like.length} numbers`);
}
