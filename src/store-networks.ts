import { sha256 } from '@noble/hashes/sha2.js';
import { globalTensors } from '../codec/architecture.js';
import { encodeWeights } from '../codec/coder/encode-weights.js';
import type { Coder } from '../codec/coder/payload.js';
import type { Grid } from '../codec/grid.js';
import { OptionError } from '../codec/errors.js';
import { boxShape } from '../codec/grid.js';
import type { Model, Weights } from '../codec/model.js';
import { fitQuantiser, parseWeightPrecision } from '../codec/quantise.js';
import type { SampleFormat, SignalKind } from '../codec/signal.js';
import { checkCoder } from './encode-settings.js';
import { encodeNetwork, quantiserFor } from './container/encode-local-weights.js';
import { writeContainer } from './container/writer.js';
import type { Sink } from './io/sink.js';
import type { Rate } from './rate.js';
import { WRITER_NAME } from './version.js';

/** Networks that were trained somewhere, and what they are of. */
export interface NetworksToStore {
  readonly kind: SignalKind;
  /** From outputs to samples. */
  readonly format: SampleFormat;
  /** A partition for each of the local weights, from position 0 on. */
  readonly grid: Grid;
  /** With the activations that were learned; a harmonizer is needed no more. */
  readonly model: Model;
  readonly weights: Weights;
  /** As `encode` has it, but for what is measured on samples; default `float32`, the weights as they are. */
  readonly precision?: string;
  /** Default `none`. */
  readonly coder?: Coder;
  /** Samples per second, for kinds with time. */
  readonly rate?: Rate;
}

/**
 * Writes trained networks as an LGI file, which decodes to what they give. One network of everything is a file of one chunk.
 *
 * @returns the file's length. The sink is closed on success and aborted on failure.
 * @throws LgiError `unsupported` for a merge that files have no place for; `diverged` for weights that are no numbers; `io`.
 * @throws OptionError for a precision that is none.
 */
export async function storeNetworks(
  { kind, format, grid, model, weights, precision = 'float32', coder = 'none', rate }: NetworksToStore,
  to: Sink,
): Promise<{ readonly bytes: number }> {
  const { architecture } = model;
  let content: Parameters<typeof writeContainer>[1];
  try {
    const parsed = parseWeightPrecision(precision);
    if (parsed.roundingShare !== undefined) {
      throw new OptionError(
        'precision',
        `${precision} needs samples, of which there are none here; give int11`,
      );
    }
    checkCoder(coder, parsed.format);
    const fitted = fitQuantiser(parsed.format, parsed.bits, architecture, weights);
    const quantiser = quantiserFor(coder, fitted, architecture, weights.local);
    const payloadFormat = { model, quantiser, coder, format };
    const globalPayload =
      architecture.globalWidth === 0
        ? new Uint8Array()
        : encodeWeights(
            weights.global,
            globalTensors(architecture),
            quantiser.global,
            quantiser.format,
            coder,
          );
    const hash = sha256.create();
    for (const each of [weights.global, ...weights.local]) {
      hash.update(new Uint8Array(each.buffer, each.byteOffset, each.byteLength));
    }
    content = {
      header: {
        signals: [
          {
            kind,
            role: 'primary',
            format,
            firstShape: boxShape(grid.extent),
            model,
            quantiser,
            coder,
            globalPayload,
            ...(rate && { rate }),
          },
        ],
        digest: hash.digest(),
        writer: WRITER_NAME,
      },
      signals: [
        {
          grid,
          chunks: weights.local.map((local, ordinal) => ({
            coordinates: grid.coordinatesOf(ordinal),
            payload: encodeNetwork(local, payloadFormat),
          })),
        },
      ],
      metadata: [],
    };
  } catch (error) {
    await to.abort(error);
    throw error;
  }
  return writeContainer(to, content);
}
