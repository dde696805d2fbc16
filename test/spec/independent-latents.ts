// The latent family of the second reader (independent-reader.ts), written from section 15 of spec/latent.md alone.

import { readFileSync } from 'node:fs';

/** Section 15.2. */
export class RangeDecoder {
  private range = 2 ** 32 - 1;
  private code = 0;
  private read = 0;

  constructor(private readonly bytes: Uint8Array) {
    for (let i = 0; i < 4; i++) this.code = this.code * 256 + this.next();
  }

  private next(): number {
    return this.bytes[this.read++] ?? 0;
  }

  bit(probability: number): number {
    const bound = Math.floor(this.range / 2 ** 15) * probability;
    const bit = this.code < bound ? 0 : 1;
    if (bit === 0) this.range = bound;
    else {
      this.code -= bound;
      this.range -= bound;
    }
    while (this.range < 2 ** 24) {
      this.range *= 256;
      this.code = (256 * this.code + this.next()) % 2 ** 32;
    }
    return bit;
  }

  even(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) value = 2 * value + this.bit(2 ** 14);
    return value;
  }

  end(): void {
    const { length } = this.bytes;
    if (this.read < length || (length > 0 && this.bytes[length - 1] === 0)) throw new Error('not well ended');
  }
}

/** An adaptive model of section 15.3. */
export class NumberModel {
  private readonly counts: number[][];

  constructor(zeros: readonly number[] = []) {
    this.counts = Array.from({ length: 31 }, (_, n) =>
      n < zeros.length ? [zeros[n], 128 - zeros[n]] : [0, 0],
    );
  }

  read(decoder: RangeDecoder): number {
    let n = 0;
    while (n < 31) {
      const count = this.counts[n];
      const bit = decoder.bit(Math.floor((2 ** 15 * (2 * count[0] + 1)) / (2 * (count[0] + count[1]) + 2)));
      count[bit]++;
      if (count[0] + count[1] > 255) this.counts[n] = count.map((each) => Math.floor(each / 2));
      if (bit === 0) break;
      n++;
    }
    if (n === 0) return 0;
    const sign = decoder.even(1) === 1 ? -1 : 1;
    return sign * (2 ** (n - 1) + decoder.even(n - 1));
  }
}

const SCALE = (s: number): number => 2 ** ((s - 40) / 8);
const held = (p: number): number => Math.max(1, Math.min(2 ** 15 - 1, Math.round(p * 2 ** 15)));
const same = (s: number, j: number): number =>
  held(1 - (Math.exp(-(1 / 2 - j / 16) / SCALE(s)) + Math.exp(-(1 / 2 + j / 16) / SCALE(s))) / 2);
const toward = (s: number, j: number): number => held(1 / (1 + Math.exp((-2 * j) / 16 / SCALE(s))));
const end = (s: number): number => held(1 - Math.exp(-1 / SCALE(s)));
const digit = (s: number): number => held(1 / (1 + Math.exp(-1 / SCALE(s))));

function logarithm(S: number): number {
  const o = Math.floor(Math.log2(S));
  const a = Math.floor((S / 2 ** o - 1) * 64);
  return 32 * o + Math.round(32 * Math.log2(1 + a / 64));
}

export interface LatentFamily {
  readonly levels: number;
  readonly finest: readonly number[];
  readonly hidden: number;
  readonly channels: number;
  readonly amplitude: number;
  readonly defaultSet: number;
}

/** The built-in weights of section 15.3, as their numbers and exponents. */
function readDefaults(family: LatentFamily): Pick<Shared, 'numbers' | 'exponents'> | undefined {
  if (family.defaultSet === 0) return undefined;
  const name = family.finest.length === 1 ? 'grey-1' : 'rgb-1';
  const bytes = readFileSync(new URL(`../../spec/latent-defaults/${name}.bin`, import.meta.url));
  return readShared({ ...family, defaultSet: 0 }, bytes);
}

interface Grid {
  readonly level: number;
  readonly plane: number;
  readonly parent: number;
  readonly earlier: readonly number[];
}

type Matrix = number[][];

function gridsOf({ levels, finest }: LatentFamily): Grid[] {
  const grids: Grid[] = [];
  for (let level = levels - 1; level >= 0; level--) {
    finest.forEach((first, plane) => {
      if (level < first) return;
      grids.push({
        level,
        plane,
        parent: grids.findIndex((grid) => grid.plane === plane && grid.level === level + 1),
        earlier: grids.flatMap((grid, i) => (grid.level === level ? [i] : [])),
      });
    });
  }
  return grids;
}

/** Section 15.3. */
interface Shared {
  readonly grids: Grid[];
  readonly hiddenWeight: Matrix;
  readonly hiddenBias: number[];
  readonly outputWeight: Matrix;
  readonly outputBias: number[];
  readonly bypass: Matrix;
  readonly taps: Matrix;
  readonly models: {
    mean: number[];
    spread: number[];
    offset: number;
    gain: number;
    presence: number;
  }[];
  /** All numbers in their order, and the exponents of the first six tensors. */
  readonly numbers: number[];
  readonly exponents: number[];
}

export function readShared(family: LatentFamily, bytes: Uint8Array): Shared {
  const decoder = new RangeDecoder(bytes);
  const grids = gridsOf(family);
  const { hidden: D, channels: m, levels } = family;
  const defaults = readDefaults(family);
  const [numbers, exponents]: [number[], number[]] = [[], []];
  const read = (model: NumberModel, count: number, factor = 1): number[] =>
    Array.from({ length: count }, () => {
      const base = Math.floor((defaults?.numbers[numbers.length] ?? 0) * factor + 0.5);
      numbers.push(base + model.read(decoder));
      return numbers[numbers.length - 1];
    });
  const real = (rows: number, columns: number): Matrix => {
    const model = new NumberModel();
    const exponent = decoder.even(5);
    const factor = 2 ** (exponent - (defaults?.exponents[exponents.length] ?? exponent));
    exponents.push(exponent);
    return Array.from({ length: rows }, () =>
      read(model, columns, factor).map((number) => number * 2 ** -exponent),
    );
  };
  const [hiddenWeight, [hiddenBias]] = [real(D, grids.length), real(1, D)];
  const [outputWeight, [outputBias]] = [real(m, D), real(1, m)];
  const [bypass, taps] = [real(m, grids.length), real(levels - 1, 4)];
  const [means, spreads, offsets, gains, presences] = Array.from({ length: 5 }, () => new NumberModel());
  const models = grids.map(({ parent, earlier }) => {
    const contexts = 8 + (parent < 0 ? 0 : 1) + earlier.length;
    return {
      mean: read(means, contexts),
      spread: read(spreads, contexts),
      offset: read(offsets, 1)[0],
      gain: read(gains, 1)[0],
      presence: read(presences, 1)[0],
    };
  });
  decoder.end();
  return {
    grids,
    hiddenWeight,
    hiddenBias,
    outputWeight,
    outputBias,
    bypass,
    taps,
    models,
    numbers,
    exponents,
  };
}

/** Section 15.4: every grid's latents, by rows. */
function readLatents(shared: Shared, payload: Uint8Array, height: number, width: number): Matrix[] {
  const decoder = new RangeDecoder(payload);
  const all: Matrix[] = [];
  shared.grids.forEach(({ level, parent, earlier }, g) => {
    const { mean, spread, offset, gain, presence } = shared.models[g];
    const [rows, columns] = [height, width].map((length) => Math.ceil(length / 2 ** level));
    const grid: Matrix = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
    all.push(grid);
    if (decoder.bit(128 * presence) === 0) return;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const near = (
          [
            [0, -1],
            [0, -2],
            [-1, -1],
            [-1, 0],
            [-1, 1],
            [-2, 0],
            [-1, -2],
            [-1, 2],
          ] as const
        ).map(([dy, dx]) => grid[y + dy]?.[x + dx] ?? 0);
        if (parent >= 0) near.push(all[parent][y >> 1][x >> 1]);
        near.push(...earlier.map((other) => all[other][y][x]));
        const M = near.reduce((sum, n, i) => sum + mean[i] * n, 0);
        const S = near.reduce((sum, n, i) => sum + spread[i] * Math.abs(n), 3);
        let c = Math.floor((M + 32) / 64);
        const f = M - 64 * c;
        const s = Math.max(0, Math.min(127, Math.floor((offset + gain * logarithm(S) + 128) / 256)));
        const j = (Math.abs(f) + 2) >> 2;
        c = Math.max(-32767, Math.min(32767, c));
        if (decoder.bit(same(s, j)) === 1) {
          const t = decoder.bit(toward(s, j));
          let d = 0;
          const k = s < 48 ? 0 : (s - 40) >> 3;
          for (let i = 0; i < k; i++) d += decoder.bit(digit(s - 8 * i)) * 2 ** i;
          let q = 0;
          while (q < 16 && decoder.bit(end(s - 8 * k)) === 1) q++;
          if (q === 16) {
            let b = 0;
            while (b < 17 && decoder.bit(2 ** 14) === 1) b++;
            q = 16 + 2 ** b + decoder.even(b) - 1;
          }
          d += q * 2 ** k + 1;
          c = (t === 0 && f > 0) || (t === 1 && f <= 0) ? c + d : c - d;
          if (Math.abs(c) > 32767) throw new Error('a latent is too large');
        }
        grid[y][x] = c;
      }
    }
  });
  decoder.end();
  return all;
}

/** Section 15.5, one doubling of one axis: of rows, or of the columns of a transposed matrix. */
function doubledRows(input: Matrix, length: number, t: readonly number[]): Matrix {
  const row = (i: number): number[] => input[Math.max(0, Math.min(input.length - 1, i))];
  return Array.from({ length }, (_, out) => {
    const i = out >> 1;
    const sources = out % 2 === 0 ? [i - 2, i - 1, i, i + 1] : [i + 2, i + 1, i, i - 1];
    return input[0].map((__, x) => sources.reduce((sum, source, tap) => sum + t[tap] * row(source)[x], 0));
  });
}

const transposed = (matrix: Matrix): Matrix => matrix[0].map((_, x) => matrix.map((row) => row[x]));

/** Section 15.5: channels by rows, in units of the amplitude. */
export function synthesise(shared: Shared, payload: Uint8Array, height: number, width: number): Matrix[] {
  const features = readLatents(shared, payload, height, width).map((latents, g) => {
    const { level } = shared.grids[g];
    let feature = latents.map((row) => row.map((latent) => latent * 2 ** -level));
    for (let l = level - 1; l >= 0; l--) {
      const [rows, columns] = [height, width].map((length) => Math.ceil(length / 2 ** l));
      const tall = doubledRows(feature, rows, shared.taps[l]);
      feature = transposed(doubledRows(transposed(tall), columns, shared.taps[l]));
    }
    return feature;
  });
  return shared.outputBias.map((bias, channel) =>
    Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (__, x) => {
        const f = features.map((feature) => feature[y][x]);
        const dot = (weights: readonly number[]): number => f.reduce((sum, v, k) => sum + weights[k] * v, 0);
        const z = shared.hiddenWeight.map((row, d) => Math.max(0, dot(row) + shared.hiddenBias[d]));
        const out = z.reduce((sum, v, d) => sum + shared.outputWeight[channel][d] * v, bias);
        return out + dot(shared.bypass[channel]);
      }),
    ),
  );
}

/** A picture of partitions, by their cell: cuts of both axes, and each present partition's channels. */
export class LatentPicture {
  /** Per channel the smoothed value at every sample, by `y,x`. */
  private readonly values: Map<string, number>[];

  constructor(
    private readonly cuts: readonly (readonly number[])[],
    private readonly parts: ReadonlyMap<string, Matrix[]>,
    private readonly channels: number,
    private readonly amplitude: number,
  ) {
    const [rows, columns] = cuts;
    this.values = Array.from({ length: channels }, (_, channel) => {
      const plane = new Map<string, number>();
      for (const [cell, part] of parts) {
        const [i, k] = cell.split(',').map(Number);
        part[channel].forEach((row, y) =>
          row.forEach((value, x) => plane.set(`${rows[i] + y},${columns[k] + x}`, value)),
        );
      }
      return plane;
    });
    for (const plane of this.values) {
      this.smooth(plane, 1);
      this.smooth(plane, 0);
    }
  }

  /** Section 15.6: all borders across one axis. */
  private smooth(plane: Map<string, number>, axis: 0 | 1): void {
    const own = this.cuts[axis];
    const other = this.cuts[1 - axis];
    const before = new Map(plane);
    const name = (across: number, along: number): string =>
      axis === 1 ? `${along},${across}` : `${across},${along}`;
    for (let c = 1; c + 1 < own.length; c++) {
      if (Math.min(own[c] - own[c - 1], own[c + 1] - own[c]) < 4) continue;
      for (let o = 0; o + 1 < other.length; o++) {
        if (!this.parts.has(name(c - 1, o)) || !this.parts.has(name(c, o))) continue;
        for (let along = other[o]; along < other[o + 1]; along++) {
          const at = (step: number): string => name(own[c] + step, along);
          const [a1, a0, b0, b1] = [-2, -1, 0, 1].map((step) => before.get(at(step)) ?? 0);
          const j = b0 - a0 - (a0 - a1 + b1 - b0) / 2;
          const g = j * Math.max(0, 1 - Math.abs(j) / 3);
          [1 / 8, 3 / 8, -3 / 8, -1 / 8].forEach((share, i) =>
            plane.set(at(i - 2), (plane.get(at(i - 2)) ?? 0) + share * g),
          );
        }
      }
    }
  }

  /** Outputs at a position of a partition that is there. */
  outputs(position: readonly number[], cell: readonly number[]): number[] {
    const clamp = (value: number, least: number, most: number): number =>
      Math.max(least, Math.min(most, value));
    const around = position.map((p) => {
      const i = Math.floor(p - 1 / 2);
      const t = p - 1 / 2 - i;
      const weights = [
        (-t + 2 * t ** 2 - t ** 3) / 2,
        (2 - 5 * t ** 2 + 3 * t ** 3) / 2,
        (t + 4 * t ** 2 - 3 * t ** 3) / 2,
        (t ** 3 - t ** 2) / 2,
      ];
      return weights.map((weight, k) => ({ weight, sample: i - 1 + k }));
    });
    const place = ([y, x]: readonly number[]): string => {
      // In which of the partition itself and its neighbours a sample lies.
      const sides = [y, x].map((sample, axis) => {
        const [begin, end] = this.cuts[axis].slice(cell[axis], cell[axis] + 2);
        return sample < begin ? -1 : sample >= end ? 1 : 0;
      });
      const there = this.parts.has(sides.map((side, axis) => cell[axis] + side).join());
      return [y, x]
        .map((sample, axis) => {
          const at = cell[axis] + (there ? sides[axis] : 0);
          return clamp(sample, this.cuts[axis][at], this.cuts[axis][at + 1] - 1);
        })
        .join();
    };
    return Array.from({ length: this.channels }, (_, channel) => {
      let sum = 0;
      for (const row of around[0]) {
        for (const column of around[1]) {
          const weight = row.weight * column.weight;
          if (weight !== 0)
            sum += weight * (this.values[channel].get(place([row.sample, column.sample])) ?? NaN);
        }
      }
      return sum * this.amplitude;
    });
  }
}
