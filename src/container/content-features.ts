import { contains, type Grid } from '../../codec/grid.js';
import { hasShortHeads } from './chunk.js';
import type { Header } from './header.js';
import { NEW_FILE_VERSION } from './limits.js';
import { hasLocalOrigin } from './local-weights.js';
import { FEATURES, type Superblock } from './superblock.js';

/** Version and features of a superblock. */
export type Format = Pick<Superblock, 'version' | 'features'>;

/** What a file of plain content says. */
export const PLAIN_FORMAT: Format = {
  version: NEW_FILE_VERSION,
  features: { mustUnderstand: 0n, mustUnderstandToWrite: 0n, mayIgnore: 0n },
};

/** The format of a new file: with short slots where signals have short heads. */
export function newFileFormat(header: Header, { version, features }: Format): Format {
  if (!header.signals.some(hasShortHeads)) return { version, features };
  return {
    version,
    features: { ...features, mustUnderstand: features.mustUnderstand | FEATURES.shortSlots },
  };
}

/**
 * Version and features for some content, in a superblock that is laid out already.
 *
 * @param columns how the index says where the chunks are.
 * @param kept those of the files that it comes from, of which none is taken away.
 */
export function formatFor(
  header: Header,
  signals: readonly { readonly grid: Grid }[],
  columns: readonly { readonly isImplied: boolean }[],
  { version, features }: Format,
): Format {
  const goesBeyond = signals.some(({ grid }, i) => {
    const { firstShape } = header.signals[i];
    return !contains({ begin: firstShape.map(() => 0), end: firstShape }, grid.extent);
  });
  const hasOverviews = header.signals.some(({ role }) => role === 'overview');
  const isImplied = columns.some((each) => each.isImplied);
  const hasConstants = header.signals.some(({ constantPartitions }) => constantPartitions === true);
  const hasLatents = header.signals.some(({ latents }) => latents !== undefined);
  const hasOrigin = header.signals.some(hasLocalOrigin);
  const needed = [
    goesBeyond || hasOverviews,
    isImplied,
    hasConstants,
    header.signals.some(hasShortHeads),
    hasOrigin,
  ];
  const minor = needed.lastIndexOf(true) + 1;
  const mustUnderstand =
    (goesBeyond ? FEATURES.extentBeyondFirst : 0n) |
    (isImplied ? FEATURES.impliedChunks : 0n) |
    (hasConstants ? FEATURES.constantPartitions : 0n) |
    (hasLatents ? FEATURES.latentFamily : 0n) |
    (hasOrigin ? FEATURES.localOrigin : 0n);
  return {
    version: { ...version, minor: Math.max(version.minor, minor) },
    features: { ...features, mustUnderstand: features.mustUnderstand | mustUnderstand },
  };
}
