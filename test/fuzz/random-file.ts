// Small files of random networks, by the project's own writer; no training, and every one of them valid.
import { deflateRawSync } from 'node:zlib';
import {
  elementCount,
  globalTensors,
  localTensors,
  siren,
  type Architecture,
  type Tensor,
} from '../../codec/architecture.js';
import { encodeWeights } from '../../codec/coder/encode-weights.js';
import { type Coder } from '../../codec/coder/payload.js';
import { Grid, spreadMap, type AxisCuts, type Box, type CoordinateMap } from '../../codec/grid.js';
import type { LocalForecast, TensorQuantiser, WeightFormat } from '../../codec/quantiser.js';
import { AXES, fullRangeMapping, type SampleFormat, type SignalKind } from '../../codec/signal.js';
import type { Header } from '../../src/container/header.js';
import { writeContainer, type NewSignal } from '../../src/container/writer.js';
import { MemorySink } from '../../src/io/memory.js';
import type { Choices } from './choices.js';

type SignalHeader = Header['signals'][number];

/** What a random signal is to be; what is left out is random. */
export interface SignalWish {
  readonly kind?: SignalKind;
  readonly weights?: WeightFormat;
  readonly coder?: Coder;
  /** Numbers at the ends of what the format allows, rather than ordinary ones. */
  readonly extreme?: boolean;
  /** A network of millions of weights that DEFLATE makes few bytes of. */
  readonly bomb?: boolean;
}

const KINDS: readonly SignalKind[] = ['image', 'audio', 'video', 'volume', 'shape'];

/** Widths near the limits, or weights as many as a case can pay for. */
const LARGE_NETWORKS = [
  { levels: 2, localWidth: 400, globalWidth: 0 },
  { levels: 16, localWidth: 90, globalWidth: 16 },
  { levels: 2, localWidth: 8, globalWidth: 600 },
  { levels: 1, localWidth: 2048, globalWidth: 1 },
] as const;

/** Largest coordinate that the format allows, with room for rounding. */
const FAR = 9e5;

function randomAxis(choices: Choices, extreme: boolean): { length: number; axis: AxisCuts } {
  const length = extreme
    ? choices.pick([1, 2, 7, 1000, 2 ** 20, 2 ** 31 - 2, 2 ** 31 - 1])
    : choices.between(1, 9);
  const cells = Math.min(choices.between(1, 3), length);
  const cuts = new Set<number>();
  // Without a crop from 0 to the end; as after one, anywhere.
  if (!extreme || choices.chance(0.6)) cuts.add(0).add(length);
  while (cuts.size < cells + 1) cuts.add(choices.below(length + 1));
  const last = cuts.size - 2;
  const firstCell = extreme ? choices.pick([0, 0, 5, -1, -(2 ** 31 - 1), 2 ** 31 - 1 - last]) : 0;
  return { length, axis: { cuts: [...cuts].sort((a, b) => a - b), firstCell } };
}

function randomArchitecture(
  inputs: number,
  outputs: number,
  choices: Choices,
  extreme: boolean,
): Architecture {
  const activation = () =>
    extreme && choices.chance(0.5)
      ? {
          omegaFirst: choices.pick([1e5, -1e5, 0, 3000]),
          omegaHidden: choices.pick([1e5, -1e5, 0, 30]),
          a: choices.pick([0, 32, -32]),
          b: choices.pick([0, 32, -32]),
          c: choices.pick([0, 1e6, -1e6]),
          d: choices.pick([0, 1e6, -1e6]),
        }
      : siren(choices.between(1, 30), choices.between(1, 5));
  return {
    inputs,
    outputs,
    levels: extreme ? choices.pick([1, 2, 16]) : choices.between(1, 3),
    localWidth: choices.between(1, 5),
    globalWidth: choices.pick([0, 1, 3, 6]),
    localCoordinates: choices.pick(['cell', 'signal']),
    latticeStride: choices.pick(extreme ? [0, 1, 3, 4096] : [0, 2, 4]),
    merge: 'concat',
    activations: { local: activation(), global: activation(), merge: activation() },
  };
}

function randomFormat(choices: Choices, extreme: boolean): SampleFormat {
  const sampleType = choices.pick(['uint8', 'uint16', 'float32'] as const);
  const layout = choices.pick(['grey', 'grey-alpha', 'rgb', 'rgb-alpha', 'plain'] as const);
  const plain = extreme ? choices.pick([1, 5, 255]) : 2;
  const channels = { grey: 1, 'grey-alpha': 2, rgb: 3, 'rgb-alpha': 4, plain }[layout];
  const mapping =
    extreme && choices.chance(0.5)
      ? { scale: choices.pick([3.4e38, -3.4e38, 5e-324, 1]), offset: choices.pick([3.4e38, -3.4e38, 0]) }
      : fullRangeMapping(sampleType);
  return { sampleType, channels, layout, mapping };
}

function randomMap(length: number, choices: Choices, extreme: boolean): CoordinateMap {
  if (!extreme || choices.chance(0.5)) return spreadMap(length);
  return choices.pick([
    { scale: (2 * FAR) / length, offset: -FAR, length },
    { scale: 0, offset: FAR, length },
    { scale: -1 / length, offset: 5e-324, length },
  ]);
}

function randomWeights(
  count: number,
  choices: Choices,
  format: WeightFormat,
  extreme: boolean,
): Float32Array {
  const wild = extreme && choices.chance(0.5);
  const most = format === 'float16' ? 65504 : 3.4028234663852886e38;
  return Float32Array.from({ length: count }, () =>
    wild ? choices.pick([most, -most, 0, -0, 1e-45, 1]) : choices.symmetric(0.6),
  );
}

/** Models of the integers of so many tensors, whatever those are. */
function randomModels(tensors: number, choices: Choices): Uint8Array {
  const models = Array.from({ length: tensors }, () => {
    const shares = Array.from({ length: choices.below(18) }, () => choices.below(129));
    return [shares.length, ...shares];
  });
  return Uint8Array.from(models.flat());
}

function codersOf(weights: WeightFormat): Coder[] {
  return weights === 'integer' ? ['none', 'deflate', 'range'] : ['none', 'deflate'];
}

function randomSignal(wish: SignalWish, choices: Choices): { header: SignalHeader; signal: NewSignal } {
  const { extreme = false } = wish;
  const kind = wish.kind ?? choices.pick(KINDS);
  const axes = AXES[kind].map(() => randomAxis(choices, extreme));
  const format = randomFormat(choices, extreme);
  const ordinary = randomArchitecture(axes.length, format.channels, choices, extreme);
  const architecture = wish.bomb === true ? { ...ordinary, ...choices.pick(LARGE_NETWORKS) } : ordinary;
  const weights =
    wish.bomb === true ? 'float32' : (wish.weights ?? choices.pick(['float32', 'float16', 'integer']));
  const coder = wish.bomb === true ? 'deflate' : (wish.coder ?? choices.pick(codersOf(weights)));
  const mostBits = choices.pick([2, 8, 16]);
  const quantisers = (count: number): TensorQuantiser[] =>
    weights !== 'integer'
      ? []
      : Array.from({ length: count }, () => ({
          bits: choices.between(2, mostBits),
          step: Math.fround(extreme ? choices.pick([1e-45, 1e33, 0.01]) : 0.01),
        }));
  const local = localTensors(architecture);
  const global = globalTensors(architecture);
  const quantiser = {
    format: weights,
    local: quantisers(local.length),
    global: quantisers(global.length),
  };
  const payloadOf = (
    tensors: readonly Tensor[],
    list: readonly TensorQuantiser[],
    forecast?: LocalForecast,
  ): Uint8Array => {
    const count = elementCount(tensors);
    // As the writer has it, but for its search for the shortest stream.
    if (wish.bomb === true) return Uint8Array.from(deflateRawSync(new Uint8Array(4 * count)));
    return encodeWeights(
      randomWeights(count, choices, weights, extreme),
      tensors,
      list,
      weights,
      coder,
      forecast,
    );
  };
  const origin = payloadOf(local, quantiser.local);
  const forecast = coder === 'range' && {
    models: randomModels(local.length, choices),
    ...(8 * origin.length >= elementCount(local) && choices.chance(0.5) && { origin }),
  };
  const grid = new Grid(axes.map(({ axis }) => axis));
  const present = Array.from({ length: grid.count }, (_, ordinal) => ordinal).filter(
    () => !choices.chance(0.15),
  );
  const header: SignalHeader = {
    kind,
    role: 'primary',
    format,
    ...(choices.chance(0.5) && { colour: { primaries: 1, transfer: 13, matrix: 0, fullRange: true } }),
    firstShape: axes.map(({ length }) => length),
    model: {
      architecture,
      maps: axes.map(({ length }) => randomMap(length, choices, extreme)),
      nominalCell: axes.map(() => (extreme ? choices.pick([1, 2 ** 31 - 1]) : 4)),
    },
    quantiser: { ...quantiser, ...(forecast && { forecast }) },
    coder,
    globalPayload: architecture.globalWidth === 0 ? new Uint8Array(0) : payloadOf(global, quantiser.global),
    ...(choices.chance(0.3) && { rate: { numerator: 30000, denominator: 1001 } }),
    ...(choices.chance(0.3) && { startSeconds: extreme ? -(2 ** 53 - 1) : 1.5 }),
  };
  const chunks = present.map((ordinal) => ({
    coordinates: grid.coordinatesOf(ordinal),
    payload: payloadOf(local, quantiser.local, forecast || undefined),
  }));
  return { header, signal: { grid, window: randomWindow(grid, choices), chunks } };
}

function randomWindow(grid: Grid, choices: Choices): Box {
  if (choices.chance(0.5)) return grid.extent;
  const begin: number[] = [];
  const end: number[] = [];
  grid.extent.begin.forEach((from, axis) => {
    const to = grid.extent.end[axis];
    const first = choices.between(from, to - 1);
    begin.push(first);
    end.push(choices.between(first + 1, to));
  });
  return { begin, end };
}

/**
 * A valid file of random networks, one for each wish.
 *
 * @param metadataBytes of a section before the chunks; beyond 64 KiB it puts them behind what a reader reads first.
 */
export async function randomFile(
  wishes: readonly SignalWish[],
  choices: Choices,
  metadataBytes = choices.below(40),
): Promise<Uint8Array> {
  const made = wishes.map((wish) => randomSignal(wish, choices));
  const metadata = [
    { name: 'icc', bytes: new Uint8Array(metadataBytes).fill(choices.below(256)) },
    { name: 'user.note', bytes: new TextEncoder().encode('a note') },
  ].slice(metadataBytes > 40 ? 0 : choices.below(3));
  const header: Header = {
    signals: made.map((one) => one.header),
    digest: choices.bytes(32),
    writer: 'fuzz 1.0',
  };
  const sink = new MemorySink();
  await writeContainer(sink, { header, signals: made.map(({ signal }) => signal), metadata });
  return sink.bytes().slice();
}
