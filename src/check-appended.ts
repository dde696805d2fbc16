import { LgiError } from '../codec/errors.js';
import { AXES } from '../codec/signal.js';
import { SRGB } from './colour.js';
import type { Container } from './container/reader.js';
import { decodePlacement, PLACEMENT_SECTION, type GridPlacement } from './grid-placement.js';
import { isSameProfile, isSrgbProfile, profileText } from './icc-profile.js';
import type { AllowedDifferences } from './matching-media.js';
import type { Media } from './media/media.js';
import { colourText, isSameColour } from './same-colour.js';

/** Part by which voxel sizes may differ and still be one: headers hold float32, and people write three digits and more. */
const SPACING_TOLERANCE = 1e-4;

/** Voxels by which a corner may miss its place: half a one, to which the grid rounds anyway. */
const CORNER_TOLERANCE = 0.5;

/** What is let through though it differs from the file's metadata. */
export interface AllowedByAppend extends AllowedDifferences {
  /** Voxels of another size, or elsewhere in space; they are taken to go on as the file's do. */
  readonly ignorePlacement?: boolean;
}

/**
 * Refuses a medium whose ICC profile, voxel size or place in space is not what the file's metadata says. Metadata are those of a
 * file's first signal; what either of the two does not say is taken for the same.
 *
 * @param corner of the medium, in positions of the first encode's axes.
 * @throws LgiError `media` with both values; `damaged`, `truncated` or `io` of metadata that cannot be read.
 */
export async function checkAppended(
  container: Container,
  signalIndex: number,
  media: Media,
  corner: readonly number[],
  { ignoreColour = false, ignorePlacement = false }: AllowedByAppend,
  signal?: AbortSignal,
): Promise<void> {
  if (signalIndex !== 0) return;
  if (!ignoreColour && (media.kind === 'image' || media.kind === 'video')) {
    checkProfile(container, media, await container.readSection('icc', signal));
  }
  if (ignorePlacement || media.placement === undefined) return;
  const section = await container.readSection(PLACEMENT_SECTION, signal);
  if (section === null) return;
  checkPlacement(media, decodePlacement(section, AXES[media.kind].length), corner);
}

/** Where either has a profile; code points alone are compared with the sample format. */
function checkProfile(container: Container, { colour, iccProfile }: Media, file: Uint8Array | null): void {
  const fileColour = container.header.signals[0].colour;
  if (file === null && iccProfile === undefined) return;
  const isSame =
    file !== null && iccProfile !== undefined
      ? isSameProfile(file, iccProfile)
      : file !== null
        ? colour === undefined || (isSrgbProfile(file) && isSameColour(colour, SRGB))
        : iccProfile !== undefined &&
          (fileColour === undefined || (isSrgbProfile(iccProfile) && isSameColour(fileColour, SRGB)));
  if (isSame) return;
  const describe = (profile: Uint8Array | null | undefined, code: Media['colour']): string =>
    profile ? profileText(profile) : code ? colourText(code) : 'not named';
  throw new LgiError(
    'media',
    `the file's colours are ${describe(file, fileColour)}, those of what is appended ${describe(iccProfile, colour)}; ` +
      "convert it to the file's colour space first, or take its numbers as they are by `ignoreColour`",
  );
}

function checkPlacement({ kind, placement }: Media, file: GridPlacement, corner: readonly number[]): void {
  if (placement === undefined) return;
  const { spacing, origin } = placement;
  const numbers = (values: readonly number[]): string =>
    values.map((value) => Number(value.toPrecision(7))).join(' x ');
  const isOther = spacing.some(
    (step, axis) => !(Math.abs(step / file.spacing[axis] - 1) <= SPACING_TOLERANCE),
  );
  const axes = `(${AXES[kind].join(', ')})`;
  if (isOther) {
    throw new LgiError(
      'media',
      `the file's voxels measure ${numbers(file.spacing)} ${axes}, those of what is appended ${numbers(spacing)}; ` +
        "resample it to the file's voxels first, or take them as they are by `ignorePlacement`",
    );
  }
  // Readers of volumes give zeros where a file does not say where it lies.
  const isPlaced = (values: readonly number[]): boolean => values.some((value) => value !== 0);
  if (!isPlaced(origin) || !isPlaced(file.origin)) return;
  const expected = file.origin.map((begin, axis) => begin + corner[axis] * file.spacing[axis]);
  const isElsewhere = origin.some(
    (begin, axis) => Math.abs(begin - expected[axis]) > CORNER_TOLERANCE * file.spacing[axis],
  );
  if (!isElsewhere) return;
  throw new LgiError(
    'media',
    `what is appended begins at ${numbers(origin)} ${axes} in space, its place in the file is ${numbers(expected)}; ` +
      'give another side, or take it as it is by `ignorePlacement`',
  );
}
