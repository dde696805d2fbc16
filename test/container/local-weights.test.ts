import { describe, expect, it } from 'vitest';
import { elementCount, localTensors, siren, type Architecture } from '../../dist/codec/architecture.js';
import { spreadMap } from '../../dist/codec/grid.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { decodeHeader } from '../../dist/src/container/decode-header.js';
import { encodeHeader } from '../../dist/src/container/encode-header.js';
import type { SineSignal } from '../../dist/src/container/header.js';
import { encodeConstant, encodeNetwork } from '../../dist/src/container/encode-local-weights.js';
import { isConstantPayload, localWeightsOf } from '../../dist/src/container/local-weights.js';
import { loadInflate } from '../../dist/codec/coder/inflate.js';

await loadInflate();

/** Sound, which may have any number of channels. */
function headerOf(channels: number, localWidth: number, coder: 'none' | 'deflate'): SineSignal {
  const architecture: Architecture = {
    inputs: 1,
    outputs: channels,
    levels: 1,
    localWidth,
    globalWidth: 0,
    localCoordinates: 'cell',
    latticeStride: 0,
    merge: 'concat',
    activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
  };
  const tensors = localTensors(architecture).map(() => ({ bits: 2, step: 1 }));
  return {
    kind: 'audio',
    role: 'primary',
    format: { sampleType: 'uint8', channels, layout: 'plain', mapping: fullRangeMapping('uint8') },
    firstShape: [8],
    model: { architecture, maps: [spreadMap(8)], nominalCell: [4] },
    quantiser: { format: 'integer', local: tensors, global: [] },
    coder,
    globalPayload: new Uint8Array(0),
    constantPartitions: true,
  };
}

describe('a constant partition', () => {
  it('is a network of nothing but output biases', () => {
    const header = headerOf(3, 5, 'none');
    const outputs = Float32Array.of(0.25, -7, 1);
    const weights = localWeightsOf(header, encodeConstant(outputs), 'chunk 0');
    expect(weights.slice(-3)).toEqual(outputs);
    expect(weights.slice(0, -3).every((weight) => weight === 0)).toBe(true);
  });

  it('of an output that is no number is refused', () => {
    for (const output of [NaN, Infinity]) {
      const payload = encodeConstant(Float32Array.of(output));
      expect(() => localWeightsOf(headerOf(1, 5, 'none'), payload, 'chunk 0')).toThrow(/output 0 is/);
    }
  });

  it('as long as every network makes its header refused', () => {
    for (let localWidth = 1; localWidth < 12; localWidth++) {
      for (const channels of [1, 2, 3]) {
        const header = headerOf(channels, localWidth, 'none');
        const { architecture } = header.model;
        const byteLength = Math.ceil((2 * elementCount(localTensors(architecture))) / 8);
        const read = () => decodeHeader(encodeHeader({ signals: [header] }), 0);
        if (byteLength === 4 * channels) expect(read).toThrow(/both take \d+ bytes/);
        else expect(read().signals[0].constantPartitions).toBe(true);
      }
    }
  });

  it('is never what a network is taken for, however few bytes DEFLATE makes of it', () => {
    let avoided = 0;
    for (let channels = 1; channels < 40; channels++) {
      for (const localWidth of [1, 8, 60]) {
        const header = headerOf(channels, localWidth, 'deflate');
        const zeros = new Float32Array(elementCount(localTensors(header.model.architecture)));
        const payload = encodeNetwork(zeros, header);
        expect(isConstantPayload(header, payload.length)).toBe(false);
        expect(localWeightsOf(header, payload, 'chunk 0')).toEqual(zeros);
        if (payload[0] === 0 && payload[3] === 0xff) avoided++;
      }
    }
    expect(avoided).toBeGreaterThan(0);
  });
});
