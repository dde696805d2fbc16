import type { Grid } from '../codec/grid.js';

/**
 * Samples whose latents are trained together with the shared weights; of larger pictures those spread evenly. The rest follows with
 * the shared weights as they are.
 */
const JOINT_SAMPLES = 1 << 22;

/** Partitions that are trained together: first those that the shared weights are trained by, spread evenly, then the others. */
export function latentGroups(grid: Grid): number[][] {
  const samples = grid.largestCell().reduce((product, length) => product * length, 1);
  const most = Math.max(1, Math.floor(JOINT_SAMPLES / samples));
  const all = Array.from({ length: grid.count }, (_, ordinal) => ordinal);
  if (all.length <= most) return [all];
  const isFirst = new Set(
    Array.from({ length: most }, (_, i) => Math.floor(((i + 0.5) * all.length) / most)),
  );
  const groups = [all.filter((ordinal) => isFirst.has(ordinal))];
  const rest = all.filter((ordinal) => !isFirst.has(ordinal));
  for (let at = 0; at < rest.length; at += most) groups.push(rest.slice(at, at + most));
  return groups;
}
