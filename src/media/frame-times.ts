import type { Rate } from '../rate.js';

/** Most frames of a clip: 5 hours at 60 a second. */
export const MAX_FRAMES = 2 ** 20;

/** How frames of uneven times become a signal of an even rate. */
export interface EvenTimes {
  readonly rate: Rate;
  /** Number of the frame that each position shows; ascending. */
  readonly frameOf: Uint32Array;
  /** Positions that show the frame before them once more. */
  readonly repeated: number;
  /** Frames that no position shows. */
  readonly dropped: number;
}

/** Rates that clips are made at. */
const USUAL_RATES: readonly Rate[] = [
  { numerator: 24_000, denominator: 1001 },
  { numerator: 24, denominator: 1 },
  { numerator: 25, denominator: 1 },
  { numerator: 30_000, denominator: 1001 },
  { numerator: 30, denominator: 1 },
  { numerator: 48, denominator: 1 },
  { numerator: 50, denominator: 1 },
  { numerator: 60_000, denominator: 1001 },
  { numerator: 60, denominator: 1 },
  { numerator: 120, denominator: 1 },
];

/** Part of a frame by which times may stray from an even rate: containers that count milliseconds round by up to 0.06 at 120 Hz. */
const JITTER = 0.1;

/** Part by which a measured rate may miss a usual one and still be meant as it. */
const RATE_TOLERANCE = 0.02;

function hertz({ numerator, denominator }: Rate): number {
  return numerator / denominator;
}

/**
 * Lays frames on an even rate: as they are where their times already lie on the rate that the file names, else each position
 * shows the last frame that has begun.
 *
 * @param seconds of each frame, ascending.
 * @param named the rate that the file names, if it does.
 * @returns undefined where it would be more than `mostPositions`.
 */
export function evenTimes(
  seconds: readonly number[],
  named: Rate | undefined,
  mostPositions: number,
): EvenTimes | undefined {
  const count = seconds.length;
  const length = seconds[count - 1] - seconds[0];
  if (named !== undefined && isEven(seconds, hertz(named))) return asTheyAre(count, named);
  if (count === 1) return asTheyAre(1, named ?? { numerator: 25, denominator: 1 });
  const measuredHz = (count - 1) / length;
  const usual = USUAL_RATES.filter((rate) => isEven(seconds, hertz(rate)));
  if (usual.length > 0) return asTheyAre(count, usual[0]);
  const rate = nearestRate(measuredHz, named);
  const rateHz = hertz(rate);
  const positions = Math.floor(length * rateHz + JITTER) + 1;
  if (!(positions <= mostPositions)) return undefined;
  const frameOf = new Uint32Array(positions);
  let repeated = 0;
  let dropped = 0;
  for (let position = 0, frame = 0; position < positions; position++) {
    const before = frame;
    while (frame + 1 < count && (seconds[frame + 1] - seconds[0]) * rateHz <= position + JITTER) frame++;
    if (position > 0 && frame === before) repeated++;
    dropped += Math.max(0, frame - before - 1);
    frameOf[position] = frame;
  }
  return { rate, frameOf, repeated, dropped };
}

function asTheyAre(count: number, rate: Rate): EvenTimes {
  return { rate, frameOf: Uint32Array.from({ length: count }, (_, i) => i), repeated: 0, dropped: 0 };
}

function isEven(seconds: readonly number[], rateHz: number): boolean {
  return seconds.every((each, i) => Math.abs((each - seconds[0]) * rateHz - i) <= JITTER);
}

/** The rate for times that follow none: the named or usual one near the mean, else the mean in thousandths. */
function nearestRate(measuredHz: number, named: Rate | undefined): Rate {
  const candidates = named === undefined ? USUAL_RATES : [named, ...USUAL_RATES];
  const near = candidates.find((rate) => Math.abs(hertz(rate) / measuredHz - 1) <= RATE_TOLERANCE);
  return near ?? { numerator: Math.max(1, Math.round(measuredHz * 1000)), denominator: 1000 };
}
