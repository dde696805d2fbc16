// Conformance vectors of what numbers are rounded to, and in which order: a reader that does it another way differs by more than the tolerance.
import { siren } from '../dist/codec/architecture.js';
import { cutsByCell, Grid, spreadMap } from '../dist/codec/grid.js';
import { gridModels } from '../dist/codec/latent/entropy-model.js';
import { encodeLatents } from '../dist/codec/latent/latent-coder.js';
import {
  latentCount,
  latentTensors,
  latentWeightCount,
  placeGrids,
} from '../dist/codec/latent/latent-architecture.js';
import { decodeShared, encodeShared } from '../dist/codec/latent/shared-weights.js';
import { encodeConstant } from '../dist/src/container/encode-local-weights.js';
import { openContainer } from '../dist/src/container/reader.js';
import { writeContainer } from '../dist/src/container/writer.js';
import { MemorySink, MemorySource } from '../dist/src/index.js';

async function written(header, signal) {
  const sink = new MemorySink();
  await writeContainer(sink, { header: { signals: [header] }, signals: [signal] });
  return sink.bytes().slice();
}

const PLAIN = { scale: 1, offset: 0 };
const FLOATS = { format: 'float32', local: [], global: [] };

/** Sound of the smallest network that there is: weight, bias, output weight, output bias, by a sine of omega 1. */
function sound({
  shape,
  cell = shape,
  sampleType = 'float32',
  mapping = PLAIN,
  map,
  nominalCell = cell,
  ...rest
}) {
  return {
    header: {
      kind: 'audio',
      role: 'primary',
      format: { sampleType, channels: 1, layout: 'plain', mapping },
      firstShape: shape,
      model: {
        architecture: {
          inputs: 1,
          outputs: 1,
          levels: 1,
          localWidth: 1,
          globalWidth: 0,
          localCoordinates: map === undefined ? 'cell' : 'signal',
          merge: 'concat',
          latticeStride: 0,
          activations: { local: siren(1, 1), global: siren(1, 1), merge: siren(1, 1) },
        },
        maps: [map ?? spreadMap(shape[0])],
        nominalCell,
      },
      quantiser: FLOATS,
      coder: 'none',
      globalPayload: new Uint8Array(0),
      ...rest,
    },
    grid: new Grid([cutsByCell(shape[0], cell[0])]),
  };
}

const bytesOf = (Type, ...numbers) => new Uint8Array(Type.from(numbers).buffer);

/** Weight 1/2 makes no error in f32, and the bias leaves what is near 0: the steps of coordinates alone are left. */
const steps = (middle) => bytesOf(Float32Array, 0.5, -middle, 1, 0);

async function roundedSignal() {
  const { header, grid } = sound({ shape: [16], map: { scale: 0.3, offset: 500_000 } });
  return written(header, { grid, chunks: [{ coordinates: [0], payload: steps(250_000) }] });
}

async function roundedCell() {
  const length = 2 ** 20;
  const { header, grid } = sound({ shape: [length], nominalCell: [3] });
  const window = { begin: [length - 16], end: [length] };
  return written(header, { grid, window, chunks: [{ coordinates: [0], payload: steps(174_760) }] });
}

async function roundedWeights() {
  const tensor = { bits: 16, step: Math.fround(0.3) };
  const { header, grid } = sound({
    shape: [8],
    cell: [1],
    mapping: { scale: 256, offset: -947_968 },
    quantiser: { format: 'integer', local: [tensor, tensor, tensor, tensor], global: [] },
  });
  const chunks = Array.from({ length: 8 }, (_, i) => ({
    coordinates: [i],
    // The code of an integer q from 0 on is 2 q.
    payload: bytesOf(Uint16Array, 0, 0, 0, 2 * (12_341 + i)),
  }));
  return written(header, { grid, chunks });
}

const HALVES = [-0.75, -0.5, 0.25, 0.5, 1.5, 2.5, 100.49, 253.5, 254.25, 254.5, 255.5, 300];

async function halves() {
  const { header, grid } = sound({
    shape: [HALVES.length],
    cell: [1],
    sampleType: 'uint8',
    constantPartitions: true,
    coder: 'deflate',
  });
  const chunks = HALVES.map((value, i) => ({
    coordinates: [i],
    payload: encodeConstant(Float32Array.of(value)),
  }));
  return written(header, { grid, chunks });
}

async function twoCells() {
  const { header, grid } = sound({
    shape: [24],
    cell: [12],
    sampleType: 'uint8',
    constantPartitions: true,
    coder: 'deflate',
  });
  const chunks = [20, 200].map((value, i) => ({
    coordinates: [i],
    payload: encodeConstant(Float32Array.of(value)),
  }));
  return written(header, { grid, chunks });
}

/** The picture by shared weights of steps four times as large, so that the built-in ones are halves and quarters of them. */
async function halved(file) {
  const container = await openContainer(new MemorySource(file));
  const [header] = container.header.signals;
  const { architecture, shared } = header.latents;
  if (architecture.defaultSet === undefined) throw new Error('its shared weights are no differences');
  const stored = decodeShared(architecture, shared);
  const numbers = stored.numbers.slice();
  latentTensors(architecture).forEach(({ role, offset, rows, columns }) => {
    if (role !== 'synthesis') return;
    for (let i = offset; i < offset + rows * columns; i++) numbers[i] = Math.round(numbers[i] / 4);
  });
  const coarser = { numbers, exponents: stored.exponents.map((exponent) => exponent - 2) };
  const [{ grid, chunks }] = container.index.signals;
  const list = [];
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    list.push({
      coordinates: grid.coordinatesOf(chunks.ordinals[chunk]),
      payload: await container.readChunk(0, chunk),
    });
  }
  const latents = { ...header.latents, shared: encodeShared(architecture, coarser) };
  return written({ ...header, latents }, { grid, chunks: list });
}

/** Latents as large as any, by models that foretell far more than that. @param last the last latent. */
export async function heldLatents(last = -32_767) {
  const architecture = { levels: 2, finestLevels: [0], hiddenWidth: 4, outputs: 1, amplitude: 2 ** -14 };
  const numbers = new Int32Array(latentWeightCount(architecture));
  for (const { name, offset, rows, columns } of latentTensors(architecture)) {
    for (let i = 0; i < rows * columns; i++) {
      numbers[offset + i] = {
        hiddenWeight: 20 * i - 50,
        hiddenBias: i,
        outputWeight: 30 - 10 * i,
        outputBias: 0,
        bypass: 40,
        taps: [-30, 230, 860, -60][i % 4],
        mean: 2047,
        spread: 0,
        scale: 0,
        presence: 128,
      }[name];
    }
  }
  const stored = { numbers, exponents: [7, 7, 7, 7, 7, 10] };
  const grids = placeGrids(architecture, [4, 5]);
  const values = [32_767, -32_767, 3, 0, 32_767, 32_766, -1, -32_766, 5];
  const latents = Int32Array.from({ length: latentCount(grids) }, (_, i) => values[i % values.length]);
  latents[latents.length - 1] = last;
  const payload = encodeLatents(grids, gridModels(architecture, numbers), latents);
  const header = {
    kind: 'image',
    role: 'primary',
    format: {
      sampleType: 'uint16',
      channels: 1,
      layout: 'grey',
      mapping: { scale: 32767.5, offset: 32767.5 },
    },
    firstShape: [4, 5],
    latents: { architecture, nominalCell: [4, 5], shared: encodeShared(architecture, stored) },
  };
  const grid = new Grid([cutsByCell(4, 4), cutsByCell(5, 5)]);
  return written(header, { grid, chunks: [{ coordinates: [0, 0], payload }] });
}

/** Name, description, what makes the file, what is decoded of it, and a tolerance where it is not the usual one. */
export const numberVectors = (files) => [
  [
    'rounded-signal',
    'Signal coordinates around 500,000, whose steps in f32 are 1/32: outputs are a staircase.',
    roundedSignal,
  ],
  [
    'rounded-cell',
    'Cell coordinates up to 349,525, of a partition of 2^20 samples and a nominal cell of 3.',
    roundedCell,
  ],
  [
    'rounded-weights',
    'Integers of 16 bits times a step, rounded to f32, and what that leaves enlarged 256 times.',
    roundedWeights,
  ],
  [
    'constant-halves',
    'Halves of sample values, which are rounded up, and values beyond both ends; exact.',
    halves,
    {},
    0,
  ],
  [
    'scaled-order',
    'Ten samples as seven: output 3 is computed to be just before a cut, and by another order of operations on it.',
    twoCells,
    { region: { begin: [7], end: [17] }, size: [7] },
    0,
  ],
  [
    'latent-halved',
    'Shared weights whose steps are four times those of the built-in ones, which are rounded to them, halves up.',
    () => halved(files.get('latent-rgb')),
  ],
  [
    'latent-held',
    'Latents of 32,767 and -32,767 next to each other, foretold to be far beyond: the longest distances that there are.',
    heldLatents,
  ],
];
