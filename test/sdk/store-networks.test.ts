import { afterAll, describe, expect, it } from 'vitest';
import { sineSignal } from '../../dist/src/container/sine-signal.js';
import { crop, LgiError, MemorySink, open } from '../../dist/src/index.js';
import {
  createEngine,
  cutsByCount,
  fullRangeMapping,
  Grid,
  Harmonizer,
  initialWeights,
  linspaceMap,
  siren,
  storeNetworks,
  trainIncode,
  type Architecture,
  type NetworksToStore,
  type SampleFormat,
} from '../../dist/src/research.js';
import { decodeSystem } from '../../dist/test/paper/decode-system.js';

const engine = createEngine('cpu', 2);
afterAll(() => engine.dispose());

const SIDE = 24;
const FORMAT: SampleFormat = {
  sampleType: 'uint8',
  channels: 1,
  layout: 'grey',
  mapping: fullRangeMapping('uint8'),
};
const SAMPLES = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => 128 + 100 * Math.sin(i / 40));

/** A trained INCODE, of one network or of local ones with a global one. */
async function trained(counts: number, globalWidth: number): Promise<NetworksToStore> {
  const sine = siren(30, 30);
  const architecture: Architecture = {
    ...{ inputs: 2, outputs: 1, levels: 3, localWidth: 9, globalWidth },
    ...{ localCoordinates: 'signal', latticeStride: 0, merge: 'concat' },
    activations: { local: sine, global: sine, merge: sine },
  };
  const grid = new Grid([cutsByCount(SIDE, counts), cutsByCount(SIDE, counts)]);
  const model = {
    architecture,
    maps: [linspaceMap(SIDE), linspaceMap(SIDE)],
    nominalCell: grid.largestCell(),
  };
  const samples = new Uint8Array(SAMPLES.length);
  let at = 0;
  for (let ordinal = 0; ordinal < grid.count; ordinal++) {
    const { begin, end } = grid.boxOf(ordinal);
    for (let y = begin[0]; y < end[0]; y++) {
      for (let x = begin[1]; x < end[1]; x++) samples[at++] = SAMPLES[y * SIDE + x];
    }
  }
  const { weights, activations } = await trainIncode(engine, {
    setup: {
      model,
      boxes: Array.from({ length: grid.count }, (_, ordinal) => grid.boxOf(ordinal)),
      format: FORMAT,
      samples,
      weights: initialWeights(architecture, grid.count, { seed: 1 }),
    },
    harmonizer: new Harmonizer(
      {
        inputs: 3,
        hidden: [5],
        outputs: globalWidth > 0 ? 12 : 4,
        isNormalised: false,
        initialBias: 0.3,
      },
      1,
    ),
    features: Float64Array.of(1, 2, 3),
    iterations: 60,
    localRate: 1e-3,
    globalRate: 1e-3,
    finalRateFactor: 0.1,
  });
  return {
    kind: 'image',
    format: FORMAT,
    grid,
    model: { ...model, architecture: { ...architecture, activations } },
    weights,
  };
}

describe('trained networks that are stored', () => {
  it.each([
    ['one network', 1, 0],
    ['networks per partition', 3, 0],
    ['Local-Global networks', 2, 8],
  ])(
    'decode to what they give, with the activations that were learned: %s',
    async (_, counts, globalWidth) => {
      const networks = await trained(counts, globalWidth);
      const { grid, model, weights } = networks;
      const sink = new MemorySink();
      const { bytes } = await storeNetworks(networks, sink);
      expect(bytes).toBe(sink.bytes().length);
      const file = await open(sink.bytes(), { engine });
      expect(file.container.index.signals[0].chunks.count).toBe(counts ** 2);
      const { activations } = sineSignal(file.container.header.signals[0]).model.architecture;
      expect(activations.local.a).toBe(model.architecture.activations.local.a);
      const { data } = await file.signals[0].decode();
      expect(data).toEqual(await decodeSystem(engine, model, grid, weights, FORMAT));
      await file.dispose();
    },
  );

  it('are cropped as any file, and smaller with integers', async () => {
    const networks = await trained(2, 8);
    const [floats, integers] = [new MemorySink(), new MemorySink()];
    await storeNetworks(networks, floats);
    await storeNetworks({ ...networks, precision: 'int10', coder: 'deflate' }, integers);
    expect(integers.bytes().length).toBeLessThan(floats.bytes().length);
    const file = await open(integers.bytes(), { engine });
    const part = new MemorySink();
    const { kept } = await crop(file, part, { region: { begin: [0, 0], end: [12, 12] } });
    expect(kept).toBe(1);
    await file.dispose();
  });

  it('may be of zeros alone, whose stream by the range coder is empty', async () => {
    const networks = await trained(2, 8);
    const { global, local } = networks.weights;
    const zeros = { global: global.map(() => 0), local: local.map((weights) => weights.map(() => 0)) };
    const sink = new MemorySink();
    await storeNetworks({ ...networks, weights: zeros, precision: 'int8', coder: 'range' }, sink);
    const file = await open(sink.bytes(), { engine });
    expect(sineSignal(file.container.header.signals[0]).globalPayload.length).toBe(0);
    // What an output of 0 stands for.
    expect([...new Set((await file.signals[0].decode()).data)]).toEqual([128]);
    await file.dispose();
  });

  it('are refused in words where files have no place for them', async () => {
    const networks = await trained(1, 0);
    const { model } = networks;
    const added = { ...model, architecture: { ...model.architecture, merge: 'fc-add' as const } };
    const refused = storeNetworks({ ...networks, model: added }, new MemorySink());
    await expect(refused).rejects.toThrow(LgiError);
    await expect(refused).rejects.toThrow(/fc-add is for comparison/);
    await expect(storeNetworks({ ...networks, precision: 'int1' }, new MemorySink())).rejects.toThrow(
      /'int1' is no weight format/,
    );
    await expect(storeNetworks({ ...networks, precision: 'fine' }, new MemorySink())).rejects.toThrow(
      /needs samples/,
    );
    const broken = {
      global: networks.weights.global,
      local: networks.weights.local.map((w) => w.map(() => NaN)),
    };
    await expect(
      storeNetworks({ ...networks, weights: broken, precision: 'int8' }, new MemorySink()),
    ).rejects.toMatchObject({ code: 'diverged' });
  });
});
