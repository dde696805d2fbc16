import { renderColours, type RenderedPicture } from './patterns.js';
import { fractalNoise, hash, valueNoise } from './value-noise.js';

type Rgb = readonly [number, number, number];

/** Height of the shore line in the picture, 0 the top and 1 the bottom. */
const SHORE = 0.635;
const SUN = { u: 0.3, v: 0.43 };

function mix(a: Rgb, b: Rgb, share: number): Rgb {
  const s = share <= 0 ? 0 : share >= 1 ? 1 : share;
  return [a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * s, a[2] + (b[2] - a[2]) * s];
}

function smoothstep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

const SKY: readonly (readonly [v: number, colour: Rgb])[] = [
  [0, [0.13, 0.22, 0.43]],
  [0.2, [0.3, 0.42, 0.62]],
  [0.36, [0.65, 0.62, 0.68]],
  [0.47, [0.95, 0.73, 0.55]],
  [0.62, [1, 0.83, 0.6]],
];

function sky(u: number, v: number): Rgb {
  let colour = SKY[0][1];
  for (let i = 1; i < SKY.length; i++) {
    colour = mix(colour, SKY[i][1], smoothstep(SKY[i - 1][0], SKY[i][0], v));
  }
  const distance = Math.hypot(u - SUN.u, v - SUN.v);
  const glow = Math.exp(-distance * 5.5);
  colour = mix(colour, [1, 0.82, 0.5], 0.75 * glow);
  // Clouds are seen from below at a slant, so they grow flatter towards the horizon.
  const depth = 1 / (0.62 - 0.8 * v + 0.12);
  const density = fractalNoise(u * 1.6 * depth * 0.5 + 3, depth * 2.6, 6, 11);
  const cover = smoothstep(0.5, 0.74, density) * smoothstep(0.5, 0.3, v);
  const lit: Rgb = mix([0.78, 0.68, 0.72], [1, 0.84, 0.68], smoothstep(0.1, 0.42, v) + glow * 0.6);
  const shaded: Rgb = mix([0.36, 0.4, 0.55], [0.72, 0.55, 0.55], smoothstep(0.1, 0.45, v));
  colour = mix(colour, mix(lit, shaded, smoothstep(0.6, 0.86, density)), 0.85 * cover);
  return mix(colour, [1, 0.97, 0.86], smoothstep(0.042, 0.036, distance));
}

/** Ridge lines, far to near: where they lie, how rough they are, and the air's tint on them. */
const RANGES = [
  { base: 0.5, rise: 0.27, scale: 2.1, seed: 21, rock: [0.5, 0.5, 0.62], haze: 0.55, snow: 0.9 },
  { base: 0.575, rise: 0.2, scale: 2.7, seed: 37, rock: [0.33, 0.36, 0.46], haze: 0.3, snow: 0.25 },
  { base: 0.615, rise: 0.13, scale: 3.3, seed: 55, rock: [0.17, 0.24, 0.27], haze: 0.12, snow: 0 },
] as const;

const HAZE: Rgb = [0.93, 0.74, 0.62];

function ridge(u: number, range: (typeof RANGES)[number]): number {
  const { base, rise, scale, seed } = range;
  const folded = 1 - Math.abs(2 * fractalNoise(u * scale, seed * 0.7, 3, seed) - 1);
  const rough = fractalNoise(u * scale * 6, 0.5, 5, seed + 7) - 0.5;
  return base - rise * folded * folded * 0.95 - rise * 0.2 * rough;
}

/** Rock with snow where it is high and flat, lit from the sun's side. */
function slope(u: number, v: number, top: number, range: (typeof RANGES)[number]): Rgb {
  const { seed, rise, rock, haze, snow } = range;
  const below = (v - top) / rise;
  // Gullies run downhill and fan out: the relief is stretched along the slope and bent by a slower noise.
  const bend = 0.07 * fractalNoise(u * 7, v * 9, 2, seed + 60);
  const relief = (x: number, y: number) =>
    fractalNoise((x + bend) * 19 + y * 6, y * 12 + x * 3, 6, seed + 20);
  const step = 0.004;
  const here = relief(u, v);
  const light = (relief(u + step, v) - here) / step;
  const facing = smoothstep(-8, 8, light) + 0.3 * smoothstep(-1, 1, (u - SUN.u) * -2);
  const snowLine = 0.34 + 0.5 * (here - 0.5) + 0.14 * (valueNoise(u * 60, v * 60, seed + 40) - 0.5);
  const snowy = snow * smoothstep(snowLine + 0.1, snowLine - 0.08, below);
  const shadow = mix([rock[0] * 0.62, rock[1] * 0.66, rock[2] * 0.8], [0.62, 0.63, 0.78], snowy);
  const lit = mix([rock[0] * 1.1, rock[1], rock[2] * 0.95], [1, 0.9, 0.84], snowy);
  return mix(mix(shadow, lit, facing), HAZE, haze * (0.3 + 0.7 * smoothstep(0.3, SHORE, v)));
}

/** Top of the conifers on the far shore. */
function forest(u: number): number {
  let top = SHORE - 0.016 - 0.012 * fractalNoise(u * 30, 1, 3, 67);
  for (const [spacing, height, seed] of [
    [0.012, 0.062, 71],
    [0.017, 0.088, 83],
  ]) {
    const cell = Math.floor(u / spacing);
    for (let i = cell - 1; i <= cell + 1; i++) {
      const grove = smoothstep(0.3, 0.66, fractalNoise(i * spacing * 4.2, seed, 3, seed));
      const tall = height * (0.45 + 0.55 * hash(i, 1, seed)) * (0.3 + 0.7 * grove);
      const away = Math.abs(u - (i + 0.2 + 0.6 * hash(i, 2, seed)) * spacing) / (spacing * 0.62);
      const notch = 0.1 * Math.abs(((away * 4.3 + hash(i, 3, seed)) % 1) - 0.5);
      top = Math.min(top, SHORE - 0.008 - tall * (1 - away - notch));
    }
  }
  return top;
}

/** A function of `u` tabulated between two ends, since every column of land and water asks for it again. */
function tabulate(
  shape: (u: number) => number,
  from: number,
  to: number,
  step: number,
): (u: number) => number {
  const values = Float64Array.from({ length: Math.ceil((to - from) / step) + 2 }, (_, i) =>
    shape(from + i * step),
  );
  return (u) => {
    const place = Math.min(values.length - 2, Math.max(0, (u - from) / step));
    const index = Math.floor(place);
    return values[index] + (values[index + 1] - values[index]) * (place - index);
  };
}

/** Colour of everything above the water at a place, `pixel` being the height of a pixel there. */
type Land = (u: number, v: number, pixel: number) => Rgb;

function makeLand(width: number, height: number): Land {
  const step = 0.4 / height;
  // Ripples look a little past the picture's sides.
  const [from, to] = [-0.05, width / height + 0.05];
  const ridges = RANGES.map((range) => tabulate((u) => ridge(u, range), from, to, step));
  const trees = tabulate(forest, from, to, step);
  return (u, v, pixel) => {
    // Front to back, so that what is hidden is not computed.
    const cover = Math.min(1, (v - trees(u)) / pixel + 0.5);
    if (cover >= 1) return needles(u, v);
    let behind = RANGES.length - 1;
    while (behind >= 0 && (v - ridges[behind](u)) / pixel + 0.5 < 1) behind--;
    let colour = behind < 0 ? sky(u, Math.min(v, 0.62)) : slope(u, v, ridges[behind](u), RANGES[behind]);
    for (let i = behind + 1; i < RANGES.length; i++) {
      const top = ridges[i](u);
      const share = (v - top) / pixel + 0.5;
      if (share > 0) colour = mix(colour, slope(u, v, top, RANGES[i]), share);
    }
    return cover > 0 ? mix(colour, needles(u, v), cover) : colour;
  };
}

/** The far shore's trees. */
function needles(u: number, v: number): Rgb {
  const tint = valueNoise(u * 260, v * 160, 91);
  const dark: Rgb = [0.07 + 0.06 * tint, 0.12 + 0.08 * tint, 0.12 + 0.04 * tint];
  return mix(dark, HAZE, 0.22 * smoothstep(SHORE - 0.05, SHORE, v));
}

/** The lake: the land mirrored, bent by ripples that grow towards the viewer. */
function water(land: Land, u: number, v: number, pixel: number): Rgb {
  const near = (v - SHORE) / (1 - SHORE);
  const distance = 1 / (near + 0.06);
  const row = distance * 9;
  const swell = fractalNoise(u * 5 * (0.4 + distance * 0.22), row * 1.4, 3, 101) - 0.5;
  const ripple = fractalNoise(u * 22 * (0.5 + distance * 0.1), row * 4.5, 3, 113) - 0.5;
  const bend = (swell * 0.16 + ripple * 0.1) * (0.08 + near);
  const mirrored = Math.max(0, Math.min(SHORE - 0.001, SHORE - (v - SHORE) * 1.05 + bend));
  const image = land(u + ripple * 0.02 * near, mirrored, pixel * 2);
  const deep: Rgb = [0.07, 0.14, 0.2];
  let colour = mix(image, deep, 0.2 + 0.34 * near + 0.5 * Math.max(0, ripple) * near);
  const path = Math.exp(-(((u - SUN.u + swell * 0.05) / (0.022 + 0.075 * near)) ** 2));
  colour = mix(colour, [1, 0.88, 0.64], path * smoothstep(0.04, 0.2, ripple + 0.12 * (1 - near)) * 0.9);
  const mist = Math.exp(-near * 26);
  return mix(colour, [0.97, 0.82, 0.68], 0.3 * mist);
}

/** How much of a pixel the old spruce in front covers, and how lit it is there. */
function spruce(u: number, v: number, aspect: number): { cover: number; light: number } {
  const [centre, top, bottom] = [aspect - 0.185, 0.085, 1.05];
  const side = u - centre - 0.005 * Math.sin(v * 9);
  const away = Math.abs(side);
  if (away > 0.22 || v < top) return { cover: 0, light: 0 };
  const along = (v - top) / (bottom - top);
  const mirror = side > 0 ? 1 : 0;
  const sway = valueNoise(side * 22, along * 15, 131);
  // Branches hang and lift their tips: seen outwards they belong to a whorl that begins higher up.
  const droop = away * (13 + 10 * along) - away * away * 42;
  const whorl = 24 * along ** 0.92 - droop + 0.9 * sway + 0.45 * mirror;
  const [index, within] = [Math.floor(whorl), whorl - Math.floor(whorl)];
  const reach = 0.004 + 0.175 * along ** 0.8 * (0.62 + 0.5 * hash(index, mirror, 137));
  const edge = reach * (0.34 + 0.66 * Math.sin(Math.PI * Math.min(1, within * 0.8 + 0.18)));
  const tuft = fractalNoise(side * 120 + whorl * 1.5, v * 150 + away * 60, 3, 149);
  const branch = smoothstep(-0.004, 0.01, edge - away + (tuft - 0.56) * 0.055);
  const gaps = smoothstep(
    0.22,
    0.4,
    tuft + 0.3 * (1 - away / (reach + 0.001)) + 0.3 * Math.sin(Math.PI * within),
  );
  const trunk = smoothstep(0.0035 + 0.006 * along, 0.002 + 0.005 * along, away);
  const sunward = side < 0 ? 1 : 0.45;
  const light =
    smoothstep(0.35, 0.8, tuft) * (0.25 + 0.75 * smoothstep(0.15, 1, away / reach)) * sunward * (1 - within);
  return { cover: Math.max(branch * gaps, trunk), light };
}

/** Paints one tapering blade of reed over the picture, row by row from its root upwards. */
function paintBlade(
  colours: Float32Array,
  size: { width: number; height: number },
  blade: { root: number; height: number; lean: number; thickness: number; colour: Rgb },
): void {
  const { width, height } = size;
  const top = Math.floor((1.01 - blade.height) * height);
  for (let row = Math.max(0, top); row < height; row++) {
    const t = (1.01 - (row + 0.5) / height) / blade.height;
    const x = (blade.root + blade.lean * t * t) * height;
    // Slanted parts are wider along a row.
    const slant = Math.hypot(1, (2 * blade.lean * t) / blade.height);
    const half = 0.5 * blade.thickness * height * Math.max(0, 1 - t ** 1.7) * slant;
    const strength = 0.92 * Math.min(1, half / 0.35);
    const last = Math.min(width - 1, Math.floor(x + half + 1));
    for (let column = Math.max(0, Math.floor(x - half - 1)); column <= last; column++) {
      const cover =
        strength * Math.max(0, Math.min(1, Math.max(half, 0.35) + 0.5 - Math.abs(column + 0.5 - x)));
      const at = (row * width + column) * 3;
      const light = 0.45 + 0.75 * t;
      for (let c = 0; c < 3; c++) colours[at + c] += (blade.colour[c] * light - colours[at + c]) * cover;
    }
  }
}

function paintReeds(colours: Float32Array, width: number, height: number): void {
  const aspect = width / height;
  const count = Math.round(260 * aspect);
  for (let i = 0; i < count; i++) {
    const place = hash(i, 1, 163) * aspect;
    const grove = fractalNoise(place * 3.1, 4, 2, 167) + 0.25 * Math.abs(place / aspect - 0.45);
    const tall = 0.04 + 0.3 * smoothstep(0.35, 0.85, grove) * (0.4 + 0.6 * hash(i, 2, 163));
    const dry = hash(i, 3, 163);
    const colour = mix([0.1, 0.16, 0.09], [0.48, 0.38, 0.17], dry * dry);
    const lean = (hash(i, 4, 163) - 0.42) * 0.5 * tall;
    paintBlade(colours, { width, height }, { root: place, height: tall, lean, thickness: 0.0055, colour });
  }
}

/**
 * A mountain lake at sunset, the same picture at every size: smooth sky, rough rock, ripples, needles and reeds.
 *
 * Made by code, so that tests, benchmarks and the README need no picture of anybody's.
 *
 * @param layout `rgb` by default; `grey` is its BT.601 luma.
 */
export function scene(width: number, height: number, layout: 'rgb' | 'grey' = 'rgb'): RenderedPicture {
  const colours = new Float32Array(width * height * 3);
  const land = makeLand(width, height);
  const pixel = 1 / height;
  const aspect = width / height;
  for (let y = 0, at = 0; y < height; y++) {
    const v = (y + 0.5) * pixel;
    for (let x = 0; x < width; x++, at += 3) {
      const u = (x + 0.5) * pixel;
      let colour = v < SHORE ? land(u, v, pixel) : water(land, u, v, pixel);
      const { cover, light } = spruce(u, v, aspect);
      if (cover > 0) colour = mix(colour, mix([0.03, 0.055, 0.055], [0.5, 0.4, 0.2], light), cover);
      colours.set(colour, at);
    }
  }
  paintReeds(colours, width, height);
  return renderColours(colours, width, height, layout);
}
