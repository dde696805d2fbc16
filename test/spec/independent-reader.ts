// A second reader of the format, written from the text in spec/ alone and sharing no code with the project, so that the
// text is known to suffice and samples can be checked against another implementation. Plain and slow; f64 throughout.
import { inflateRawSync } from 'node:zlib';
import { LatentPicture, NumberModel, RangeDecoder, readShared, synthesise } from './independent-latents.js';

/** What can be read at a place of a FlatBuffer (appendix A). */
class Table {
  constructor(
    private readonly view: DataView,
    readonly at: number,
  ) {}

  static root(view: DataView, identifier: string): Table {
    const found = [4, 5, 6, 7].map((i) => String.fromCharCode(view.getUint8(i))).join('');
    if (found !== identifier) throw new Error(`${found} is not ${identifier}`);
    return new Table(view, view.getUint32(0, true));
  }

  /** Place of a field, or 0 where it is absent. */
  private place(field: number): number {
    const virtual = this.at - this.view.getInt32(this.at, true);
    const entry = 4 + 2 * field;
    if (entry + 2 > this.view.getUint16(virtual, true)) return 0;
    const inTable = this.view.getUint16(virtual + entry, true);
    return inTable === 0 ? 0 : this.at + inTable;
  }

  u8(field: number): number {
    const at = this.place(field);
    return at ? this.view.getUint8(at) : 0;
  }

  u16(field: number): number {
    const at = this.place(field);
    return at ? this.view.getUint16(at, true) : 0;
  }

  i32(field: number): number {
    const at = this.place(field);
    return at ? this.view.getInt32(at, true) : 0;
  }

  f32(field: number): number {
    const at = this.place(field);
    return at ? this.view.getFloat32(at, true) : 0;
  }

  /** `count` f64 of a struct in the table. */
  doubles(field: number, count: number): number[] {
    const at = this.place(field);
    return Array.from({ length: count }, (_, i) => this.view.getFloat64(at + 8 * i, true));
  }

  table(field: number): Table {
    const at = this.place(field);
    return new Table(this.view, at + this.view.getUint32(at, true));
  }

  /** Elements of a vector, each read by its place. */
  vector<T>(field: number, size: number, read: (view: DataView, at: number) => T): T[] {
    const at = this.place(field);
    if (at === 0) return [];
    const vector = at + this.view.getUint32(at, true);
    return Array.from({ length: this.view.getUint32(vector, true) }, (_, i) =>
      read(this.view, vector + 4 + size * i),
    );
  }

  tables(field: number): Table[] {
    return this.vector(field, 4, (view, at) => new Table(view, at + view.getUint32(at, true)));
  }

  integers(field: number): number[] {
    return this.vector(field, 4, (view, at) => view.getInt32(at, true));
  }
}

function crc32c(...parts: Uint8Array[]): number {
  let crc = 0xffffffff;
  for (const part of parts) {
    for (const byte of part) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}

interface Quantiser {
  readonly format: number;
  readonly coder: number;
  readonly tensors: readonly { readonly step: number; readonly bits: number }[];
}

/** Section 6: the weights of a payload, given the elements of each tensor. */
function readWeights(payload: Uint8Array, counts: readonly number[], quantiser: Quantiser): number[] {
  const { format, coder, tensors } = quantiser;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const width = format === 0 ? 4 : format === 1 ? 2 : tensors.every(({ bits }) => bits <= 8) ? 1 : 2;
  let elements = payload;
  if (coder === 1) {
    const planes = inflateRawSync(payload);
    if (planes.length !== total * width) throw new Error('the stream has another length');
    elements = new Uint8Array(planes.length);
    for (let i = 0; i < total; i++)
      for (let b = 0; b < width; b++) elements[i * width + b] = planes[b * total + i];
  }
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  let bitAt = 0;
  const bit = (): number => {
    const value = (elements[bitAt >> 3] >> (bitAt & 7)) & 1;
    bitAt++;
    return value;
  };
  const weights: number[] = [];
  counts.forEach((count, tensor) => {
    for (let i = 0; i < count; i++) {
      const at = weights.length;
      if (format === 0) weights.push(view.getFloat32(4 * at, true));
      else if (format === 1) weights.push(half(view.getUint16(2 * at, true)));
      else {
        const { bits, step } = tensors[tensor];
        let code = 0;
        if (coder === 0) for (let b = 0; b < bits; b++) code += bit() * 2 ** b;
        else code = width === 1 ? view.getUint8(at) : view.getUint16(2 * at, true);
        if (code > 2 ** bits - 2) throw new Error('a code that is not used');
        weights.push(Math.fround((code % 2 === 0 ? code / 2 : -(code + 1) / 2) * step));
      }
    }
  });
  return weights;
}

function half(word: number): number {
  const [exponent, fraction] = [(word >> 10) & 31, word & 1023];
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return word & 0x8000 ? -magnitude : magnitude;
}

/** The layers of a flat array: `[inputs, outputs]` weights, each followed by its bias. */
function layersOf(flat: readonly number[], shapes: readonly (readonly [number, number])[]) {
  let at = 0;
  return shapes.map(([inputs, outputs]) => {
    const weight = flat.slice(at, (at += inputs * outputs));
    const bias = flat.slice(at, (at += outputs));
    return { inputs, outputs, weight, bias };
  });
}

function affine(layer: ReturnType<typeof layersOf>[number], x: readonly number[]): number[] {
  return layer.bias.map((bias, j) =>
    x.reduce((sum, value, i) => sum + value * layer.weight[i * layer.outputs + j], bias),
  );
}

/** Section 5.1: the place of a partition on the Hilbert curve. */
function curvePlace(coordinates: readonly number[]): bigint {
  const x = coordinates.map((c) => BigInt(c) + (1n << 31n));
  const n = x.length;
  for (let q = 1n << 31n; q >= 2n; q >>= 1n) {
    for (let a = 0; a < n; a++) {
      const isUpper = (x[a] & q) !== 0n;
      const t = (x[0] ^ x[a]) & (q - 1n);
      x[0] ^= isUpper ? q - 1n : t;
      if (!isUpper) x[a] ^= t;
    }
  }
  for (let a = 1; a < n; a++) x[a] ^= x[a - 1];
  let t = 0n;
  for (let q = 1n << 31n; q >= 2n; q >>= 1n) if (x[n - 1] & q) t ^= q - 1n;
  let place = 0n;
  for (let bit = 31n; bit >= 0n; bit--) {
    for (let a = 0; a < n; a++) place = 2n * place + (((x[a] ^ t) >> bit) & 1n);
  }
  return place;
}

interface Box {
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/** Section 7.4: what is decoded, by default every sample of the window. */
export interface Sampling {
  /** In positions. */
  readonly region?: Box;
  readonly scale?: number;
  readonly size?: readonly number[];
}

export interface ReadSignal {
  /** Outputs per axis. */
  readonly shape: readonly number[];
  readonly channels: number;
  readonly window: Box;
  /** Partition coordinates without a chunk. */
  readonly absent: readonly (readonly number[])[];
  /** Row-major, channels last; null in absent partitions. */
  readonly samples: readonly (number | null)[];
}

const AXES = [2, 1, 3, 3, 3];

const MAGIC = [0x91, 0x4c, 0x47, 0x49, 0x0d, 0x0a, 0x1a, 0x0a];

/** Every list of whole numbers below these ones, row-major. */
function everyCell(lengths: readonly number[]): number[][] {
  return lengths.reduce<number[][]>(
    (list, length) => list.flatMap((head) => Array.from({ length }, (_, i) => [...head, i])),
    [[]],
  );
}

/** The visible samples of every signal of a file, or what `samplings` asks of a signal. */
export function readFile(file: Uint8Array, samplings: readonly Sampling[] = []): ReadSignal[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const slot = [
    [0, 112],
    [112, 112],
    [0, 512],
    [512, 512],
  ]
    .filter(([at, size]) => file.length >= at + size && MAGIC.every((byte, i) => file[at + i] === byte))
    .filter(([at, size]) => (size === 112) === ((file[at + 16] & 16) !== 0))
    .filter(([at, size]) => crc32c(file.subarray(at, at + size - 4)) === view.getUint32(at + size - 4, true))
    .map(([at]) => at)
    .sort((a, b) => Number(view.getBigUint64(b + 40, true) - view.getBigUint64(a + 40, true)))[0];
  if (slot === undefined) throw new Error('no valid slot');
  const section = (at: number): Uint8Array => {
    const begin = Number(view.getBigUint64(slot + at, true));
    const bytes = file.slice(begin, begin + view.getUint32(slot + at + 8, true));
    if (crc32c(bytes) !== view.getUint32(slot + at + 12, true)) throw new Error('a checksum is wrong');
    return bytes;
  };
  const headerBytes = section(64);
  const header = Table.root(new DataView(headerBytes.buffer), 'LGIH');
  const index = Table.root(new DataView(section(80).buffer), 'LGIX');
  const indexes = index.tables(0);
  return header
    .tables(0)
    .map((signal, i) => readSignal(file, headerBytes, signal, indexes[i], i, samplings[i] ?? {}));
}

/** Section 5: partitions, and the payloads of those that have chunks. */
function readPartitions(
  file: Uint8Array,
  headerBytes: Uint8Array,
  header: Table,
  index: Table,
  ordinal: number,
) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const n = AXES[header.u8(0)];
  const isShort = header.u8(7) === 2 || header.u8(10) === 2;
  const aligned = !isShort && header.table(9).u8(0) !== 2 && header.u8(10) === 0;
  const axes = index.tables(0).map((axis) => ({ cuts: axis.integers(0), firstCell: axis.i32(1) }));
  const isTooLong =
    header.u8(7) === 2 && axes.some(({ cuts }) => cuts.some((cut, i) => cut - cuts[i - 1] > 512));
  if (isTooLong) throw new Error('a cell of more samples than latents have');
  const all = everyCell(axes.map(({ cuts }) => cuts.length - 1)).map((cell) =>
    cell.map((i, axis) => i + axes[axis].firstCell),
  );
  const boxOf = (partition: readonly number[]) =>
    partition.map((coordinate, axis) => {
      const [begin, end] = axes[axis].cuts.slice(coordinate - axes[axis].firstCell);
      return [begin, end] as const;
    });
  const coordinates = index.integers(3);
  const lengths = isShort
    ? unpacked(index.vector(7, 1, (v, at) => v.getUint8(at)))
    : index.vector(4, 4, (v, at) => v.getUint32(at, true));
  const presence = index.vector(6, 1, (v, at) => v.getUint8(at));
  let partitions = Array.from({ length: coordinates.length / n }, (_, c) =>
    coordinates.slice(n * c, n * (c + 1)),
  );
  if (coordinates.length === 0 && lengths.length > 0) {
    const places = new Map(all.map((cell) => [cell, curvePlace(cell)] as const));
    partitions = [...all]
      .sort((a, b) => (places.get(a)! < places.get(b)! ? -1 : 1))
      .filter((_, i) => presence.length === 0 || (presence[i >> 3] >> (i & 7)) & 1);
  }
  const runs = index.vector(
    5,
    16,
    (v, at) => [Number(v.getBigUint64(at, true)), v.getUint32(at + 8, true)] as const,
  );
  const payloads = new Map<string, Uint8Array>();
  const headBytes = isShort ? 4 : 36;
  let at = 0;
  partitions.forEach((partition, chunk) => {
    const length = lengths.length === 1 ? lengths[0] : lengths[chunk];
    const run = runs.find(([, first]) => first === chunk);
    if (run) [at] = run;
    else if (aligned) while ((at + 36) % 16 !== 0) at++;
    const payload = file.slice(at + headBytes, at + headBytes + length);
    const head = isShort ? wholeHead(length, boxOf(partition), ordinal) : file.slice(at + 4, at + 36);
    if (crc32c(headerBytes, head, payload) !== view.getUint32(at, true)) throw new Error('chunk');
    const said = new DataView(head.buffer, head.byteOffset);
    if (said.getUint32(0, true) !== length || said.getUint8(28) !== ordinal) throw new Error('chunk');
    payloads.set(partition.join(), payload);
    at += headBytes + length;
  });
  return { axes, all, boxOf, payloads };
}

/** LEB128. */
function unpacked(bytes: readonly number[]): number[] {
  const lengths: number[] = [];
  let [length, unit] = [0, 1];
  for (const byte of bytes) {
    length += (byte % 128) * unit;
    unit *= 128;
    if (byte >= 128) continue;
    lengths.push(length);
    [length, unit] = [0, 1];
  }
  return lengths;
}

/** Section 15.4: what a short head leaves out. */
function wholeHead(length: number, box: readonly (readonly [number, number])[], ordinal: number): Uint8Array {
  const head = new DataView(new ArrayBuffer(32));
  head.setUint32(0, length, true);
  for (let axis = 0; axis < 3; axis++) {
    const [begin, end] = box[axis] ?? [0, 1];
    head.setInt32(4 + 4 * axis, begin, true);
    head.setUint32(16 + 4 * axis, end - begin, true);
  }
  head.setUint8(28, ordinal);
  return new Uint8Array(head.buffer);
}

/** The outputs at a position of a partition that is there, by its cell counted from the first cuts. */
type Outputs = (position: readonly number[], cells: readonly number[]) => readonly number[];

type Partitions = ReturnType<typeof readPartitions>;

/** Section 6.3, coder Range. */
function readRange(
  payload: Uint8Array,
  counts: readonly number[],
  tensors: readonly { step: number }[],
  models: readonly (readonly number[])[],
  origin?: Uint8Array,
): number[] {
  const integers = readIntegers(payload, counts, models);
  const origins = origin ? readIntegers(origin, counts, []) : integers.map(() => 0);
  const steps = counts.flatMap((count, tensor) => new Array<number>(count).fill(tensors[tensor].step));
  return integers.map((integer, i) => Math.fround((integer + origins[i]) * steps[i]));
}

function readIntegers(
  stream: Uint8Array,
  counts: readonly number[],
  models: readonly (readonly number[])[],
): number[] {
  const decoder = new RangeDecoder(stream);
  const integers = counts.flatMap((count, tensor) => {
    const model = new NumberModel(models[tensor]);
    return Array.from({ length: count }, () => model.read(decoder));
  });
  decoder.end();
  return integers;
}

/** Section 15. */
function latentOutputs(header: Table, channels: number, { axes, all, boxOf, payloads }: Partitions): Outputs {
  const table = header.table(8);
  const family = {
    levels: table.u8(0),
    finest: table.vector(1, 1, (v, at) => v.getUint8(at)),
    hidden: table.u8(2),
    channels,
    amplitude: table.f32(3),
    defaultSet: table.u8(4),
  };
  const bytes = Uint8Array.from(header.vector(11, 1, (v, at) => v.getUint8(at)));
  const shared = readShared(family, bytes);
  const parts = new Map(
    all.flatMap((partition) => {
      const payload = payloads.get(partition.join());
      if (payload === undefined) return [];
      const [height, width] = boxOf(partition).map(([begin, end]) => end - begin);
      const cell = partition.map((coordinate, axis) => coordinate - axes[axis].firstCell);
      return [[cell.join(), synthesise(shared, payload, height, width)] as const];
    }),
  );
  const cuts = axes.map((axis) => axis.cuts);
  const picture = new LatentPicture(cuts, parts, channels, family.amplitude);
  return (position, cells) => picture.outputs(position, cells);
}

/** Sections 6 and 7. */
function sineOutputs(header: Table, channels: number, { axes, payloads }: Partitions): Outputs {
  const n = AXES[header.u8(0)];
  const hasConstants = header.u8(15) !== 0;
  const maps = header.vector(5, 16, (v, at) => ({
    scale: v.getFloat64(at, true),
    offset: v.getFloat64(at + 8, true),
  }));
  const nominalCell = header.integers(6);
  const family = header.table(8);
  const [levels, H, G] = [family.u8(0), family.u16(1), family.u16(2)];
  const [localCoordinates, stride] = [family.u8(3), family.u16(4)];
  const activation = (field: number) => {
    const [first, hidden, a, b, c, d] = family.doubles(field, 6);
    return (z: readonly number[], level: number) =>
      z.map((value) => Math.exp(a) * Math.sin(Math.exp(b) * (level === 0 ? first : hidden) * value + c) + d);
  };
  const [actLocal, actGlobal, actMerge] = [5, 6, 7].map(activation);
  const quantiser = header.table(9);
  const tensors = (field: number) =>
    quantiser.vector(field, 8, (v, at) => ({ step: v.getFloat32(at, true), bits: v.getUint8(at + 4) }));
  const common = { format: quantiser.u8(0), coder: header.u8(10) };

  const models = quantiser.vector(3, 1, (v, at) => v.getUint8(at));
  const localModels: number[][] = [];
  for (let at = 0; at < models.length; at += 1 + models[at])
    localModels.push(models.slice(at + 1, at + 1 + models[at]));
  const origin = quantiser.vector(4, 1, (v, at) => v.getUint8(at));

  const hidden = (first: number, width: number) =>
    Array.from({ length: levels }, (_, level) => [level === 0 ? first : width, width] as const);
  const localShapes = [...hidden(n, H), [H, channels] as const];
  const globalShapes = G === 0 ? [] : [...hidden(n, G), [H + G, H] as const];
  const counts = (shapes: readonly (readonly [number, number])[]) => shapes.flatMap(([a, b]) => [a * b, b]);
  const globalPayload = Uint8Array.from(header.vector(11, 1, (v, at) => v.getUint8(at)));
  const globalFlat =
    G === 0
      ? []
      : common.coder === 2
        ? readRange(globalPayload, counts(globalShapes), tensors(2), [])
        : readWeights(globalPayload, counts(globalShapes), { ...common, tensors: tensors(2) });
  const globalLayers = layersOf(globalFlat, globalShapes);
  const merge = globalLayers[levels];
  const mergeLocal = merge && { ...merge, inputs: H };
  const mergeGlobal = merge && { ...merge, weight: merge.weight.slice(H * H), bias: merge.bias.map(() => 0) };

  const locals = new Map<string, ReturnType<typeof layersOf>>();
  for (const [partition, payload] of payloads) {
    // Section 6.4: what is constant has nothing but output biases.
    const size = counts(localShapes).reduce((sum, count) => sum + count, 0);
    const isConstant = hasConstants && payload.length === 4 * channels;
    const flat = isConstant
      ? [
          ...new Array<number>(size - channels).fill(0),
          ...Array.from({ length: channels }, (_, c) => new DataView(payload.buffer).getFloat32(4 * c, true)),
        ]
      : common.coder === 2
        ? readRange(
            hasConstants && payload.length === 4 * channels + 1 && payload[4 * channels] === 0
              ? payload.slice(0, -1)
              : payload,
            counts(localShapes),
            tensors(1),
            localModels,
            origin.length > 0 ? Uint8Array.from(origin) : undefined,
          )
        : readWeights(payload, counts(localShapes), { ...common, tensors: tensors(1) });
    locals.set(partition, layersOf(flat, localShapes));
  }

  // Section 7: from weights to samples.
  const firstShape = header.integers(4);
  const fold = (x: number, axis: number) => {
    const F = stride > 0 && G > 0 ? Math.ceil(firstShape[axis] / stride) * stride : firstShape[axis];
    if (x >= 0 && x <= F) return x;
    const q = x - 2 * F * Math.floor(x / (2 * F));
    return q <= F ? q : 2 * F - q;
  };
  const toSignal = (p: readonly number[]) =>
    p.map((x, axis) => Math.fround(maps[axis].scale * fold(x, axis) + maps[axis].offset));
  const globalFeatures = (p: readonly number[]): number[][] => {
    let g = toSignal(p);
    return globalLayers.slice(0, levels).map((layer, level) => {
      g = actGlobal(affine(layer, g), level);
      return affine(mergeGlobal, g);
    });
  };
  const known = new Map<string, number[][]>();
  const interpolated = (p: readonly number[]): number[][] => {
    if (G === 0) return [];
    if (stride === 0) return globalFeatures(p);
    const sums = Array.from({ length: levels }, () => new Array<number>(H).fill(0));
    for (let corner = 0; corner < 2 ** n; corner++) {
      let weight = 1;
      const point = p.map((x, axis) => {
        const k = Math.floor(x / stride);
        const isUpper = (corner >> axis) & 1;
        weight *= isUpper ? x / stride - k : 1 - (x / stride - k);
        return (k + isUpper) * stride;
      });
      const features = known.get(point.join()) ?? globalFeatures(point);
      known.set(point.join(), features);
      sums.forEach((sum, level) => features[level].forEach((value, h) => (sum[h] += weight * value)));
    }
    return sums;
  };
  return (position, cells) => {
    const layers = locals.get(cells.map((cell, axis) => cell + axes[axis].firstCell).join())!;
    let l =
      localCoordinates === 0
        ? toSignal(position)
        : position.map((x, axis) => {
            const [begin, end] = axes[axis].cuts.slice(cells[axis], cells[axis] + 2);
            return Math.fround((x - (begin + end) / 2) / (nominalCell[axis] / 2));
          });
    const projected = interpolated(position);
    for (let level = 0; level < levels; level++) {
      l = actLocal(affine(layers[level], l), level);
      if (G > 0)
        l = actMerge(
          affine(mergeLocal, l).map((value, h) => value + projected[level][h]),
          levels,
        );
    }
    return affine(layers[levels], l);
  };
}

function readSignal(
  file: Uint8Array,
  headerBytes: Uint8Array,
  header: Table,
  index: Table,
  ordinal: number,
  { region, scale, size }: Sampling,
): ReadSignal {
  const format = header.table(2);
  const [sampleType, channels] = [format.u8(0), format.u8(1)];
  const [valueScale, valueOffset] = format.doubles(3, 2);
  const partitions = readPartitions(file, headerBytes, header, index, ordinal);
  const { axes, all, payloads } = partitions;
  const window = { begin: index.integers(1), end: index.integers(2) };
  const families: Record<number, typeof sineOutputs> = { 1: sineOutputs, 2: latentOutputs };
  if (!(header.u8(7) in families)) throw new Error('another architecture');
  const outputsOf = families[header.u8(7)](header, channels, partitions);
  const sampleAt = (position: readonly number[]): (number | null)[] => {
    const cells = position.map((x, axis) =>
      Math.min(
        axes[axis].cuts.findLastIndex((cut) => cut <= x),
        axes[axis].cuts.length - 2,
      ),
    );
    const name = cells.map((cell, axis) => cell + axes[axis].firstCell).join();
    if (!payloads.has(name)) return new Array<null>(channels).fill(null);
    return outputsOf(position, cells).map((y) => {
      const v = y * valueScale + valueOffset;
      if (sampleType === 2) return Math.fround(v);
      const peak = sampleType === 0 ? 255 : 65535;
      return Math.min(peak, Math.max(0, Math.floor(v + 0.5)));
    });
  };

  const { begin, end } = region ?? window;
  const outputs = begin.map((first, axis) => {
    const length = end[axis] - first;
    const count = size?.[axis] ?? Math.floor(length * (scale ?? 1));
    if (count === 0) return { count: 1, r: 1 / length };
    return { count, r: size === undefined ? (scale ?? 1) : count / length };
  });
  const shape = outputs.map(({ count }) => count);
  return {
    shape,
    channels,
    window,
    absent: all.filter((cell) => !payloads.has(cell.join())),
    samples: everyCell(shape).flatMap((cell) =>
      sampleAt(
        cell.map((j, axis) => {
          const { cuts } = axes[axis];
          const position = (begin[axis] * outputs[axis].r + j + 0.5) / outputs[axis].r;
          return Math.max(cuts[0], Math.min(position, cuts[cuts.length - 1]));
        }),
      ),
    ),
  };
}
