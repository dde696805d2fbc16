import {
  elementCount,
  globalTensors,
  localTensors,
  type Architecture,
  type SineActivation,
} from '../../codec/architecture.js';
import { splitModels } from '../../codec/coder/integer-models.js';
import { LgiError } from '../../codec/errors.js';
import { checkQuantiser } from '../../codec/quantiser.js';
import { AXES, type ChannelLayout, type SignalKind } from '../../codec/signal.js';
import type { Header, LatentSignal, SignalHeader, SineSignal } from './header.js';
import { constantPayloadByteLength, isAmbiguous } from './local-weights.js';
import * as limits from './limits.js';

/** Channels that a layout has; `plain` has any number. */
const LAYOUT_CHANNELS: Readonly<Record<Exclude<ChannelLayout, 'plain'>, number>> = {
  grey: 1,
  'grey-alpha': 2,
  rgb: 3,
  'rgb-alpha': 4,
};

/**
 * Checks what a header says, whether it comes from a file or goes into one.
 *
 * @param byteOffset of the header in its file, for errors.
 * @throws LgiError `damaged` for what no writer may write, `limit` for what is beyond `limits.ts`; section `header`.
 */
export function checkHeader(header: Header, byteOffset: number): void {
  new HeaderChecks(byteOffset).header(header);
}

class HeaderChecks {
  constructor(private readonly byteOffset: number) {}

  private within(name: string, value: number, least: number, most: number): void {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    throw new LgiError('limit', `the header's ${name} is ${value}, allowed are ${least} to ${most}`, {
      section: 'header',
      byteOffset: this.byteOffset,
    });
  }

  private bounded(name: string, value: number, most: number): void {
    if (Math.abs(value) <= most) return;
    throw new LgiError('limit', `the header's ${name} is ${value}, allowed are ${-most} to ${most}`, {
      section: 'header',
      byteOffset: this.byteOffset,
    });
  }

  private must(holds: boolean, fact: string): void {
    if (holds) return;
    throw new LgiError('damaged', `the header is wrong: ${fact}; fetch the file again`, {
      section: 'header',
      byteOffset: this.byteOffset,
    });
  }

  header({ signals, digest, writer }: Header): void {
    this.within('number of signals', signals.length, 1, limits.MAX_SIGNALS);
    if (digest) this.must(digest.length === 32, `its digest has ${digest.length} bytes, SHA-256 has 32`);
    if (writer !== undefined) {
      const byteLength = new TextEncoder().encode(writer).length;
      this.within("writer's byte length", byteLength, 0, limits.MAX_WRITER_BYTES);
      // It is shown on terminals, which obey control characters.
      this.must(!/\p{Cc}/u.test(writer), "the writer's name has control characters");
    }
    for (const signal of signals) this.signal(signal);
    this.overviews(signals);
  }

  /** An overview belongs to the primary signal before it, and is that signal but for its size. */
  private overviews(signals: readonly SignalHeader[]): void {
    let primary: SignalHeader | undefined;
    let before = 1;
    for (const signal of signals) {
      const factor = signal.overviewFactor ?? 0;
      if (signal.role === 'primary') {
        this.must(factor === 0, `a primary signal has an overview factor of ${factor}`);
        primary = signal;
        before = 1;
        continue;
      }
      this.must(
        factor >= 2 && Number.isInteger(Math.log2(factor)),
        `an overview has the factor ${factor}, which is no power of two from 2`,
      );
      this.within('overview factor', factor, 2, limits.MAX_OVERVIEW_FACTOR);
      this.must(primary !== undefined, 'an overview stands before every primary signal');
      this.must(factor > before, `an overview of factor ${factor} follows one of ${before}`);
      before = factor;
      this.overview(signal, primary as SignalHeader, factor);
    }
  }

  private overview({ kind, format, firstShape }: SignalHeader, primary: SignalHeader, factor: number): void {
    const { mapping } = primary.format;
    this.must(
      kind === primary.kind &&
        format.channels === primary.format.channels &&
        format.layout === primary.format.layout &&
        format.sampleType === primary.format.sampleType &&
        format.mapping.scale === mapping.scale &&
        format.mapping.offset === mapping.offset,
      'an overview is of another kind or format than its primary signal',
    );
    const expected = primary.firstShape.map((length) => Math.ceil(length / factor));
    this.must(
      firstShape.every((length, axis) => length === expected[axis]),
      `an overview of factor ${factor} has ${firstShape.join('x')} samples, its primary signal makes ${expected.join('x')}`,
    );
  }

  private signal(signal: SignalHeader): void {
    const { kind, format, firstShape, colour, rate } = signal;
    const { nominalCell } = signal.latents ?? signal.model;
    this.perAxis('first shape', kind, firstShape);
    this.perAxis('nominal cell', kind, nominalCell);
    for (const length of firstShape) this.within('samples on an axis', length, 1, limits.MAX_AXIS_SAMPLES);
    for (const length of nominalCell) this.within('nominal cell', length, 1, limits.MAX_AXIS_SAMPLES);
    const { channels, layout, mapping } = format;
    this.within('number of channels', channels, 1, limits.MAX_CHANNELS);
    if (layout !== 'plain') {
      this.must(
        channels === LAYOUT_CHANNELS[layout],
        `it has ${channels} channels, layout ${layout} has ${LAYOUT_CHANNELS[layout]}`,
      );
    }
    this.must(mapping.scale !== 0, 'its value mapping has the scale 0');
    this.bounded("value mapping's scale", mapping.scale, limits.MAX_FLOAT32);
    this.bounded("value mapping's offset", mapping.offset, limits.MAX_FLOAT32);
    if (colour) {
      this.within('colour primaries', colour.primaries, 0, 255);
      this.within('colour transfer', colour.transfer, 0, 255);
      this.within('colour matrix', colour.matrix, 0, 255);
    }
    if (rate) {
      this.within("rate's numerator", rate.numerator, 1, 2 ** 32 - 1);
      this.within("rate's denominator", rate.denominator, 1, 2 ** 32 - 1);
    }
    this.bounded('start time', signal.startSeconds ?? 0, limits.MAX_FILE_BYTES);
    if (signal.latents === undefined) this.sine(signal);
    else this.latent(signal);
  }

  private perAxis(name: string, kind: SignalKind, list: readonly unknown[]): void {
    const axes = AXES[kind].length;
    this.must(list.length === axes, `its ${name} has ${list.length} entries, ${kind} has ${axes} axes`);
  }

  private latent({ kind, format, latents, constantPartitions }: LatentSignal): void {
    const { levels, finestLevels, hiddenWidth, amplitude } = latents.architecture;
    this.must(
      kind === 'image' && constantPartitions !== true,
      `latents are for pictures without constant partitions, it is ${kind}`,
    );
    this.within('planes', format.channels, 1, limits.MAX_PLANES);
    this.within('number of levels', levels, 0, limits.MAX_LATENT_LEVELS);
    this.must(
      finestLevels.length === format.channels,
      `it has ${finestLevels.length} planes, ${format.channels} channels`,
    );
    this.within('hidden width', hiddenWidth, 0, limits.MAX_HIDDEN_WIDTH);
    this.must(
      levels > 1 &&
        finestLevels.every((level) => level < levels) &&
        hiddenWidth > 0 &&
        hiddenWidth % 4 === 0 &&
        amplitude > 0 &&
        amplitude <= limits.MAX_FLOAT32,
      `its levels are ${levels} from ${finestLevels}, its hidden width is ${hiddenWidth}, its amplitude ${amplitude}`,
    );
  }

  private sine(signal: SineSignal): void {
    const { kind, format, firstShape, model, quantiser, globalPayload } = signal;
    const axes = AXES[kind].length;
    const { channels } = format;
    this.perAxis('coordinate maps', kind, model.maps);
    model.maps.forEach(({ scale, offset }, axis) => {
      this.bounded(`coordinate on axis ${AXES[kind][axis]}`, offset, limits.MAX_COORDINATE);
      this.bounded(
        `coordinate on axis ${AXES[kind][axis]}`,
        scale * firstShape[axis] + offset,
        limits.MAX_COORDINATE,
      );
    });
    this.must(
      model.architecture.inputs === axes && model.architecture.outputs === channels,
      `its network has ${model.architecture.inputs} inputs and ${model.architecture.outputs} outputs, ` +
        `the signal ${axes} axes and ${channels} channels`,
    );
    this.architecture(model.architecture);
    checkQuantiser(quantiser, model.architecture);
    const models = quantiser.forecast?.models;
    const isModelled = models && splitModels(models, quantiser.local.length) !== undefined;
    this.must(
      signal.coder === 'range' ? quantiser.format === 'integer' && isModelled === true : models === undefined,
      `its coder is ${signal.coder}, of ${quantiser.format} weights with ${models ? models.length : 'no'} bytes of models`,
    );
    const origin = quantiser.forecast?.origin;
    const local = elementCount(localTensors(model.architecture));
    this.must(
      origin === undefined || 8 * origin.length >= local,
      `its origin of ${local} local weights has ${origin?.length} bytes`,
    );
    for (const { step } of [...quantiser.local, ...quantiser.global]) {
      this.must(Math.fround(step) === step, `its quantiser's step ${step} is no binary32`);
    }
    this.must(
      signal.constantPartitions !== true || !isAmbiguous(signal),
      `its constant partitions and its networks both take ${constantPayloadByteLength(channels)} bytes`,
    );
    const hasGlobal = model.architecture.globalWidth > 0;
    // Of zeros alone the range coder's stream is empty.
    const mayBeEmpty = signal.coder === 'range';
    this.must(
      hasGlobal ? globalPayload.length > 0 || mayBeEmpty : globalPayload.length === 0,
      hasGlobal ? 'it has no global weights' : 'it has global weights and no global network',
    );
  }

  private architecture(architecture: Architecture): void {
    this.within('number of levels', architecture.levels, 1, limits.MAX_LEVELS);
    this.within('local width', architecture.localWidth, 1, limits.MAX_LOCAL_WIDTH);
    this.within('global width', architecture.globalWidth, 0, limits.MAX_GLOBAL_WIDTH);
    this.within('lattice stride', architecture.latticeStride, 0, limits.MAX_LATTICE_STRIDE);
    for (const role of ['local', 'global', 'merge'] as const) {
      this.activation(role, architecture.activations[role]);
    }
    const local = elementCount(localTensors(architecture));
    const global = elementCount(globalTensors(architecture));
    this.within('number of local weights', local, 1, limits.MAX_LOCAL_PARAMETERS);
    this.within('number of global weights', global, 0, limits.MAX_GLOBAL_PARAMETERS);
  }

  private activation(role: string, { omegaFirst, omegaHidden, a, b, c, d }: SineActivation): void {
    this.bounded(`${role} omega`, omegaFirst, limits.MAX_OMEGA);
    this.bounded(`${role} omega`, omegaHidden, limits.MAX_OMEGA);
    this.bounded(`${role} a`, a, limits.MAX_MODULATION_EXPONENT);
    this.bounded(`${role} b`, b, limits.MAX_MODULATION_EXPONENT);
    this.bounded(`${role} c`, c, limits.MAX_MODULATION_SHIFT);
    this.bounded(`${role} d`, d, limits.MAX_MODULATION_SHIFT);
  }
}
