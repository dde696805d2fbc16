import { LgiError } from '../codec/errors.js';

/** Where a signal's grid lies in the units of what it was made from: sample `p` has its centre at `origin + (p + 1/2) spacing`. */
export interface GridPlacement {
  /** Corner of the first encode, one number per axis in axis order. */
  readonly origin: readonly number[];
  /** Between neighbouring samples, positive, one per axis. */
  readonly spacing: readonly number[];
}

/** Name of the metadata section that holds a placement. */
export const PLACEMENT_SECTION = 'placement';

/** Longest text that is looked at: three axes of two numbers with all their digits have 200 characters. */
const MAX_TEXT_BYTES = 4096;

/** The section's bytes: JSON in UTF-8. */
export function encodePlacement({ origin, spacing }: GridPlacement): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ origin, spacing }));
}

/**
 * The placement that a section holds.
 *
 * @param axes of the signal.
 * @throws LgiError `damaged`, section `placement`, for anything else.
 */
export function decodePlacement(bytes: Uint8Array, axes: number): GridPlacement {
  const fault = new LgiError(
    'damaged',
    `the section ${PLACEMENT_SECTION} does not say where ${axes} axes lie; what it says is not needed to decode`,
    { section: PLACEMENT_SECTION },
  );
  if (bytes.length > MAX_TEXT_BYTES) throw fault;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw fault;
  }
  const { origin, spacing } = (value ?? {}) as Partial<Record<keyof GridPlacement, unknown>>;
  if (!isNumbers(origin, axes) || !isNumbers(spacing, axes) || !spacing.every((step) => step > 0))
    throw fault;
  return { origin, spacing };
}

function isNumbers(value: unknown, count: number): value is number[] {
  return Array.isArray(value) && value.length === count && value.every((each) => Number.isFinite(each));
}
