import type { Box } from '../../codec/grid.js';

/** Two numbers of a plane, vertical first. */
export type Pair = readonly [v: number, u: number];

/** What of a plane a canvas shows. */
export interface View {
  /** Device pixels per sample. */
  readonly scale: number;
  /** The place in the middle of the canvas, in samples. */
  readonly centre: Pair;
}

/** Most device pixels per sample: a sample then is as large as a thumbnail. */
const MAX_SCALE = 256;

/** A whole plane may get as small as this part of its fit: enough to see that it ends, too little to lose it. */
const LEAST_OF_FIT = 0.5;

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

/**
 * The view that shows all of a plane, as large as fits.
 *
 * @param shape samples of the plane.
 * @param canvas device pixels.
 */
export function fitView(shape: Pair, canvas: Pair): View {
  const scale = clamp(Math.min(canvas[0] / shape[0], canvas[1] / shape[1]), 1e-9, MAX_SCALE);
  return { scale, centre: [shape[0] / 2, shape[1] / 2] };
}

/** The nearest view that is allowed: neither lost outside the plane nor out of the range of scales. */
export function allowedView(view: View, shape: Pair, canvas: Pair): View {
  const fit = fitView(shape, canvas);
  const scale = clamp(view.scale, Math.min(fit.scale, 1) * LEAST_OF_FIT, MAX_SCALE);
  const centre = ([0, 1] as const).map((axis) => {
    const seen = canvas[axis] / scale;
    // What is smaller than the canvas stays inside it, what is larger covers it.
    const [least, most] = [seen / 2, shape[axis] - seen / 2];
    return clamp(view.centre[axis], Math.min(least, most), Math.max(least, most));
  });
  return { scale, centre: [centre[0], centre[1]] };
}

/** The view after a zoom by a factor that leaves what is at a point of the canvas where it is. */
export function zoomedView({ scale, centre }: View, factor: number, at: Pair, canvas: Pair): View {
  const next = scale * factor;
  const from = (axis: 0 | 1): number => at[axis] - canvas[axis] / 2;
  return {
    scale: next,
    centre: [centre[0] + from(0) / scale - from(0) / next, centre[1] + from(1) / scale - from(1) / next],
  };
}

/** The view after what is shown was moved by so many device pixels. */
export function movedView({ scale, centre }: View, by: Pair): View {
  return { scale, centre: [centre[0] - by[0] / scale, centre[1] - by[1] / scale] };
}

/**
 * Where the plane's first sample begins on the canvas, in device pixels; whole numbers, so that where scales are whole, too, outputs
 * lie on pixels.
 */
export function originOf({ scale, centre }: View, canvas: Pair): Pair {
  return [Math.round(canvas[0] / 2 - centre[0] * scale), Math.round(canvas[1] / 2 - centre[1] * scale)];
}

/** The place of the plane at a point of the canvas, in samples; outside the plane beyond its shape. */
export function placeAt(view: View, point: Pair, canvas: Pair): Pair {
  const origin = originOf(view, canvas);
  return [(point[0] - origin[0]) / view.scale, (point[1] - origin[1]) / view.scale];
}

/** Whole samples that the canvas shows anything of; null where it shows none. */
export function visibleBox(view: View, shape: Pair, canvas: Pair): Box | null {
  const first = placeAt(view, [0, 0], canvas);
  const last = placeAt(view, canvas, canvas);
  const begin = first.map((at) => Math.max(0, Math.floor(at)));
  const end = last.map((at, axis) => Math.min(shape[axis], Math.ceil(at)));
  return begin.some((at, axis) => at >= end[axis]) ? null : { begin, end };
}
