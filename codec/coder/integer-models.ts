/** Bits that a header's model stands for: as many as a tensor of some ten weights has, so that both count. */
export const MODEL_COUNT = 128;

/** Lengths of a magnitude, in bits, that a model of integers may speak of: 0 to 30. */
const MOST_SHARES = 31;

/**
 * What a header says of the integers of each tensor: for magnitudes of at least 0, 1, ... bits, how many of {@link MODEL_COUNT} have
 * no more; undefined where the bytes do not say that of so many tensors.
 */
export function splitModels(bytes: Uint8Array, tensorCount: number): readonly Uint8Array[] | undefined {
  const models: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 1 + bytes[at];
    const shares = bytes.subarray(at + 1, end);
    if (end > bytes.length || shares.length > MOST_SHARES || shares.some((share) => share > MODEL_COUNT))
      return;
    models.push(shares);
    at = end;
  }
  return models.length === tensorCount ? models : undefined;
}
