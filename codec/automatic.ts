import { countParameters, type Architecture, type ParameterCount } from './architecture.js';
import { OptionError } from './errors.js';
import { MAX_PARTITIONS } from './grid.js';

/** What automatic partitioning is asked for. */
export interface AutomaticTargets {
  /** Parameters altogether, 1 to {@link MAX_PARAMETERS}. */
  readonly parameters: number;
  /** Part of them in the global network and the merge, 0 to below 1; 0 asks for no global network at all. */
  readonly globalShare: number;
  /** Samples of a partition per axis, axes in the signal's order. */
  readonly cell: readonly number[];
  /** Partitions that get networks, where not all do. */
  readonly networks?: number;
}

/** Grid and widths that meet the targets. */
export interface AutomaticChoice {
  /** Cells per axis. */
  readonly counts: readonly number[];
  readonly localWidth: number;
  readonly globalWidth: number;
  readonly parameters: ParameterCount;
  /** Says so where no widths come within {@link TOLERANCE} of the target. */
  readonly notice?: string;
}

/** The paper's bound (appendix A, line 8). */
export const TOLERANCE = 0.01;

/** Part of the target by which the closest choice may miss it; beyond, it is another request than the one made. */
const REFUSED_ERROR = 0.5;

/** One GiB of f32; with gradients and two moments it fills the 4 GiB of a WebAssembly memory. Also bounds the search. */
export const MAX_PARAMETERS = 2 ** 28;

interface Candidate {
  readonly localWidth: number;
  readonly globalWidth: number;
  readonly parameters: ParameterCount;
}

/** Cells per axis whose size is nearest to the one asked for; at least one, at most one per sample. */
function partitionCounts(shape: readonly number[], cell: readonly number[]): number[] {
  if (cell.length !== shape.length) {
    throw new OptionError(
      'cell',
      `${cell.length} numbers given for a signal of ${shape.length} axes; give ${shape.length}`,
    );
  }
  for (const size of cell) {
    if (!Number.isSafeInteger(size) || size < 1)
      throw new OptionError('cell', `${size} is no positive whole number`);
  }
  const counts = shape.map((length, axis) => Math.max(1, Math.round(length / cell[axis])));
  const partitions = counts.reduce((product, count) => product * count, 1);
  if (partitions > MAX_PARTITIONS) {
    throw new OptionError(
      'cell',
      `makes ${partitions} partitions, the limit is ${MAX_PARTITIONS}; choose larger cells`,
    );
  }
  return counts;
}

/** Smallest whole number from 1 on that satisfies a monotonic condition. */
function smallest(condition: (value: number) => boolean): number {
  let high = 1;
  while (!condition(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (condition(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function shareOf({ parameters }: Candidate): number {
  return parameters.global / parameters.total;
}

/** The first candidate that no other beats on the first differing measure. */
function best(candidates: readonly Candidate[], measures: readonly ((c: Candidate) => number)[]): Candidate {
  return candidates.reduce((kept, candidate) => {
    for (const measure of measures) {
      const difference = measure(candidate) - measure(kept);
      if (difference !== 0) return difference < 0 ? candidate : kept;
    }
    return kept;
  });
}

/**
 * Grid counts and network widths for a target size: the paper's automatic partitioning (appendix A), with its promise kept.
 *
 * The paper steps the global width alone and may never end; this searches every local width H and, since total and
 * share both grow with G, finds each one's best global width G by bisection. Of all (H, G) within 1 % of the target
 * it takes the one whose global share is closest to the asked, then the one closest to the target. Where there is
 * none, it takes the closest to the target and says so in a notice.
 *
 * @param architecture gives inputs, outputs and levels; its widths are not used.
 * @param shape samples per axis.
 * @throws OptionError naming `params`, `globalShare` or `cell` when that is out of range, and `params` where nothing
 * comes within 50 % of it.
 */
export function automaticPartitioning(
  architecture: Architecture,
  shape: readonly number[],
  targets: AutomaticTargets,
): AutomaticChoice {
  const { parameters: target, globalShare, cell } = targets;
  if (!Number.isInteger(target) || target < 1 || target > MAX_PARAMETERS) {
    throw new OptionError('params', `${target} is no whole number from 1 to ${MAX_PARAMETERS}`);
  }
  if (!(globalShare >= 0 && globalShare < 1)) {
    throw new OptionError('globalShare', `${globalShare} is no number from 0 to below 1`);
  }
  const counts = partitionCounts(shape, cell);
  const partitions = targets.networks ?? counts.reduce((product, count) => product * count, 1);
  const at = (localWidth: number, globalWidth: number): Candidate => ({
    localWidth,
    globalWidth,
    parameters: countParameters({ ...architecture, localWidth, globalWidth }, partitions),
  });
  const leastGlobal = globalShare === 0 ? 0 : 1;
  const low = target * (1 - TOLERANCE);
  const high = target * (1 + TOLERANCE);

  const within: Candidate[] = [];
  const nearest: Candidate[] = [];
  for (let localWidth = 1; ; localWidth++) {
    const narrowest = at(localWidth, leastGlobal);
    const widths = new Set([leastGlobal]);
    if (leastGlobal > 0 && narrowest.parameters.total < high) {
      // On either side of where the total enters the range, meets the target, leaves the range, and the share is right.
      for (const condition of [
        (c: Candidate) => c.parameters.total >= low,
        (c: Candidate) => c.parameters.total >= target,
        (c: Candidate) => c.parameters.total > high,
        (c: Candidate) => shareOf(c) >= globalShare,
      ]) {
        const width = smallest((globalWidth) => condition(at(localWidth, globalWidth)));
        widths.add(width);
        if (width > 1) widths.add(width - 1);
      }
    }
    for (const globalWidth of widths) {
      const candidate = at(localWidth, globalWidth);
      const { total } = candidate.parameters;
      if (total >= low && total <= high) within.push(candidate);
      nearest.push(candidate);
    }
    if (narrowest.parameters.total > high) break;
  }
  const shareError = (c: Candidate): number => Math.abs(shareOf(c) - globalShare);
  const totalError = (c: Candidate): number => Math.abs(c.parameters.total - target);
  if (within.length > 0) return { counts, ...best(within, [shareError, totalError]) };
  const closest = best(nearest, [totalError, shareError]);
  const { total } = closest.parameters;
  if (totalError(closest) > REFUSED_ERROR * target) {
    const least = at(1, leastGlobal).parameters.total;
    const partitionsText = `${counts.join('x')} partitions`;
    throw new OptionError(
      'params',
      total === least
        ? `${target} is too few: ${partitionsText} need at least ${least}; ask for as many, or take larger cells`
        : `${target} cannot be met on ${partitionsText}, ${total} is the closest; ask for about that, or change the cell`,
    );
  }
  const percent = ((100 * totalError(closest)) / target).toFixed(1);
  return {
    counts,
    ...closest,
    notice:
      `no widths give ${target} parameters within 1 % on ${counts.join('x')} partitions; ` +
      `${total} is the closest (${percent} % off), change \`params\` or \`cell\` to come nearer`,
  };
}
